"""report: one HTML page of a job in any condition, with the same figures as the other commands."""

import csv
import html
import json
import os
import pty
import re
import signal
import threading

import support

HOSTILE = ("</pre></style></title><script>top.pwned=1</script><img src=x onerror='top.pwned=2'>"
           "\u202egnp.exe\x00\x1b[31m<svg onload=top.pwned=3>")


class Report(support.Case):
    def report(self, *arguments, code=0, **options):
        return self.call("report", *arguments, code=code, **options)

    def page(self, *arguments):
        self.report(*arguments, "-o", "report.html")
        with open(self.path("report.html"), encoding="utf-8") as file:
            return file.read()

    def mixed(self, count=60):
        simulator = self.simulate("--latency", "1-20ms", "--errors", "500=10%")
        lines = [{"id": "t-%d" % i, "prompt": "say %d" % i} for i in range(count)]
        lines[3]["prompt"] = "[[sim:400]] no"
        lines[4]["prompt"] = "[[sim:filter200]] no"
        lines[5]["prompt"] = "[[sim:length]] hm hm hm"
        self.write("items.jsonl", "".join(json.dumps(line) + "\n" for line in lines) + "broken line\n")
        self.run_file(simulator, "--max-error-rate", "100%", "--rpm", "60000", code=3)

    def test_figures_are_those_of_the_database(self):
        self.mixed()
        page = self.page()
        counts = self.state_counts()
        self.assertEqual(sum(counts.values()), 61)
        self.assertIn("61 of 61 items", page)
        for state, number in counts.items():
            self.assertRegex(page, r'<th scope="row">%s</th>.*<td class="n">%d</td>' % (state, number))
        (calls, retries), = self.query("select count(*), sum(number > 1) from attempts")
        self.assertIn('<div class="v">%d</div>' % calls, page)
        self.assertIn("%d of them retries" % retries, page)
        (tokens,), = self.query("select sum(input_tokens) from attempts")
        self.assertIn('<td class="n">%s</td>' % format(tokens, ","), page)
        for name, number in self.query("select error, count(*) from attempt_log where error is not null group by 1"):
            self.assertRegex(page, r'class="mono">%s</th><td class="num" data-k="calls">%d</td>' % (name, number))
        self.assertIn("limit 60,000", page)
        self.assertIn("not a JSON object", page)
        for item in ("t-3", "t-4", "t-5"):
            self.assertRegex(page, r'<bdi class="mono">%s</bdi>' % item)
        self.assertIn("[[sim:400]] no", page, "the input line is read from its place")
        with open(self.path("items.jsonl"), "r+") as file:
            text = file.read().replace("[[sim:400]] no", "[[sim:400]] NO")
            file.seek(0)
            file.write(text)
        page = self.page()
        self.assertNotIn("[[sim:400]]", page, "only what was sent is shown")
        self.assertIn("[[sim:length]] hm hm hm", page)

    def test_standard_output_and_files_hold_the_same_kind_of_page(self):
        self.mixed(10)
        out = self.report().stdout
        self.assertTrue(out.startswith("<!DOCTYPE html>"), out[:80])
        self.assertTrue(out.endswith("</html>\n"))
        self.assertEqual(self.report("-o", "-").stdout[:200], out[:200])
        self.assertEqual(self.report("-o", "new.html").stdout, "")
        self.assertEqual([name for name in os.listdir(self.dir) if name.endswith(".tmp")], [])

    def test_a_terminal_is_not_flooded(self):
        self.mixed(10)
        leader, follower = pty.openpty()
        process = support.subprocess.run([support.LLMBATCH, "report"], cwd=self.dir, env=self.env, stdout=follower,
                                         stderr=support.subprocess.PIPE, check=False)
        os.close(follower)
        os.close(leader)
        self.assertEqual(process.returncode, 2)
        self.assertIn(b"-o report.html", process.stderr)

    def test_what_it_refuses(self):
        self.assertIn("no *.llmbatch.db here", self.report(code=2).stderr)
        self.assertIn("nowhere.db", self.report("nowhere.db", code=2).stderr)
        self.mixed(10)
        self.assertIn("is the database itself", self.report("-o", self.database(), code=2).stderr)
        self.assertIn("is the input", self.report("-o", "items.jsonl", code=2).stderr)
        self.assert_sound()
        self.write("text.llmbatch.db", "this is no database")
        self.report("text.llmbatch.db", code=2)

    def test_an_empty_and_a_single_item_job(self):
        self.write("items.jsonl", "")
        self.run_file(self.simulate(), code=0)
        self.assertIn("pill empty", self.page())
        self.prompts(1)
        self.run_file(self.simulate(name="second"), code=0)
        page = self.page()
        self.assertIn("1 of 1 items", page)
        self.assertNotIn("nan", re.sub(r"<style>.*?</style>", "", page, flags=re.S))
        self.assertIn("in 2 runs", page)

    def test_while_a_run_lasts_and_after_it_was_killed(self):
        self.prompts(2000)
        simulator = self.simulate("--latency", "20ms")
        process = self.start_file(simulator, "--concurrency", "4")
        support.wait_for(lambda: os.path.exists(self.database()) and
                         self.query("select count(*) from attempts")[0][0] > 20, "some answers")
        self.assertIn("pill running", self.page(self.database()))
        self.assertTrue(process.running(), "the report must not disturb the run")
        process.send(signal.SIGKILL)
        process.wait()
        page = self.page(self.database())
        self.assertIn("pill unfinished", page)
        self.assertIn("killed", page)
        (stored,), = self.query("select count(*) from attempts")
        self.assertIn('<div class="v">%s</div>' % format(stored, ","), page)

    def test_runs_on_different_days_are_not_squeezed(self):
        self.mixed(40)
        (first,), = self.query("select min(started_ms) from attempts")
        support.change(self.database(), "update attempts set started_ms = started_ms - 86400000 * 3 where id <= 20")
        support.change(self.database(), "update items set finished_ms = finished_ms - 86400000 * 3 where seq <= 20")
        page = self.page()
        self.assertIn("3\u00a0days without activity", page)
        self.assertGreater(first, 0)

    def test_review_quality(self):
        self.prompts(40)
        self.run_file(self.simulate(), code=0)
        self.assertNotIn('id="review"', self.page())
        self.call("review", "--export", "sheet.csv", "--sample", "20", code=0)
        with open(self.path("sheet.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        for number, row in enumerate(rows):
            row["verdict"] = "bad" if number < 2 else "good"
            row["note"] = "<b>off</b>" if number == 0 else ""
        with open(self.path("sheet.csv"), "w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
        self.call("review", "--import", "sheet.csv", "--sample", "20", code=0)
        page = self.page()
        self.assertEqual(len(rows), 20)
        self.assertIn("<b>90.0\u00a0%</b> of the answers are good, as estimated from 20", page)
        self.assertIn("69.9 to 97.2\u00a0%", page)
        self.assertIn("&lt;b&gt;off&lt;/b&gt;", page)

    def test_comparison_beside_the_input(self):
        self.write_items("items.jsonl", [{"id": str(i), "prompt": "say %d" % i, "label": "<x>"} for i in range(30)])
        simulator = self.simulate("--answer", "echo")
        self.run_file(simulator, code=0)
        self.assertNotIn('id="compare"', self.page())
        self.call("compare", "items.jsonl", "--base-url", simulator.url, "--models", "big,small", "--expect", "label",
                  "--sample", "10", "--show-disagreements", code=0)
        page = self.page()
        with open(self.path("items.jsonl.llmbatch-compare/result.json")) as file:
            result = json.load(file)
        self.assertIn(html.escape(result["verdict"], quote=True), page)
        for model in result["models"]:
            self.assertIn("<bdi>" + model["model"], page)
        self.write("items.jsonl.llmbatch-compare/result.json", "{}")
        self.assertIn("not the result of a comparison", self.report("-o", "report.html").stderr)

    def test_hostile_texts_are_escaped(self):
        lock = threading.Lock()
        numbers = iter(range(100))

        def handler(_request, connection):
            with lock:
                number = next(numbers)
            if number % 3 == 0:
                body = json.dumps({"error": {"message": HOSTILE, "type": HOSTILE, "code": HOSTILE}}).encode()
                connection.sendall(support.reply(body, "400 Bad Request"))
            elif number % 3 == 1:
                connection.sendall(support.reply(support.completion(HOSTILE, model=HOSTILE, choices=[{
                    "index": 0, "finish_reason": "length", "message": {"role": "assistant", "content": HOSTILE}}])))
            else:
                connection.sendall(support.reply(b"<html>" + HOSTILE.encode() + b"\xff\xfe</html>", content_type="text/html"))
            return True

        server = self.server(handler)
        self.write("items.jsonl", "".join(
            json.dumps({"id": HOSTILE + str(i), "prompt": HOSTILE}) + "\n" for i in range(12)) + HOSTILE + "\n")
        self.run_file(server, "--max-error-rate", "100%", "--max-retries", "0", "--store-input", "--prompt", "{{prompt}}",
                      "--system", HOSTILE.replace("\x00", ""), model="m" + HOSTILE[:40], code=3)
        page = self.page()
        body = page.partition("</style>")[2]
        for tag in ("<script", "<img", "<svg onload", "</style", "<iframe"):
            self.assertNotIn(tag, body)
        self.assertNotRegex(page, "[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
        self.assertGreater(body.count(html.escape("<script>top.pwned=1</script>")), 10)


if __name__ == "__main__":
    support.main()
