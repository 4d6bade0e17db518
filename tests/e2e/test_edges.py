"""Kills, races and names where the main path meets its edges."""

import datetime
import json
import os
import signal
import threading
import time

import support


class KilledInSpecialRuns(support.Case):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate("--latency", "40ms", "--answer", "echo")

    def kill_after(self, requests, *arguments, stdin=None):
        target = self.simulator.count() + requests
        process = self.start("run", *arguments, "--base-url", self.simulator.url, "--concurrency", "4", "--quiet",
                             stdin=stdin)
        support.wait_for(lambda: self.simulator.count() >= target or not process.running(), "%d requests" % requests)
        process.send(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL, process.stderr)

    def test_kill_while_retrying_problems(self):
        self.prompts(40, text="[[sim:400,ok]] %d")
        self.run_file(self.simulator, "--max-error-rate", "100%", code=3)
        self.kill_after(12, "items.jsonl", "--model", "m", "--retry", "failed")
        # What was taken up again is pending now, or was taken up and is done.
        self.run_file(self.simulator, "--retry", "failed", code=0)
        self.assert_all_succeeded(40)
        self.assertLessEqual(self.simulator.count(), 40 + 40 + 8)
        self.assert_sound()

    def test_kill_while_running_a_changed_job(self):
        self.prompts(40)
        self.run_file(self.simulator, code=0)
        self.kill_after(12, "items.jsonl", "--model", "n", "--rerun", "changed")
        self.run_file(self.simulator, model="n", code=0)
        self.assert_all_succeeded(40)
        self.assertEqual(self.query("select distinct model from results"), [("n",)])
        self.assertLessEqual(self.simulator.count(), 40 + 40 + 8)

    def test_kill_after_edits(self):
        self.prompts(40)
        self.run_file(self.simulator, code=0)
        self.prompts(40, text="ask %d")
        self.kill_after(12, "items.jsonl", "--model", "m")
        self.run_file(self.simulator, code=0)
        self.assertEqual(dict(self.query("select id, output from results")),
                         {"t-%d" % i: "ask %d" % i for i in range(1, 41)})
        self.assertLessEqual(self.simulator.count(), 40 + 40 + 8)

    def test_kill_while_reading_stdin(self):
        data = "".join('{"id":"s-%d","prompt":"p %d"}\n' % (i, i) for i in range(60)).encode()
        self.write("input", data)
        with open(self.path("input"), "rb") as stdin:
            self.kill_after(20, "-", "--model", "m", "--db", "s.db", stdin=stdin)
        process = self.call("run", "-", "--model", "m", "--db", "s.db", "--base-url", self.simulator.url, stdin=data)
        self.assertEqual(process.code, 0, process.stderr)
        self.assert_all_succeeded(60, database=self.path("s.db"))
        self.assertLessEqual(self.simulator.count(), 60 + 8)

    def test_export_and_status_of_a_killed_run(self):
        self.prompts(60)
        self.kill_after(20, "items.jsonl", "--model", "m")
        exported = self.call("export", self.database(), code=0).stdout.splitlines()
        self.assertGreater(len(exported), 4)
        status = json.loads(self.call("status", self.database(), "--json", code=0).stdout)
        self.assertEqual(status["items"]["succeeded"], len(exported))
        self.assertEqual(status["items"]["total"], 60)
        self.assertEqual(status["items"]["in_flight"], 0, "nobody flies any more")

    def test_line_appended_during_the_run(self):
        self.prompts(60)
        process = self.start_file(self.simulator, "--concurrency", "4")
        support.wait_for(lambda: self.simulator.count() > 10, "10 requests")
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"late","prompt":"late"}\n')
        self.assertEqual(process.wait(), 0, process.stderr)
        self.run_file(self.simulator, code=0)
        self.assert_all_succeeded(61)
        self.assertEqual(self.simulator.count(), 61)

    def test_input_cut_short_during_the_run(self):
        self.prompts(3000, text="say %d " + "x" * 300)
        process = self.start_file(self.simulator, "--concurrency", "4", "--quiet")
        support.wait_for(lambda: self.simulator.count() > 10, "10 requests")
        os.truncate(self.path("items.jsonl"), 2000)
        code = process.wait()
        self.assertGreaterEqual(code, 0, "crashed with signal %d" % -code)
        self.assertNotEqual(code, 0, "thousands of items are missing")
        self.assert_sound()
        self.prompts(20, text="say %d " + "x" * 300)
        self.run_file(self.simulator, "--concurrency", "8", code=0)


class Races(support.Case):
    def test_many_started_at_once_on_a_new_database(self):
        simulator = self.simulate("--latency", "200ms")
        for attempt in range(5):
            with self.subTest(attempt):
                name = "race%d.jsonl" % attempt
                self.prompts(30, name=name, text="race %d of " + name)
                before = simulator.count()
                processes = [self.start_file(simulator, "--concurrency", "10", file=name) for _ in range(5)]
                codes = sorted(process.wait() for process in processes)
                # One that comes when the first has ended finds everything done.
                self.assertTrue(set(codes) <= {0, 5}, [(p.popen.returncode, p.stderr) for p in processes])
                self.assertIn(0, codes)
                self.assertEqual(simulator.count() - before, 30)
                self.assert_all_succeeded(30, database=self.database(name))

    def test_interrupt_in_the_preflight(self):
        simulator = self.simulate()
        self.prompts(400_000, text="say %d " + "x" * 200)
        process = self.start_file(simulator, "--rpm", "60")
        # The database is opened just before the pass over these 90 MB.
        support.wait_for(lambda: os.path.exists(self.database()), "the database")
        process.send(signal.SIGINT)
        started = time.monotonic()
        self.assertEqual(process.wait(), 130, process.stderr)
        self.assertLess(time.monotonic() - started, 5 * support.PATIENCE)
        self.assertLessEqual(simulator.count(), 3)


class Names(support.Case):
    def test_names_that_mean_something_elsewhere(self):
        simulator = self.simulate()
        for name in ("with space.jsonl", "a?mode=ro&x.jsonl", "a#b.jsonl", "50%25.jsonl", "\u00fcml\u00e4ut.jsonl",
                     "file:x.jsonl", "-dash.jsonl", "quote'\".jsonl", ":memory:.jsonl"):
            with self.subTest(name):
                self.prompts(2, name=name)
                file = "./" + name if name.startswith("-") else name
                self.run_file(simulator, "--quiet", file=file, code=0)
                self.assertTrue(os.path.exists(self.database(name)))
                self.assert_all_succeeded(2, database=self.database(name))
                self.call("export", "./" + name + ".llmbatch.db", code=0)

    def test_ids_of_all_kinds(self):
        simulator = self.simulate()
        ids = ["\u00fc", "a b", "'; drop table items; --", "x" * 5000, "\U0001f600", "tab\there", "new\nline", "\"q\"",
               "0", "1e3", "null", "../../etc/passwd", "\u2028"]
        self.write_items("items.jsonl", [{"id": i, "prompt": "p %d" % n} for n, i in enumerate(ids)])
        self.run_file(simulator, code=0)
        exported = [json.loads(line)["id"] for line in
                    self.call("export", self.database(), code=0).stdout.split("\n") if line]
        self.assertEqual(exported, ids)
        self.run_file(simulator, code=0)
        self.assertEqual(simulator.count(), len(ids))

    def test_fifo_as_input(self):
        simulator = self.simulate()
        os.mkfifo(self.path("pipe"))
        process = self.start("run", "pipe", "--db", "p.db", "--base-url", simulator.url, "--model", "m")

        def feed():
            with open(self.path("pipe"), "w") as pipe:
                for i in range(10):
                    pipe.write('{"id":"f-%d","prompt":"p %d"}\n' % (i, i))

        thread = threading.Thread(target=feed, daemon=True)
        thread.start()
        self.assertEqual(process.wait(20), 0, process.stderr)
        thread.join(5)
        self.assert_all_succeeded(10, database=self.path("p.db"))

    def test_symbolic_link_as_input(self):
        simulator = self.simulate()
        self.prompts(3)
        os.symlink("items.jsonl", self.path("link.jsonl"))
        self.run_file(simulator, file="link.jsonl", code=0)
        self.run_file(simulator, file="link.jsonl", code=0)
        self.assertEqual(simulator.count(), 3)


class Hints(support.Case):
    def quiet_after_429(self, hint):
        """A 429 that says 1.5 s holds everybody back, not just its item."""
        simulator = self.simulate("--retry-hint", hint, "--latency", "5ms")
        self.write_items("items.jsonl", [{"id": "limited", "prompt": "[[sim:429=1500ms,ok]]"}] +
                         [{"id": "t-%d" % i, "prompt": "say %d" % i} for i in range(40)])
        self.run_file(simulator, "--concurrency", "2", "--quiet", code=0, timeout=40)
        self.assert_all_succeeded(41)
        stamps = [(datetime.datetime.fromisoformat(r["time"].replace("Z", "+00:00")).timestamp(), r["outcome"])
                  for r in simulator.requests()]
        refused = next(t for t, outcome in stamps if outcome == "429")
        early = [t for t, _ in stamps if refused + 0.3 < t < refused + 1.0]
        self.assertEqual(early, [], "calls were made while the provider had asked for silence")
        self.assertGreater(max(t for t, _ in stamps), refused + 0.9)

    def test_seconds(self):
        self.quiet_after_429("seconds")

    def test_milliseconds(self):
        self.quiet_after_429("milliseconds")

    def test_http_date(self):
        self.quiet_after_429("http-date")


if __name__ == "__main__":
    support.main()
