"""What a job will cost: the estimate that sends nothing, the pilot, and the line at the start of a run."""

import hashlib
import json
import os
import random

import support

PRICES = ("--price-input", "3", "--price-output", "15")


class EstimateCase(support.Case):
    def estimate(self, *arguments, file="items.jsonl", code=0, **options):
        process = self.call("estimate", file, "--json", *arguments, code=code, **options)
        return json.loads(process.stdout)

    def own_server(self, *arguments, **options):
        return self.estimate("--base-url", "http://127.0.0.1:9/v1", "--model", "m", *arguments, **options)

    def listing(self):
        result = {}
        for name in sorted(os.listdir(self.dir)):
            if not name.endswith((".out", ".err", ".log")):
                with open(self.path(name), "rb") as file:
                    result[name] = hashlib.sha256(file.read()).hexdigest()
        return result

    def words_of(self, tokens):
        """So many words that a request with them has exactly this many tokens."""
        for count in range(tokens, 0, -1):
            self.prompts(1, "one.jsonl", " ".join(["word"] * count) + " %d")
            counted = self.own_server(file="one.jsonl")["input_tokens"]["counted"]
            if counted <= tokens:
                self.assertEqual(counted, tokens)
                return count
        self.fail("no such number of words")


class WithoutSending(EstimateCase):
    def test_needs_no_key_and_leaves_nothing_behind(self):
        self.prompts(20)
        before = self.listing()
        self.assertNotIn("OPENAI_API_KEY", self.env)
        result = self.estimate("--model", "openai/gpt-4o-mini")
        self.assertEqual(self.listing(), before)
        self.assertEqual(result["items"], {"total": 20, "to_do": 20, "done_before": 0, "invalid": 0,
                                           "duplicates": 0, "repeats": 0})
        self.assertIsNone(result["database"])
        self.assertEqual(result["output_tokens"]["basis"], "cap")
        self.assertEqual(result["output_tokens"]["high"], 20 * 16384, "the model's maximum")
        self.assertIsNone(result["output_tokens"]["expected"])

    def test_the_hand_sum(self):
        """50,000 items of 500 input and 200 output tokens at $3/M and $15/M are $225: $75 in, $150 out."""
        words = ["word"] * self.words_of(500)
        self.prompts(50000, text=" ".join(words) + " %.0s7")
        result = self.own_server("--max-tokens", "200", "--no-cache", *PRICES)
        self.assertEqual(result["items"]["to_do"], 50000)
        self.assertEqual(result["input_tokens"]["counted"], 25000000)
        self.assertEqual(result["output_tokens"]["high"], 10000000)
        cost = result["cost_usd"]["real_time"]
        self.assertEqual(cost["input"]["expected"], 75)
        self.assertEqual(cost["output"]["high"], 150)
        self.assertLessEqual(cost["low"], 225)
        self.assertGreaterEqual(cost["high"], 225)
        self.assertLessEqual(cost["high"], 150 + 75 * 1.05)
        self.assertIsNone(cost["expected"], "without answers nobody knows how long they will be")

    def test_real_time_and_batch_side_by_side(self):
        self.prompts(100)
        result = self.estimate("--model", "openai/gpt-4o-mini", "--max-tokens", "100")
        for bound in ("low", "high"):
            self.assertAlmostEqual(result["cost_usd"]["batch"][bound] * 2, result["cost_usd"]["real_time"][bound])
        text = self.call("estimate", "items.jsonl", "--model", "openai/gpt-4o-mini", "--max-tokens", "100",
                         code=0).stdout
        self.assertIn("100 to do", text)
        self.assertIn("in batches", text)
        self.assertIn("no answers are known yet", text)

    def test_an_unknown_price_is_unknown(self):
        self.prompts(5)
        result = self.estimate("--model", "openai/no-such-model")
        self.assertEqual(result["cost_usd"], {"real_time": None, "batch": None, "saved": None})
        self.assertEqual((result["unpriced_items"], result["unpriced_models"]), (5, ["no-such-model"]))
        text = self.call("estimate", "items.jsonl", "--model", "openai/no-such-model", code=0).stdout
        self.assertRegex(text, r"cost +unknown")
        self.assertNotIn("$", text)

    def test_lines_with_a_model_of_their_own(self):
        self.write_items("items.jsonl", [{"id": "a", "prompt": "x"}, {"id": "b", "prompt": "x", "model": "strange"}])
        result = self.estimate("--model", "openai/gpt-4o-mini")
        self.assertEqual((result["unpriced_items"], result["unpriced_models"]), (1, ["strange"]))
        self.assertIsNone(result["cost_usd"]["real_time"])

    def test_duration_under_the_limits(self):
        self.prompts(1000)
        result = self.own_server("--rpm", "100")
        self.assertEqual(result["duration_seconds"], {"low": 600, "high": 600, "bound_by": "rpm",
                                                      "latency_seconds": None})
        result = self.own_server("--rpm", "100", "--rpd", "400")
        self.assertEqual((result["duration_seconds"]["low"], result["duration_seconds"]["bound_by"]),
                         (2 * 86400, "rpd"))
        self.assertIsNone(self.own_server()["duration_seconds"]["low"])

    def test_broken_duplicate_and_done_lines(self):
        self.write("items.jsonl", '{"id":"a","prompt":"x"}\n{"id":"a","prompt":"x"}\nno json\n')
        result = self.own_server()
        self.assertEqual((result["items"]["to_do"], result["items"]["duplicates"], result["items"]["invalid"]),
                         (1, 1, 1))
        self.assertIn("items.jsonl:3", result["notes"][0])

    def test_identical_requests_are_counted_once(self):
        self.write("items.jsonl", "".join(json.dumps({"id": str(i), "prompt": "question %d" % (i % 4)}) + "\n"
                                          for i in range(20)))
        once = self.own_server("--max-tokens", "50", *PRICES)
        each = self.own_server("--max-tokens", "50", "--no-cache", *PRICES)
        self.assertEqual((once["items"]["to_do"], once["items"]["repeats"], each["items"]["repeats"]), (20, 16, 0))
        self.assertEqual(once["input_tokens"]["counted"] * 5, each["input_tokens"]["counted"])
        high = [result["cost_usd"]["real_time"]["high"] for result in (once, each)]
        self.assertAlmostEqual(high[0] * 5, high[1], delta=1e-9)
        self.assertAlmostEqual(once["cost_usd"]["saved"],
                               each["cost_usd"]["real_time"]["low"] * 0.8, delta=1e-9)
        self.assertIsNone(each["cost_usd"]["saved"])
        shown = self.call("estimate", "items.jsonl", "--base-url", "http://127.0.0.1:9/v1", "--model", "m", *PRICES)
        self.assertIn("16 identical requests are not paid again", shown.stdout)

    def test_stdin_and_compressed_input(self):
        lines = b'{"id":"a","prompt":"x"}\n{"id":"b","prompt":"y"}\n'
        result = self.estimate("--model", "openai/gpt-4o-mini", file="-", stdin=lines)
        self.assertEqual(result["items"]["to_do"], 2)

    def test_a_shared_prefix_that_the_provider_may_cache(self):
        self.prompts(100)
        self.write("system.txt", "Be brief and be exact in all that you say. " * 300)
        result = self.estimate("--model", "openai/gpt-4o-mini", "--system-file", "system.txt")
        shared = result["prompt_caching"]["shared_prefix_tokens"]
        self.assertGreater(shared, 1024)
        self.assertAlmostEqual(result["prompt_caching"]["saves_up_to_usd"], 99 * shared * 0.075e-6, places=9)
        self.assertIsNone(self.estimate("--model", "openai/gpt-4o-mini")["prompt_caching"]["saves_up_to_usd"])

    def test_embeddings_have_no_output(self):
        self.write_items("items.jsonl", [{"id": "a", "input": "some text"}, {"id": "b", "input": "more text"}])
        result = self.own_server("--endpoint", "embeddings", "--prompt", "{{input}}", *PRICES)
        self.assertEqual((result["output_tokens"]["basis"], result["output_tokens"]["high"]), ("none", 0))
        self.assertEqual(result["cost_usd"]["real_time"]["output"]["high"], 0)

    def test_an_estimate_does_not_rehearse(self):
        self.prompts(1)
        self.assertIn("--rehearse", self.call("estimate", "items.jsonl", "--rehearse", code=2).stderr)


class WithADatabase(EstimateCase):
    def test_what_is_done_is_not_counted_and_its_answers_are_used(self):
        server = self.simulate("--answer", "words:10")
        self.prompts(40)
        self.run_file(server, code=0)
        self.prompts(100)
        before = self.listing()
        result = self.estimate("--base-url", server.url, "--model", "m", *PRICES)
        self.assertEqual(self.listing(), before)
        self.assertEqual((result["items"]["to_do"], result["items"]["done_before"]), (60, 40))
        self.assertEqual((result["output_tokens"]["basis"], result["output_tokens"]["sample"]),
                         ("earlier_answers", 40))
        self.assertEqual(result["input_tokens"]["sample"], 40)
        self.assertIsNotNone(result["cost_usd"]["real_time"]["expected"])
        self.assertIsNotNone(result["duration_seconds"]["latency_seconds"])
        self.assertEqual(server.count(), 40)

    def test_the_database_of_another_job_is_left_out(self):
        server = self.simulate()
        self.prompts(5)
        self.run_file(server, code=0)
        result = self.estimate("--base-url", server.url, "--model", "other")
        self.assertEqual(result["items"]["to_do"], 5)
        self.assertIsNone(result["database"])
        self.assertIn("its model differs", result["notes"][0])

    def test_nothing_left(self):
        server = self.simulate()
        self.prompts(5)
        self.run_file(server, code=0)
        result = self.estimate("--base-url", server.url, "--model", "m", *PRICES)
        self.assertEqual((result["items"]["to_do"], result["cost_usd"]["real_time"]["high"]), (0, 0))
        self.assertIn("0 to do, 5 done before",
                      self.call("estimate", "items.jsonl", "--base-url", server.url, "--model", "m", code=0).stdout)


class Pilot(EstimateCase):
    def write_mixed(self, count):
        dice = random.Random(6)  # nine seeds of ten are within a 90 % interval
        self.write_items("items.jsonl", [{"id": "t-%d" % i,
                                          "prompt": " ".join(["word"] * dice.randint(3, 300) + [str(i)])}
                                         for i in range(count)])

    def pilot(self, server, items, *arguments, code=0):
        return self.estimate("--base-url", server.url, "--model", "m", "--pilot", str(items), *PRICES, *arguments,
                             code=code)

    def test_the_run_keeps_the_pilots_results_and_lies_within_its_interval(self):
        server = self.simulate("--answer", "words:30")
        self.write_mixed(600)
        result = self.pilot(server, 60)
        self.assertEqual(server.count(), 60)
        self.assertEqual((result["items"]["to_do"], result["items"]["done_before"]), (540, 60))
        self.assertEqual((result["output_tokens"]["basis"], result["output_tokens"]["sample"]), ("pilot", 60))
        seen = sorted(int(row["id"][2:]) for row in self.exported())
        self.assertEqual(len(seen), 60)
        self.assertGreater(seen[-1], 400, "the pilot is drawn from the whole file")
        spent = self.status()
        self.run_file(server, *PRICES, code=0)
        self.assertEqual(server.count(), 600, "no item is sent twice")
        total = self.status()
        for kind, name in (("input_tokens", "input_tokens"), ("output_tokens", "output_tokens")):
            rest = total["usage"][name] - spent["usage"][name]
            self.assertLessEqual(result[kind]["low"], rest, kind)
            self.assertGreaterEqual(result[kind]["high"], rest, kind)
        rest = total["cost_usd"]["spent"] - spent["cost_usd"]["spent"]
        self.assertLessEqual(result["cost_usd"]["real_time"]["low"], rest)
        self.assertGreaterEqual(result["cost_usd"]["real_time"]["high"], rest)

    def exported(self):
        text = self.call("export", "items.jsonl.llmbatch.db", code=0).stdout
        return [json.loads(line) for line in text.splitlines()]

    def status(self):
        return json.loads(self.call("status", "items.jsonl.llmbatch.db", "--json", code=0).stdout)

    def test_a_pilot_in_the_middle_of_a_job_loses_nothing(self):
        server = self.simulate()
        self.prompts(200)
        self.run_file(server, "--max-items", "50", code=4)
        self.pilot(server, 20)
        self.pilot(server, 20)
        self.assertEqual(server.count(), 90)
        self.run_file(server, code=0)
        self.assertEqual(server.count(), 200)
        self.assertEqual(self.status()["items"]["succeeded"], 200)

    def test_a_pilot_larger_than_the_file_does_it_all(self):
        server = self.simulate()
        self.prompts(10)
        result = self.pilot(server, 50)
        self.assertEqual((server.count(), result["items"]["to_do"]), (10, 0))

    def test_exit_codes_are_those_of_run(self):
        server = self.simulate("--errors", "filter=100%")
        self.prompts(30)
        result = self.pilot(server, 5, code=3)
        self.assertEqual(result["items"]["done_before"], 5)
        self.assertEqual(self.call("estimate", "items.jsonl", "--model", "openai/gpt-4o-mini", "--pilot", "5",
                                   "--db", "other.db").code, 2, "a pilot needs a key")
        self.assertFalse(os.path.exists(self.path("other.db")))

    def test_a_pilot_takes_the_lock_and_an_estimate_does_not(self):
        server = self.simulate("--latency", "30s")
        self.prompts(20)
        run = self.start_file(server)
        support.wait_for(lambda: server.count() >= 1 or not run.running(), "the first request")
        process = self.call("estimate", "items.jsonl", "--base-url", server.url, "--model", "m", "--pilot", "5", code=5)
        self.assertIn("llmbatch run", process.stderr)
        self.assertEqual(self.estimate("--base-url", server.url, "--model", "m")["items"]["to_do"], 20)
        run.end()


class Preflight(EstimateCase):
    def test_a_run_begins_with_one_line(self):
        server = self.simulate()
        self.prompts(50)
        process = self.run_file(server, "--rpm", "6000", *PRICES, code=0)
        lines = [line for line in process.stderr.splitlines() if "estimate:" in line]
        self.assertEqual(len(lines), 1, process.stderr)
        self.assertRegex(lines[0], r"tokens in.* out, at least \$0\.\d+, about 1s \(rpm limit\)")

    def test_an_unknown_price_is_said_to_be_unknown(self):
        server = self.simulate()
        self.prompts(50)
        process = self.run_file(server, code=0)
        self.assertIn("cost unknown", [line for line in process.stderr.splitlines() if "estimate:" in line][0])

    def test_not_with_quiet_and_not_for_an_unchanged_file(self):
        server = self.simulate()
        self.prompts(50)
        self.assertNotIn("estimate:", self.run_file(server, "--quiet", "--max-items", "10", code=4).stderr)
        self.assertNotIn("estimate:", self.run_file(server, code=0).stderr)


if __name__ == "__main__":
    support.main()
