"""`compare`: one sample through several models, judged, stored, resumed."""

import csv
import json
import os
import pathlib
import shutil
import signal
import unittest

from support import Case, completion, main, reply, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
DIRECTORY = "tickets.jsonl.llmbatch-compare"


class Compare(Case):
    def setUp(self):
        super().setUp()
        shutil.copy(ROOT / "examples" / "tickets.jsonl", self.path("tickets.jsonl"))
        shutil.copy(ROOT / "examples" / "classify.mustache", self.path("classify.mustache"))

    def classifier(self, *arguments):
        return self.simulate("--answer", "classify", "--model-accuracy",
                             "big=100%,small=90%,tiny=50%", *arguments)

    def compare(self, server, *arguments, models="big,small,tiny", file="tickets.jsonl", **options):
        return self.call("compare", file, "--base-url", server.url, "--models", models,
                         "--prompt-file", "classify.mustache", *arguments, **options)

    def result(self, server, *arguments, **options):
        return json.loads(self.compare(server, "--json", *arguments, **options).stdout)

    def test_accuracy_is_what_the_models_were_made_to_have(self):
        server = self.classifier()
        result = self.result(server, "--expect", "label", "--sample", "200", code=0)
        self.assertEqual([m["model"] for m in result["models"]], ["big", "small", "tiny"])
        accuracy = {m["model"]: m["accuracy"] for m in result["models"]}
        # The simulated classifier itself is right on most of the tickets, not on all.
        self.assertGreater(accuracy["big"], 0.85)
        self.assertLess(abs(accuracy["small"] - 0.9 * accuracy["big"]), 0.07)
        self.assertLess(abs(accuracy["tiny"] - 0.5 * accuracy["big"]), 0.1)
        self.assertEqual(server.count(), 600)
        for model in result["models"]:
            self.assertEqual(model["judged"], 200)
            self.assertLess(model["accuracy_low"], model["accuracy"])
            self.assertGreater(model["accuracy_high"], model["accuracy"])
            self.assertIsNotNone(model["latency_p95_ms"])
        tiny = result["models"][2]["with_best"]
        self.assertLess(tiny["p_value"], 1e-6)
        self.assertGreater(tiny["only_best_right"], tiny["only_this_right"])
        # The same by hand, from the answers that each database exports.
        labels = {}
        for line in pathlib.Path(self.path("tickets.jsonl")).read_text().splitlines():
            ticket = json.loads(line)
            labels[ticket["id"]] = ticket["label"]
        for model in result["models"]:
            rows = [json.loads(line) for line in
                    self.call("export", model["database"], code=0).stdout.splitlines()]
            self.assertEqual(len(rows), 200)
            right = sum(row["output"] == labels[row["id"]] for row in rows)
            self.assertEqual(model["right"], right)

    def test_costs_and_the_cheapest_model_that_is_good_enough(self):
        prices = {"dear": 0.01, "cheap": 0.001, "bad": 0.0001}
        wrong_every = {"dear": 100, "cheap": 25, "bad": 2}

        def handler(request, connection):
            model = request.json()["model"]
            number = int(request.prompt().split()[-1])
            usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7,
                     "cost": prices[model]}
            text = "no" if number % wrong_every[model] == 0 else "yes"
            connection.sendall(reply(completion(text, model=model, usage=usage)))
            return True

        server = self.server(handler)
        self.write_items("in.jsonl", [{"id": str(i), "prompt": "item %d" % i, "label": "yes"}
                                      for i in range(1, 301)])
        # OpenRouter is the provider that reports what a call cost.
        run = self.call("compare", "in.jsonl", "--provider", "openrouter", "--base-url", server.url,
                        "--models", "dear,cheap,bad", "--expect", "label", "--sample", "300",
                        "--json", env={"OPENROUTER_API_KEY": "k"}, code=0)
        result = json.loads(run.stdout)
        models = {m["model"]: m for m in result["models"]}
        self.assertEqual([m["right"] for m in result["models"]], [297, 288, 150])
        self.assertEqual(models["dear"]["cost_usd"], 3)
        self.assertEqual(models["cheap"]["cost_per_1000_usd"], 1)
        self.assertEqual(models["bad"]["projected_usd"], 0.03)
        self.assertEqual((result["best"], result["chosen"]), ("dear", "cheap"))
        self.assertEqual(result["saved_per_1000_usd"], 9)
        self.assertEqual(result["saved_usd"], 2.7)
        self.assertEqual(result["verdict"],
                         "cheap is the cheapest model within 5 points of the best: 96.0 % against "
                         "99.0 % (dear), $1.00 instead of $10.00 per 1,000 items, which saves $2.70 "
                         "on all 300.")

    def test_unknown_prices_are_said_and_never_chosen(self):
        server = self.classifier()
        result = self.result(server, "--expect", "label", "--sample", "20", code=0)
        self.assertIsNone(result["chosen"])
        self.assertIsNone(result["models"][0]["cost_per_1000_usd"])
        self.assertIn("none can be called the cheapest", result["verdict"])

    def test_the_same_command_sends_nothing_again_and_more_keeps_what_is_done(self):
        server = self.classifier()
        arguments = ("--expect", "label", "--sample", "30")
        first = self.result(server, *arguments, code=0)
        self.assertEqual(server.count(), 90)
        self.assertEqual(self.result(server, *arguments, code=0), first)
        self.assertEqual(server.count(), 90)
        larger = self.result(server, "--expect", "label", "--sample", "50", code=0)
        self.assertEqual(server.count(), 150)
        self.assertEqual(larger["models"][0]["judged"], 50)
        # A smaller one is a part of it.
        self.assertEqual(self.result(server, *arguments, code=0), first)
        self.assertEqual(server.count(), 150)
        other = self.result(server, *arguments, "--sample-seed", "2", code=0)
        self.assertNotEqual(other["models"], first["models"])

    def test_a_line_added_elsewhere_changes_no_sample(self):
        server = self.classifier()
        self.compare(server, "--expect", "label", "--sample", "150", code=0)
        count = server.count()
        with open(self.path("tickets.jsonl"), "r+", encoding="utf-8") as file:
            old = file.read()
            file.seek(0)
            file.write(json.dumps({"id": "new", "subject": "s", "body": "b", "label": "other",
                                   "customer": {"name": "n", "plan": "p"}}) + "\n" + old)
        self.compare(server, "--expect", "label", "--sample", "150", code=0)
        self.assertLessEqual(server.count() - count, 3)

    def test_table_verdict_and_disagreements(self):
        server = self.classifier()
        shown = self.compare(server, "--expect", "label", "--sample", "60",
                             "--show-disagreements=3", code=0)
        lines = shown.stdout.splitlines()
        table = [i for i, line in enumerate(lines) if line.startswith("tickets.jsonl: a sample of")]
        self.assertEqual(len(table), 1, shown.stdout)
        self.assertIn("60 of 200 items with 'label'", lines[table[0]])
        self.assertTrue(all(len(line) <= 80 for line in lines[table[0]:]), shown.stdout)
        blocks = [line for line in lines[:table[0]] if line.startswith("t-")]
        self.assertEqual(len(blocks), 3)
        self.assertIn("  expected: ", shown.stdout)
        self.assertIn("  x tiny: ", shown.stdout)
        self.assertIn("more (--show-disagreements=", shown.stdout)
        self.assertTrue(lines[-1])
        bare = self.compare(server, "--expect", "label", "--sample", "60", "--show-disagreements",
                            code=0)
        blocks = [line for line in bare.stdout.splitlines() if line.startswith("t-")]
        self.assertEqual(len(blocks), 10)

    def test_agreement_with_the_first_model_where_nothing_is_expected(self):
        server = self.classifier()
        result = self.result(server, "--sample", "100", models="small,big", code=0)
        self.assertTrue(result["models"][0]["reference"])
        self.assertEqual(result["models"][0]["model"], "small")
        self.assertEqual(result["models"][0]["accuracy"], 1)
        self.assertGreater(result["models"][1]["accuracy"], 0.75)
        self.assertLess(result["models"][1]["accuracy"], 1)
        self.assertTrue(any("Agreement is not accuracy" in note for note in result["notes"]))

    def test_refused_and_malformed_answers_are_counted_and_wrong(self):
        server = self.classifier("--errors", "filter=10%,notjson=40%")
        # Far over the error rate that would pause a run: here it is the finding.
        result = self.result(server, "--expect", "label", "--sample", "100", models="big", code=3)
        model = result["models"][0]
        self.assertGreater(model["refused"], 0)
        self.assertGreater(model["malformed"], 0)
        self.assertEqual(model["judged"], 100)
        self.assertLessEqual(model["right"], 100 - model["refused"] - model["malformed"])

    def test_an_error_rate_that_was_asked_for_pauses(self):
        server = self.classifier("--errors", "filter=50%")
        result = self.result(server, "--expect", "label", "--sample", "100", "--max-error-rate",
                             "5%", "--concurrency", "4", models="big", code=4)
        self.assertLess(result["models"][0]["done"], 100)

    def test_every_answer_can_be_written_to_a_file(self):
        server = self.classifier()
        result = self.result(server, "--expect", "label", "--sample", "20", "--answers",
                             "answers.csv", code=0)
        with open(self.path("answers.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 60)
        for model in result["models"]:
            right = [r for r in rows if r["model"] == model["model"] and r["right"] == "true"]
            self.assertEqual(len(right), model["right"])
        count = server.count()
        self.result(server, "--expect", "label", "--sample", "20", "--answers", "answers.jsonl",
                    code=0)
        lines = pathlib.Path(self.path("answers.jsonl")).read_text().splitlines()
        self.assertEqual(sum(json.loads(line)["right"] for line in lines),
                         sum(model["right"] for model in result["models"]))
        self.assertEqual(server.count(), count)

    def test_a_json_pointer_picks_the_label_from_a_json_answer(self):
        server = self.classifier()
        result = self.result(server, "--expect", "label", "--sample", "50", "--answer-pointer",
                             "/label", "--param", 'response_format={"type":"json_object"}', models="big",
                             code=0)
        self.assertGreater(result["models"][0]["accuracy"], 0.8)
        self.assertEqual(result["models"][0]["malformed"], 0)

    def test_ctrl_c_stops_and_the_same_command_goes_on(self):
        server = self.classifier("--latency", "100ms")
        arguments = ("compare", "tickets.jsonl", "--base-url", server.url, "--models", "big,small",
                     "--prompt-file", "classify.mustache", "--expect", "label", "--sample", "100",
                     "--concurrency", "2", "--json")
        process = self.start(*arguments)
        wait_for(lambda: server.count() >= 10, "ten requests")
        process.send(signal.SIGTERM)
        self.assertEqual(process.wait(), 143)
        partial = json.loads(process.stdout)
        self.assertIn("No verdict yet", partial["verdict"])
        self.assertLess(partial["models"][0]["done"], 100)
        done = json.loads(self.call(*arguments[:-3], "--concurrency", "50", "--json", code=0).stdout)
        self.assertEqual([m["done"] for m in done["models"]], [100, 100])
        self.assertEqual(server.count(), 200)

    def test_one_paused_model_does_not_stop_the_others(self):
        server = self.classifier("--unknown-model", "small")
        process = self.compare(server, "--expect", "label", "--sample", "20", "--json", code=4)
        result = json.loads(process.stdout)
        done = {m["model"]: m["done"] for m in result["models"]}
        self.assertEqual(done, {"big": 20, "small": 0, "tiny": 20})
        self.assertIn("small has 0 of 20 results (paused: model_not_found", result["verdict"])

    def test_a_changed_prompt_is_refused_before_anything_is_sent(self):
        server = self.classifier()
        self.compare(server, "--expect", "label", "--sample", "10", code=0)
        count = server.count()
        refused = self.call("compare", "tickets.jsonl", "--base-url", server.url, "--models",
                            "other,big", "--prompt", "Say {{subject}}", "--expect", "label",
                            "--sample", "10", code=2)
        self.assertIn("nothing was sent", refused.stderr)
        self.assertIn("prompt template", refused.stderr)
        self.assertIn("--dir OTHER", refused.stderr)
        self.assertEqual(server.count(), count)
        self.call("compare", "tickets.jsonl", "--base-url", server.url, "--models", "big",
                  "--prompt", "Say {{subject}}", "--expect", "label", "--sample", "10", "--rerun",
                  "changed", code=0)
        self.assertEqual(server.count(), count + 10)

    def test_models_of_the_lines_do_not_answer_in_the_place_of_the_compared_ones(self):
        server = self.simulate("--answer", "classify")
        self.write_items("own.jsonl", [
            {"id": "a", "model": "mine", "prompt": "one", "label": "x"},
            {"custom_id": "b", "method": "POST", "url": "/v1/chat/completions", "label": "x",
             "body": {"model": "mine", "messages": [{"role": "user", "content": "two"}]}}])
        run = self.call("compare", "own.jsonl", "--base-url", server.url, "--models", "p,q",
                        "--expect", "label", code=0)
        self.assertIn("2 of 2 items name a model of their own", run.stderr)
        for model in "pq":
            rows = self.query("select distinct model from attempts",
                              database=self.path("own.jsonl.llmbatch-compare/%s.llmbatch.db" %
                                                 model))
            self.assertEqual([row[0] for row in rows], [model])

    def test_lines_without_an_expected_value_or_that_cannot_be_used_are_not_drawn(self):
        server = self.simulate("--answer", "echo")
        self.write("mixed.jsonl", '{"id":"a","prompt":"hi","x":"hi"}\n{"id":"b","prompt":"hi"}\n'
                                  'nope\n{"id":"c","prompt":"ho","x":"ho"}\n')
        run = self.call("compare", "mixed.jsonl", "--base-url", server.url, "--models", "m",
                        "--expect", "x", "--json", code=0)
        result = json.loads(run.stdout)
        self.assertEqual((result["sample"], result["eligible"], result["items"]), (2, 2, 3))
        self.assertEqual(result["models"][0]["accuracy"], 1)
        self.assertIn("1 line of the input cannot be used; the first is mixed.jsonl:3", run.stderr)

    def test_input_from_a_pipe_needs_a_directory(self):
        server = self.simulate("--answer", "echo")
        line = b'{"id":"a","prompt":"hi","x":"hi"}\n'
        self.call("compare", "-", "--base-url", server.url, "--models", "m", "--expect", "x",
                  stdin=line, code=2)
        run = self.call("compare", "-", "--dir", "piped", "--base-url", server.url, "--models", "m",
                        "--expect", "x", "--json", stdin=line, code=0)
        self.assertEqual(json.loads(run.stdout)["models"][0]["right"], 1)
        self.assertTrue(os.path.exists(self.path("piped/m.llmbatch.db")))

    def test_usage_errors_leave_nothing_behind(self):
        for arguments, text in (
                (("--models", "a/x,a/x", "--expect", "label"), "named twice"),
                (("--models", "openai/x"), "--expect FIELD"),
                ((), "no models"),
                (("--models", "nobody/x,openai/y"), "unknown provider 'nobody'"),
                (("--models", "openai/x,openai/y"), "OPENAI_API_KEY"),
                (("--models", "ollama/x", "--expect", "nothing"), "has a field 'nothing'"),
                (("--models", "ollama/x", "--expect", "label", "--answer-pointer", "label"),
                 "not a JSON pointer")):
            run = self.call("compare", "tickets.jsonl", "--prompt-file", "classify.mustache",
                            *arguments, code=2)
            self.assertIn(text, run.stderr)
        self.assertFalse(os.path.exists(self.path(DIRECTORY)))

    def test_a_second_process_is_told_who_works(self):
        server = self.classifier("--latency", "1s")
        process = self.start("compare", "tickets.jsonl", "--base-url", server.url, "--models",
                             "big,small", "--prompt-file", "classify.mustache", "--expect", "label")
        wait_for(lambda: server.count() >= 1, "a request")
        second = self.compare(server, "--expect", "label", models="big,small", code=5)
        self.assertIn("llmbatch compare", second.stderr)
        process.send(signal.SIGTERM)
        process.send(signal.SIGTERM)
        process.wait()

    def test_results_are_ordinary_databases(self):
        server = self.classifier()
        self.compare(server, "--expect", "label", "--sample", "10", code=0)
        databases = sorted(n for n in os.listdir(self.path(DIRECTORY)) if n.endswith(".db"))
        self.assertEqual(databases, ["big.llmbatch.db", "small.llmbatch.db", "tiny.llmbatch.db"])
        status = json.loads(self.call("status", DIRECTORY + "/big.llmbatch.db", "--json",
                                      code=0).stdout)
        self.assertEqual(status["items"]["succeeded"], 10)
        stored = json.loads(pathlib.Path(self.path(DIRECTORY), "result.json").read_text())
        self.assertEqual(stored["sample"], 10)


if __name__ == "__main__":
    main()
