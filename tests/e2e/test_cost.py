"""Prices: the table, its overrides."""

import json

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


if __name__ == "__main__":
    support.main()
