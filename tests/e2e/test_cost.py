"""Prices, the bill of a job, and the limits of cost, items and time."""

import json
import signal
import urllib.request

import support


class PriceTable(support.Case):
    def models(self, *arguments, **options):
        return json.loads(self.call("models", "--json", *arguments, code=0, **options).stdout)

    def test_the_table_has_prices_limits_and_its_date(self):
        table = self.models("gpt-4o-mini")
        self.assertEqual(table["as_of"][:10], "2026-11-23")
        self.assertEqual(table["unit"], "USD per 1,000,000 tokens")
        self.assertEqual(len(table["models"]), 1)
        model = table["models"][0]
        self.assertEqual((model["model"], model["input"], model["cached_input"], model["output"]),
                         ("openai/gpt-4o-mini", 0.15, 0.075, 0.6))
        self.assertEqual((model["batch_input"], model["context"], model["max_output"]), (0.075, 128000, 16384))
        self.assertIn("OpenAI price page", model["source"])

    def test_what_a_flat_price_cannot_say(self):
        text = self.call("models", code=0).stdout
        self.assertIn("as of 2026-11-23", text)
        self.assertEqual(len(text.splitlines()), 62)
        lines = {line.split()[0]: line for line in text.splitlines()}
        self.assertIn("over 272,000 in: x2 / x2 / x1.5; cache writes x1.25", lines["openai/gpt-6-luna"])
        self.assertIn("x2 at 01:00-04:00 and 06:00-10:00 UTC Mon-Fri", lines["deepseek/deepseek-flash"])
        self.assertIn("from 2027-01-01: 1.5 / 0.15 / 7.5", lines["gemini/gemini-3.6-flash"])
        self.assertIn("cache writes x1.25 (1 h: x2)", lines["anthropic/claude-haiku-4-5"])
        deepseek = self.models("deepseek-flash")["models"][0]
        self.assertEqual(deepseek["peak"], {"multiplier": 2, "weekdays_only": True,
                                            "utc": ["01:00-04:00", "06:00-10:00"]})
        self.assertIsNone(deepseek["batch_input"])

    def test_an_unknown_model_is_said_to_be_unknown(self):
        process = self.call("models", "no-such-model", code=0)
        self.assertEqual(process.stdout, "")
        self.assertIn("unknown", process.stderr)
        self.assertEqual(self.models("no-such-model")["models"], [])

    def test_a_file_goes_over_the_table(self):
        self.write("own.json", '{"models":[{"provider":"vllm","id":"mine","input":0.02,"output":0.123456789},'
                               '{"provider":"openai","id":"gpt-4o","output":9}]}')
        text = self.call("models", "--price-file", "own.json", "mine", code=0).stdout
        self.assertIn("with own.json", text)
        self.assertIn("0.123456789", text)
        table = self.models("gpt-4o", env={"LLMBATCH_PRICE_FILE": "own.json"})
        self.assertEqual([(m["input"], m["output"]) for m in table["models"]], [(2.5, 9), (0.15, 0.6)])

    def test_a_wrong_file_is_named_with_place_and_value(self):
        self.write("own.json", '{"models":[{"provider":"vllm","id":"mine","input":"cheap","output":1}]}')
        process = self.call("models", "--price-file", "own.json", code=2)
        self.assertIn('own.json: models[0] (vllm/mine): input: "cheap" is not a price', process.stderr)
        self.write("own.json", "{")
        self.assertIn("own.json: not JSON", self.call("models", "--price-file", "own.json", code=2).stderr)
        self.assertIn("absent.json", self.call("models", "--price-file", "absent.json", code=2).stderr)


class Bill(support.Case):
    """Runs against the simulator, which sums up the usage that it reports, as gpt-4o-mini."""

    INPUT, OUTPUT = 150_000, 600_000  # pico-dollars per token

    def bill(self, simulator):
        """What the provider would charge, in pico-dollars, whatever became of its answers."""
        with urllib.request.urlopen(simulator.origin + "/stats") as reply:
            stats = json.load(reply)
        return stats["input_tokens"] * self.INPUT + stats["output_tokens"] * self.OUTPUT

    def setUp(self):
        super().setUp()
        self.env["OPENAI_API_KEY"] = "sk-test-0123456789"

    def run_priced(self, simulator, *arguments, start=False, model="gpt-4o-mini", **options):
        how = self.start_file if start else self.run_file
        return how(simulator, "--provider", "openai", *arguments, model=model, **options)

    def status(self):
        return json.loads(self.call("status", self.database(), "--json", code=0).stdout)

    def spent(self):
        return self.query("select cost_pico from progress")[0][0]


class Cost(Bill):
    def test_every_place_tells_the_same_sum(self):
        simulator = self.simulate("--errors", "429=5%,500=5%", "--latency", "5ms")
        self.prompts(200)
        process = self.run_priced(simulator, "--progress", "json", "--progress-items", code=0)
        bill = self.bill(simulator)
        self.assertGreater(bill, 0)
        self.assertEqual(self.spent(), bill)
        self.assertEqual(self.query("select sum(cost_pico) from attempts"), [(bill,)])
        self.assertEqual(self.query("select sum(cost_pico) from items"), [(bill,)])
        self.assertEqual(self.query("select cost_pico from runs"), [(bill,)])
        cost = self.status()["cost_usd"]
        self.assertAlmostEqual(cost["spent"], bill / 1e12, places=12)
        self.assertEqual(cost["projected"], cost["spent"])
        self.assertAlmostEqual(cost["per_item"], bill / 200 / 1e12, places=11)
        events = [json.loads(line) for line in process.stderr.splitlines()]
        self.assertAlmostEqual(events[-1]["cost_usd"]["spent"], bill / 1e12, places=12)
        items = [event["cost_usd"] for event in events if event["type"] == "item_finished"]
        self.assertAlmostEqual(sum(items), bill / 1e12, places=12)
        exported = self.call("export", self.database(), code=0).stdout.splitlines()
        self.assertAlmostEqual(sum(json.loads(line)["cost_usd"] for line in exported), bill / 1e12, places=12)

    def test_status_and_summary_show_it(self):
        simulator = self.simulate()
        self.prompts(3)
        process = self.run_priced(simulator, code=0)
        self.assertRegex(process.stderr, r"cost +\$0\.0000\d+, \$0\.0000\d+ per item\n")
        self.assertRegex(process.stderr, r"3/3 done .* \$0\.0000\d+ so far, \$0\.0000\d+ per item")
        text = self.call("status", self.database(), code=0).stdout
        self.assertRegex(text, r"cost +\$0\.0000\d+ so far, \$0\.0000\d+ per item")

    def test_an_item_with_a_model_of_its_own_costs_that_models_price(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": "a", "prompt": "x", "max_tokens": 5},
                                         {"id": "b", "prompt": "x", "model": "gpt-4o", "max_tokens": 5},
                                         {"id": "c", "prompt": "x", "model": "gpt-4o-mini-2024-07-18", "max_tokens": 5},
                                         {"id": "d", "prompt": "x", "model": "no-such", "max_tokens": 5}])
        self.run_priced(simulator)
        rows = self.query("select i.id, a.input_tokens, a.output_tokens, a.cost_pico from items i"
                          " join attempts a on a.id = i.last_attempt")
        prices = {"a": (150_000, 600_000), "b": (2_500_000, 10_000_000), "c": (150_000, 600_000)}
        for item, tokens_in, tokens_out, cost in rows:
            expected = None
            if item in prices:
                expected = tokens_in * prices[item][0] + tokens_out * prices[item][1]
            self.assertEqual(cost, expected, item)
        self.assertEqual(len(rows), 4)
        status = self.status()["cost_usd"]
        self.assertIsNone(status["spent"], "one unknown price makes the sum unknown")
        self.assertIsNone(status["projected"])
        self.assertIn("unknown, at least $0.0", self.call("status", self.database(), code=0).stdout)

    def test_prices_given_for_the_job(self):
        simulator = self.simulate()
        self.prompts(4)
        self.run_file(simulator, "--price-input", "3", "--price-output", "15", code=0)
        (tokens_in, tokens_out), = self.query("select input_tokens, output_tokens from progress")
        self.assertEqual(self.spent(), tokens_in * 3_000_000 + tokens_out * 15_000_000)

    def test_half_a_price_is_refused(self):
        simulator = self.simulate()
        self.prompts(1)
        self.assertIn("--price-output", self.run_file(simulator, "--price-input", "3", code=2).stderr)
        self.assertIn("--price-input", self.run_file(simulator, "--price-input", "three", code=2).stderr)
        self.assertEqual(simulator.count(), 0)

    def test_a_price_file_for_a_server_of_ones_own(self):
        simulator = self.simulate()
        self.prompts(2)
        self.write("own.json", '{"models":[{"provider":"custom","id":"m","input":1,"output":2}]}')
        self.run_file(simulator, "--price-file", "own.json", code=0)
        (tokens_in, tokens_out), = self.query("select input_tokens, output_tokens from progress")
        self.assertEqual(self.spent(), tokens_in * 1_000_000 + tokens_out * 2_000_000)

    def test_estimated_usage_is_told_as_such(self):
        def handler(_request, connection):
            connection.sendall(support.reply(support.completion(usage=None)))
            return True
        server = self.server(handler)
        self.prompts(3)
        process = self.run_priced(server, code=0)
        self.assertIn("(partly estimated)", process.stderr)
        self.assertTrue(self.status()["usage"]["estimated"])
        self.assertIn("(partly estimated)", self.call("status", self.database(), code=0).stdout)
        exported = [json.loads(line) for line in self.call("export", self.database(), code=0).stdout.splitlines()]
        self.assertTrue(all(line["usage"]["estimated"] and line["cost_usd"] > 0 for line in exported))

    def test_an_unknown_price_stays_unknown(self):
        simulator = self.simulate()
        self.prompts(2)
        process = self.run_file(simulator, code=0)
        self.assertIn("unknown (no price for m)", process.stderr)
        self.assertIn("cost unknown", process.stderr)
        self.assertEqual(self.status()["cost_usd"],
                         {"spent": None, "projected": None, "saved": None, "per_item": None})
        self.assertEqual(self.query("select cost_pico from runs"), [(None,)])
        self.assertNotIn("$", process.stderr)


class MaxCost(Bill):
    def test_an_unknown_price_is_a_configuration_error(self):
        simulator = self.simulate()
        self.prompts(2)
        process = self.run_file(simulator, "--max-cost", "1", code=2)
        self.assertIn("custom/m", process.stderr)
        self.assertIn("--price-input", process.stderr)
        self.assertEqual(simulator.count(), 0)

    def test_the_limit_is_not_passed_with_errors_and_retries(self):
        simulator = self.simulate("--errors", "429=10%,500=10%", "--latency", "10ms")
        self.prompts(600)
        arguments = ["--max-tokens", "40", "--concurrency", "32"]
        limit = 4_000_000_000  # $0.004
        process = self.run_priced(simulator, "--max-cost", "0.004", *arguments, code=4)
        self.assertLessEqual(self.bill(simulator), limit)
        self.assertGreater(self.bill(simulator), limit * 0.95)
        self.assertEqual(self.spent(), self.bill(simulator))
        self.assertRegex(process.stderr, r"--max-cost \$0\.004 would be passed: \$0\.003\d* spent; \d+ of 600 items are"
                                         r" done, the next call may cost up to \$0\.0000\d+, the other \d+ about \$")
        # The limit is the job's: another run sends nothing.
        count = simulator.count()
        self.run_priced(simulator, "--max-cost", "0.004", *arguments, code=4)
        self.assertEqual(simulator.count(), count)
        self.assertEqual(self.status()["pause_reason"][:10], "--max-cost")
        self.run_priced(simulator, "--max-cost", "1", *arguments, code=0)
        self.assertEqual(self.spent(), self.bill(simulator))
        self.assert_all_succeeded(600)

    def test_the_limit_is_not_passed_across_kills(self):
        simulator = self.simulate("--errors", "429=3%,500=3%", "--latency", "40ms")
        self.prompts(2000)
        limit = 6_000_000_000
        arguments = ["--max-tokens", "40", "--concurrency", "8", "--max-cost", "0.006", "--quiet"]
        kills = 0
        for number in range(12):
            before = simulator.count()
            process = self.run_priced(simulator, *arguments, start=True)
            # Kills come after some calls of this run, at other places of the commits each time.
            support.wait_for(lambda: simulator.count() >= before + 5 + number or not process.running(), "calls")
            if not process.running():
                break
            process.send(signal.SIGKILL)
            process.wait()
            kills += 1
            self.assertLessEqual(self.bill(simulator), limit)
        self.assertGreaterEqual(kills, 5, "too few kills to prove anything")
        self.run_priced(simulator, *arguments, code=4)
        self.assertLessEqual(self.bill(simulator), limit)
        self.assertGreater(self.bill(simulator), limit // 3)
        (cost, ceiling), = self.query("select cost_pico, cost_ceiling_pico from progress")
        self.assertLessEqual(self.bill(simulator), ceiling)
        self.assertLessEqual(ceiling, limit)
        self.assertLessEqual(cost, self.bill(simulator))

    def test_an_item_that_is_larger_than_what_is_left(self):
        simulator = self.simulate()
        self.prompts(3)
        process = self.run_priced(simulator, "--max-cost", "0.000001", "--max-tokens", "1000", code=4)
        self.assertEqual(simulator.count(), 0)
        self.assertIn("0 of 3 items are done", process.stderr)

    def test_a_line_with_a_model_of_unknown_price_pauses(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": "a", "prompt": "x", "model": "no-such"}])
        process = self.run_priced(simulator, "--max-cost", "1", code=4)
        self.assertIn("line 1: the price of model 'no-such' is unknown", process.stderr)
        self.assertEqual(simulator.count(), 0)


class MaxItemsAndDuration(Bill):
    def test_max_items(self):
        simulator = self.simulate()
        self.prompts(10)
        process = self.run_file(simulator, "--max-items", "4", code=4)
        self.assertIn("--max-items: 4 items were taken up", process.stderr)
        self.assertEqual(simulator.count(), 4)
        self.run_file(simulator, "--max-items", "4", code=4)
        self.run_file(simulator, "--max-items", "4", code=0)
        self.assertEqual(simulator.count(), 10)
        self.assert_all_succeeded(10)

    def test_max_duration(self):
        simulator = self.simulate()
        self.prompts(1000)
        process = self.run_file(simulator, "--rpm", "600", "--max-duration", "1.5s", code=4)
        self.assertIn("--max-duration 1.5s is over", process.stderr)
        done = self.state_counts()["succeeded"]
        self.assertEqual(done, simulator.count())
        self.assertLess(done, 1000)
        self.assertGreater(done, 3)


if __name__ == "__main__":
    support.main()
