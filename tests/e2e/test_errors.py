"""Every kind of error: the state it ends in, the attempts it costs, the exit code of the run."""

import support

# script -> (state, error class or None for any, attempts)
TABLE = {
    "ok": ("succeeded", None, 1),
    "429=10ms,ok": ("succeeded", None, 2),
    "500,ok": ("succeeded", None, 2),
    "502,ok": ("succeeded", None, 2),
    "503,ok": ("succeeded", None, 2),
    "504,ok": ("succeeded", None, 2),
    "529,ok": ("succeeded", None, 2),
    "408,ok": ("succeeded", None, 2),
    "409,ok": ("succeeded", None, 2),
    "498,ok": ("succeeded", None, 2),
    "reset,ok": ("succeeded", None, 2),
    "cut,ok": ("succeeded", None, 2),
    "empty,ok": ("succeeded", None, 2),
    "truncated,ok": ("succeeded", None, 2),
    "nochoices,ok": ("succeeded", None, 2),
    "notjson,ok": ("succeeded", None, 2),
    "error200,ok": ("succeeded", None, 2),
    "429=10ms,500,ok": ("succeeded", None, 3),
    "blank": ("succeeded", None, 1),
    "nousage": ("succeeded", None, 1),
    "slow=300ms": ("succeeded", None, 1),
    "filter": ("filtered", "content_policy", 1),
    "filter200": ("filtered", "content_policy", 1),
    "refusal": ("filtered", "content_policy", 1),
    "empty": ("flagged", "malformed", 2),
    "truncated": ("flagged", "malformed", 2),
    "nochoices": ("flagged", "malformed", 2),
    "notjson": ("flagged", "malformed", 2),
    "length": ("flagged", "truncated", 1),
    "400": ("failed", "invalid_request", 1),
    "422": ("failed", "invalid_request", 1),
    "413": ("failed", "too_large", 1),
    "toolarge": ("failed", "too_large", 1),
    "context": ("failed", "context_length", 1),
    # Retries used up: three attempts with --max-retries 2.
    "500": ("failed", "server_error", 3),
    "502": ("failed", "server_error", 3),
    "503": ("failed", "overloaded", 3),
    "529": ("failed", "overloaded", 3),
    "reset": ("failed", "connection", 3),
    "error200": ("failed", "server_error", 3),
}
# A cut answer is connection trouble or malformed: either way it is tried again and never succeeds.
CUT = {"flagged", "failed"}


class Scripted(support.Case):
    def write_scripts(self, scripts):
        self.write_items("items.jsonl", [{"id": s, "prompt": "[[sim:%s]] please" % s} for s in scripts])

    def results(self):
        return {row[0]: row[1:] for row in self.query("select id, state, error, attempts from results")}


class ErrorTable(Scripted):
    def test_openai_chat(self):
        simulator = self.simulate()
        self.write_scripts(list(TABLE) + ["cut"])
        self.run_file(simulator, "--max-retries", "2", "--max-error-rate", "100%", code=3)
        results = self.results()
        for script, (state, error, attempts) in TABLE.items():
            with self.subTest(script):
                self.assertEqual(results[script], (state, error, attempts))
        self.assertIn(results["cut"][0], CUT)
        self.assertEqual(simulator.count(), sum(r[2] for r in results.values()),
                         "the server saw as many calls as were recorded")
        self.assertEqual(self.query("select count(*) from attempts"), [(simulator.count(),)])
        kept = dict(self.query("select attempt_log.id, count(response) from attempt_log join attempts using (seq, number) "
                               "where attempt_log.http_status is not null group by attempt_log.id"))
        for script in ("ok", "400", "filter", "refusal", "nochoices", "notjson", "truncated", "length"):
            self.assertGreater(kept[script], 0, "the raw answer of %s is kept" % script)
        # Nothing but a whole answer is a success.
        self.assertEqual(self.query("select count(*) from results where state = 'succeeded' and "
                                    "(output is null or output = '')"), [(0,)])

    def test_no_retries_at_all(self):
        simulator = self.simulate()
        scripts = ["500,ok", "429=10ms,ok", "empty,ok", "reset,ok", "cut,ok", "hang,ok", "filter", "ok"]
        self.write_scripts(scripts)
        self.run_file(simulator, "--max-retries", "0", "--max-error-rate", "100%", "--timeout", "1", code=3)
        self.assertEqual(simulator.count(), len(scripts), "--max-retries 0 forbids every further attempt")
        states = self.states()
        self.assertEqual(states["ok"], "succeeded")
        self.assertEqual(states["filter"], "filtered")
        self.assertEqual(states["empty,ok"], "flagged")
        for script in ("500,ok", "429=10ms,ok", "reset,ok", "hang,ok"):
            self.assertEqual(states[script], "failed", script)

    def test_truncated_is_tried_again_when_asked(self):
        simulator = self.simulate()
        self.write_scripts(["length,ok", "length"])
        self.run_file(simulator, "--retry-truncated", "--max-error-rate", "100%", code=3)
        self.assertEqual(self.results(), {"length,ok": ("succeeded", None, 2),
                                          "length": ("flagged", "truncated", 2)})

    def test_rate_limit_answers_do_not_use_up_the_retries(self):
        simulator = self.simulate("--latency", "20ms")
        self.write_items("items.jsonl", [{"id": "unlucky", "prompt": "[[sim:429=1ms,429=1ms,429=1ms,ok]]"}] +
                         [{"id": "t-%d" % i, "prompt": "say %d" % i} for i in range(1500)])
        self.run_file(simulator, "--max-retries", "1", "--concurrency", "8", code=0, timeout=90)
        self.assertEqual(self.results()["unlucky"], ("succeeded", None, 4))

    def test_provider_that_only_limits_does_not_hold_the_run_for_ever(self):
        simulator = self.simulate()
        self.write_scripts(["429=1ms"])
        self.run_file(simulator, "--max-retries", "1", "--max-error-rate", "100%", code=3, timeout=60)
        state, error, attempts = self.results()["429=1ms"]
        self.assertEqual((state, error), ("failed", "rate_limited"))
        self.assertLessEqual(attempts, 4)

    def test_everything_in_the_middle_of_a_mix(self):
        simulator = self.simulate("--errors", "500=5%,cut=3%,reset=3%,empty=3%,notjson=2%,429:5ms=3%", "--seed", "4")
        self.prompts(300)
        process = self.run_file(simulator, "--max-error-rate", "100%", "--concurrency", "64")
        self.assertIn(process.code, (0, 3), process.stderr)
        counts = self.state_counts()
        self.assertEqual(sum(counts.values()), 300)
        self.assertEqual(self.query("select count(*) from attempts"), [(simulator.count(),)])
        self.assertEqual(self.query("select count(*) from results where state = 'succeeded' and "
                                    "coalesce(output, '') = ''"), [(0,)])


class Pauses(support.Case):
    def pending_left(self, total):
        finished = sum(self.state_counts().values())
        self.assertLess(finished, total, "the others stay pending")
        return total - finished

    def test_quota(self):
        simulator = self.simulate("--quota-after", "20")
        self.prompts(200)
        process = self.run_file(simulator, "--concurrency", "4", code=4)
        self.assertRegex(process.stderr, "quota|billing")
        self.assertEqual(self.state_counts(), {"succeeded": 20})
        self.assertLess(simulator.count(), 30, "nothing more is sent")
        self.run_file(self.simulate(name="paid"), code=0)
        self.assert_all_succeeded(200)

    def test_wrong_key(self):
        simulator = self.simulate("--require-key", "sk-right-0001")
        self.prompts(100)
        process = self.run_file(simulator, "--concurrency", "4", env={"LLMBATCH_API_KEY": "sk-wrong-0002"}, code=4)
        self.assertRegex(process.stderr, "authentication|API key")
        self.assertNotIn("sk-wrong-0002", process.stderr)
        self.assertLessEqual(simulator.count(), 4)
        self.assertEqual(self.states(), {})
        self.run_file(simulator, env={"LLMBATCH_API_KEY": "sk-right-0001"}, code=0)
        self.assert_all_succeeded(100)

    def test_forbidden(self):
        simulator = self.simulate()
        self.prompts(5, text="[[sim:403]] %d")
        self.run_file(simulator, code=4)
        self.assertEqual(self.states(), {})

    def test_unknown_model_of_the_job(self):
        simulator = self.simulate("--unknown-model", "nonesuch")
        self.prompts(100)
        process = self.run_file(simulator, "--concurrency", "4", model="nonesuch", code=4)
        self.assertIn("nonesuch", process.stderr)
        self.assertLessEqual(simulator.count(), 4)
        self.assertEqual(self.states(), {})

    def test_unknown_model_of_an_item(self):
        simulator = self.simulate("--unknown-model", "nonesuch")
        self.write_items("items.jsonl", [{"id": "a", "prompt": "x"}, {"id": "b", "prompt": "x", "model": "nonesuch"}])
        self.run_file(simulator, "--max-error-rate", "100%", code=3)
        self.assertEqual(self.states(), {"a": "succeeded", "b": "failed"})

    def test_error_rate(self):
        simulator = self.simulate("--latency", "5ms")
        self.write_items("items.jsonl", [
            {"id": "t-%d" % i, "prompt": ("[[sim:400]] %d" if i % 5 == 0 else "say %d") % i} for i in range(600)])
        process = self.run_file(simulator, "--concurrency", "4", code=4)
        self.assertIn("invalid_request", process.stderr.replace(" ", "_"), "names the commonest errors")
        self.pending_left(600)
        self.assertLess(simulator.count(), 100, "judged from 50 items on")
        self.assertGreaterEqual(simulator.count(), 50)

    def test_error_rate_as_a_warning(self):
        simulator = self.simulate()
        self.prompts(120, text="[[sim:400]] %d")
        self.run_file(simulator, "--on-error-rate", "warn", code=3)
        self.assertEqual(self.state_counts(), {"failed": 120})

    def test_error_rate_switched_off(self):
        simulator = self.simulate()
        self.prompts(120, text="[[sim:400]] %d")
        self.run_file(simulator, "--max-error-rate", "100%", code=3)
        self.assertEqual(self.state_counts(), {"failed": 120})

    def test_requests_of_a_day(self):
        simulator = self.simulate()
        self.prompts(20)
        process = self.run_file(simulator, "--rpd", "7", code=4)
        self.assertEqual(simulator.count(), 7)
        self.assertRegex(process.stderr, r"\d\d:\d\d", "names the time")
        self.run_file(simulator, "--rpd", "7", code=4)
        self.assertEqual(simulator.count(), 7, "counted in the database, over all runs")
        self.run_file(simulator, code=0)
        self.assert_all_succeeded(20)

    def test_item_larger_than_the_token_limit_fails_at_once(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": "big", "prompt": "word " * 20_000}, {"id": "small", "prompt": "hi"}])
        self.run_file(simulator, "--tpm", "5000", "--max-tokens", "10", code=3, timeout=60)
        self.assertEqual(self.states()["big"], "failed")
        self.assertNotIn(self.states()["small"], ("failed", "invalid"))


class WireFormatErrors(Scripted):
    """The same table over the other protocols."""

    def other(self, url, *arguments):
        simulator = self.simulate()
        scripts = ["429=10ms,ok", "529,ok", "filter200", "refusal", "filter", "empty", "truncated", "nochoices",
                   "notjson", "length", "400", "context"]
        self.write_scripts(scripts)
        self.call("run", "items.jsonl", "--base-url", simulator.origin + url, "--model", "m", "--max-retries", "2",
                  "--max-error-rate", "100%", *arguments, code=3)
        results = self.results()
        for script in scripts:
            with self.subTest(script):
                self.assertEqual(results[script], TABLE[script])

    def test_openai_responses(self):
        self.other("/v1", "--endpoint", "responses")

    def test_anthropic(self):
        self.other("/v1", "--wire-format", "anthropic")

    def test_gemini(self):
        self.other("/v1beta", "--wire-format", "gemini")


if __name__ == "__main__":
    support.main()
