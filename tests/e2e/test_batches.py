"""Provider batches: every provider, every ending, and that nothing is paid twice."""

import json
import os
import signal
import urllib.request

import support

# Provider, path of the base URL, further arguments.
PROVIDERS = [
    ("openai", "/v1", []),
    ("openai", "/v1", ["--endpoint", "responses"]),
    ("azure", "/azure/openai/v1", []),
    ("groq", "/openai/v1", []),
    ("together", "/together/v1", []),
    ("mistral", "/mistral/v1", []),
    ("anthropic", "", ["--max-tokens", "100"]),
    ("anthropic", "", ["--max-tokens", "100", "--anthropic-version", "2026-10-21"]),
    ("gemini", "/v1beta", []),
]
KEYS = {"openai": "OPENAI_API_KEY", "azure": "AZURE_OPENAI_API_KEY", "groq": "GROQ_API_KEY",
        "together": "TOGETHER_API_KEY", "mistral": "MISTRAL_API_KEY", "anthropic": "ANTHROPIC_API_KEY",
        "gemini": "GEMINI_API_KEY"}


class BatchCase(support.Case):
    def batch_server(self, *arguments, latency="300ms"):
        return self.simulate("--batch-latency", latency, *arguments)

    def run_batch(self, server, *arguments, base="/v1", provider=None, **options):
        command = ["run", "items.jsonl", "--base-url", server.origin + base, "--model", "m"]
        if "--via realtime" not in " ".join(arguments):
            command += ["--via", "batch", "--poll-interval", "0.1"]
        if provider:
            command += ["--provider", provider]
            options["env"] = dict(options.get("env") or {}, **{KEYS[provider]: "test-key"})
        return self.call(*command, *arguments, **options)

    def stats(self, server):
        with urllib.request.urlopen(server.origin + "/stats") as reply:
            return json.load(reply)

    def assert_paid_once(self, server, lines=None):
        stats = self.stats(server)
        self.assertEqual(stats["answered_again"], 0, stats)
        if lines is not None:
            self.assertEqual(stats["batch_lines_answered"], lines, stats)
        return stats


class Providers(BatchCase):
    def test_every_provider_answers_as_in_real_time(self):
        for provider, base, arguments in PROVIDERS:
            with self.subTest(provider=provider, arguments=arguments):
                self.compare_with_real_time(provider, base, arguments)

    def compare_with_real_time(self, provider, base, arguments):
        server = self.batch_server("--seed=1")
        items = [{"id": "say \"%d\" / é" % i, "prompt": "say %d" % i} for i in range(1, 8)]
        items += [{"id": "filter", "prompt": "[[sim:filter]]"}, {"id": "bad", "prompt": "[[sim:400]]"},
                  {"id": "short", "prompt": "[[sim:length]]"}, {"id": "refused", "prompt": "[[sim:refusal]]"}]
        self.write_items("items.jsonl", items)
        wanted = None
        for way in (["--via", "realtime"], []):
            database = self.path("%s%d.db" % (provider, len(way)))
            if os.path.exists(database):
                os.unlink(database)
            self.run_batch(server, *arguments, *way, "--db", database, "--max-error-rate", "100", base=base,
                           provider=provider, code=3)
            found = self.query("select id, state, output, error, input_tokens, output_tokens, finish_reason "
                               "from results order by id", database=database)
            wanted = wanted or found
            self.assertEqual(found, wanted)
        self.assertEqual(len(wanted), len(items))

    def test_embeddings(self):
        server = self.batch_server()
        self.write_items("items.jsonl", [
            {"custom_id": str(i), "url": "/v1/embeddings", "body": {"model": "m", "input": ["a %d" % i, "b"]}}
            for i in range(30)])
        self.run_batch(server, "--endpoint", "embeddings", code=0)
        self.assert_all_succeeded(30)
        self.assert_paid_once(server, 30)

    def test_no_batches_there(self):
        self.prompts(1)
        process = self.call("run", "items.jsonl", "--provider", "deepseek", "--model", "m", "--via", "batch",
                            env={"DEEPSEEK_API_KEY": "k"}, code=2)
        self.assertIn("it has no Batch API", process.stderr)


class Splitting(BatchCase):
    def test_batch_size(self):
        server = self.batch_server()
        self.prompts(25)
        self.run_batch(server, "--batch-size", "10", code=0)
        stats = self.assert_paid_once(server, 25)
        self.assertEqual((stats["files_uploaded"], stats["batches_created"]), (3, 3))
        self.assertEqual(self.query("select requests from batch_log order by number"), [(10,), (10,), (5,)])

    def test_bytes(self):
        # Groq takes files of 100 MB.
        server = self.batch_server()
        self.write_items("items.jsonl", [{"id": i, "prompt": "%d " % i + "x" * 1_000_000} for i in range(110)])
        self.run_batch(server, base="/openai/v1", provider="groq", code=0, timeout=120)
        sizes = [row[0] for row in self.query("select bytes from batches order by number")]
        self.assertEqual(len(sizes), 2)
        self.assertLessEqual(max(sizes), 100_000_000)
        self.assertGreater(sizes[0], 98_000_000)
        self.assert_paid_once(server, 110)

    def test_embedding_inputs(self):
        # 50,000 inputs at most, of all requests together.
        server = self.batch_server("--embedding-dimensions", "2")
        self.write_items("items.jsonl", [
            {"custom_id": str(i), "url": "/v1/embeddings",
             "body": {"model": "m", "input": ["%d %d" % (i, k) for k in range(2000)]}} for i in range(26)])
        self.run_batch(server, "--endpoint", "embeddings", code=0, timeout=120)
        self.assertEqual(self.query("select requests from batches order by number"), [(25,), (1,)])
        self.assert_paid_once(server, 26)

    def test_one_model_per_batch(self):
        server = self.batch_server()
        self.write_items("items.jsonl", [{"id": i, "prompt": "p %d" % i, "model": "m%d" % (i % 2)}
                                         for i in range(10)])
        self.run_batch(server, code=0)
        self.assertEqual(self.assert_paid_once(server, 10)["batches_created"], 2)
        self.assert_all_succeeded(10)

    def test_queue_full(self):
        for provider, base, arguments in PROVIDERS:
            if provider == "mistral":
                continue  # no word for it is known
            with self.subTest(provider):
                server = self.batch_server("--batch-faults", "queue-full*2")
                self.prompts(6)
                database = self.path("x.db")
                process = self.run_batch(server, *arguments, "--batch-size", "3", "--db", database, base=base,
                                         provider=provider)
                self.assertEqual(process.code, 0, process.stderr)
                self.assertIn("queue is full", process.stderr)
                self.assert_all_succeeded(6, database)
                self.assert_paid_once(server, 6)
                os.unlink(database)

    def test_identical_requests_are_paid_once(self):
        server = self.batch_server()
        self.write_items("items.jsonl", [{"id": i, "prompt": "p %d" % (i % 4)} for i in range(20)])
        self.run_batch(server, "--batch-size", "3", code=0)
        self.assert_all_succeeded(20)
        self.assert_paid_once(server, 4)


class Endings(BatchCase):
    def ends(self, faults, *arguments, count=12, code=0, server_arguments=()):
        server = self.batch_server("--batch-faults", faults, *server_arguments)
        self.prompts(count)
        process = self.run_batch(server, *arguments, code=code)
        if code == 0:
            self.assert_all_succeeded(count)
        return server, process

    def test_lost_answers_and_bad_moments(self):
        # Most of the time is spent waiting for lists that may be behind: they all wait together.
        for faults in ("lost-upload", "lost-create", "refuse-create", "poll-500*2,poll-429", "redirect",
                       "reset-download", "cut-download*3", "lost-upload,lost-create,cut-download"):
            self.prompts(12)
            runs = [self.start_with_faults(number, faults) for number in range(len(PROVIDERS))]
            for provider, server, database, process in runs:
                with self.subTest(faults=faults, provider=provider):
                    self.assertEqual(process.wait(), 0, process.stderr)
                    self.assert_all_succeeded(12, database)
                    stats = self.assert_paid_once(server, 12)
                    self.assertEqual(stats["batches_created"], 1)
                    self.assertEqual(stats["files_uploaded"], 0 if provider == "anthropic" else 1)
                server.stop()
                os.unlink(database)

    def start_with_faults(self, number, faults):
        provider, base, arguments = PROVIDERS[number]
        server = self.simulate("--batch-latency", "300ms", "--batch-faults", faults, name="sim%d" % number)
        database = self.path("%d.db" % number)
        process = self.start("run", "items.jsonl", "--base-url", server.origin + base, "--provider", provider,
                             "--model", "m", "--via", "batch", "--poll-interval", "0.1", "--db", database, *arguments,
                             env={KEYS[provider]: "test-key"})
        return provider, server, database, process

    def test_batches_of_others_are_given_back(self):
        # No tag, the same number of requests, the same minute: only the custom ids tell whose a batch is.
        server = self.simulate("--batch-latency", "500ms", "--batch-faults", "lost-create*4")
        runs = []
        for name in ("one", "two", "three", "four"):
            self.prompts(12, name=name + ".jsonl", text=name + " %d")
            runs.append(self.start("run", name + ".jsonl", "--base-url", server.origin, "--provider", "anthropic",
                                   "--model", "m", "--via", "batch", "--poll-interval", "0.1",
                                   env={"ANTHROPIC_API_KEY": "k"}))
        for run in runs:
            self.assertEqual(run.wait(), 0, run.stderr)
        for name in ("one", "two", "three", "four"):
            self.assert_all_succeeded(12, self.database(name + ".jsonl"))
        self.assertEqual(self.assert_paid_once(server, 48)["batches_created"], 4)
        self.assertTrue(any("is not this one" in run.stderr for run in runs))

    def test_all_expired_goes_into_the_next_batch(self):
        server, process = self.ends("all-expired")
        self.assertEqual(self.assert_paid_once(server, 12)["batches_created"], 2)
        self.assertIn("12 without an answer", process.stderr)

    def test_three_batches_at_most(self):
        server, _ = self.ends("all-expired*9", "--max-error-rate", "100", code=3)
        self.assertEqual(self.stats(server)["batches_created"], 3)
        self.assertEqual(self.state_counts(), {"failed": 12})

    def test_some_expire(self):
        server = self.batch_server("--batch-expire", "40%")
        self.prompts(50)
        self.run_batch(server, code=0)
        self.assert_all_succeeded(50)
        self.assertEqual(self.assert_paid_once(server, 50)["batches_created"], 2)

    def test_then_realtime(self):
        server = self.batch_server("--batch-expire", "40%")
        self.prompts(50)
        self.run_batch(server, "--then", "realtime", code=0)
        self.assert_all_succeeded(50)
        stats = self.assert_paid_once(server)
        self.assertEqual(stats["batches_created"], 1)
        self.assertLess(stats["batch_lines_answered"], 50)
        self.assertEqual(stats["answered_bodies"], 50)

    def test_no_output_file(self):
        server, _ = self.ends("no-output")
        self.assertEqual(self.assert_paid_once(server, 12)["batches_created"], 2)

    def test_missing_and_zero_lines(self):
        server = self.batch_server()
        self.write_items("items.jsonl", [{"id": "a", "prompt": "a [[sim:batch-missing,ok]]"},
                                         {"id": "b", "prompt": "b [[sim:batch-zero,ok]]"},
                                         {"id": "c", "prompt": "c [[sim:batch-expired,ok]]"},
                                         {"id": "d", "prompt": "d"}])
        self.run_batch(server, code=0)
        self.assert_all_succeeded(4)
        self.assert_paid_once(server)

    def test_rejected_whole(self):
        server, process = self.ends("fail-validation", code=3)
        self.assertEqual(self.query("select id from results where state = 'failed'"), [("t-2",)])
        self.assertEqual(self.state_counts(), {"failed": 1, "succeeded": 11})
        self.assert_paid_once(server, 11)
        self.assertIn("batch 1", process.stderr)

    def test_rejected_at_once(self):
        server, process = self.ends("reject-create", code=4)
        self.assertIn("This batch is not acceptable.", process.stderr)
        self.assertEqual(self.stats(server)["batches_created"], 0)
        self.run_batch(server, code=0)
        self.assert_all_succeeded(12)
        self.assertEqual(self.assert_paid_once(server, 12)["files_uploaded"], 1)

    def test_results_are_gone(self):
        server, process = self.ends("gone", code=4)
        self.assertIn("batches forget 1", process.stderr)

    def test_unknown_batch_refuses_the_run(self):
        server = self.batch_server(latency="20s")
        self.prompts(12)
        self.run_batch(server, "--no-wait", code=6)
        support.change(self.database(), "update batches set submitted_ms = submitted_ms - 3600000")
        other = self.batch_server()
        process = self.run_batch(other, code=2)
        self.assertIn("do not know", process.stderr)
        self.assertEqual(self.stats(other)["batches_created"], 0)

    def test_failures_are_classified_and_tried_again(self):
        server = self.batch_server()
        self.write_items("items.jsonl", [{"id": "slow", "prompt": "x [[sim:429,500,ok]]"},
                                         {"id": "no", "prompt": "y [[sim:400]]"},
                                         {"id": "policy", "prompt": "z [[sim:filter]]"}])
        self.run_batch(server, "--max-error-rate", "100", code=3)
        self.assertEqual(self.states(), {"slow": "succeeded", "no": "failed", "policy": "filtered"})

    def test_checks_and_second_questions(self):
        server = self.batch_server("--answer", "classify:spam,ham")
        self.write_items("items.jsonl", [{"id": "a", "prompt": "a"}, {"id": "b", "prompt": "b [[sim:badanswer]]"},
                                         {"id": "c", "prompt": "c [[sim:stubborn]]"}])
        self.run_batch(server, "--choices", "spam,ham", "--max-error-rate", "100", code=3)
        states = self.states()
        self.assertEqual((states["a"], states["b"]), ("succeeded", "succeeded"))
        self.assertEqual(states["c"], "flagged")


class Waiting(BatchCase):
    def test_no_wait_is_a_cron_line(self):
        server = self.batch_server(latency="1s")
        self.prompts(10)
        first = self.run_batch(server, "--no-wait", code=6)
        self.assertIn("in progress", first.stdout + first.stderr)
        self.run_batch(server, "--no-wait", code=6)
        self.prompts(15)
        support.wait_for(lambda: self.run_batch(server, "--no-wait").code == 0, "the last batch", interval=0.3)
        self.assert_all_succeeded(15)
        self.assertEqual(self.assert_paid_once(server, 15)["batches_created"], 2)

    def test_real_time_leaves_alone_what_is_in_a_batch(self):
        server = self.batch_server(latency="2s")
        self.prompts(10)
        self.run_batch(server, "--no-wait", code=6)
        self.prompts(14)
        self.run_file(server, code=6)
        self.assertEqual(self.stats(server)["answered_bodies"], 4)
        support.wait_for(lambda: self.run_file(server).code == 0, "the batch", interval=0.3)
        self.assert_all_succeeded(14)
        self.assert_paid_once(server, 10)

    def test_interrupt_leaves_them_running(self):
        server = self.batch_server(latency="3s")
        self.prompts(10)
        process = self.start_file(server, "--via", "batch", "--poll-interval", "0.1")
        support.wait_for(lambda: self.stats(server)["batches_created"] == 1, "the batch")
        support.wait_for(lambda: "submitted as" in process.stderr, "its id")
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130)
        self.assertIn("1 batch goes on at the provider", process.stderr)
        self.run_batch(server, code=0)
        self.assert_all_succeeded(10)
        self.assertEqual(self.assert_paid_once(server, 10)["batches_created"], 1)

    def test_cancel_on_interrupt(self):
        server = self.batch_server(latency="4s")
        self.prompts(40)
        process = self.start_file(server, "--via", "batch", "--poll-interval", "0.1", "--cancel-on-interrupt")
        support.wait_for(lambda: "submitted as" in process.stderr, "the batch")
        support.wait_for(lambda: self.query("select 1 from batch_log where provider_state = 'in_progress'"),
                         "its beginning")
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130)
        self.assertEqual(self.stats(server)["batches_cancelled"], 1)
        self.run_batch(server, code=0)
        self.assert_all_succeeded(40)
        self.assert_paid_once(server, 40)

    def test_another_key_only_warns(self):
        server = self.batch_server(latency="500ms")
        self.prompts(5)
        self.run_batch(server, "--no-wait", env={"LLMBATCH_API_KEY": "one"}, code=6)
        process = self.run_batch(server, env={"LLMBATCH_API_KEY": "two"}, code=0)
        self.assertIn("another API key", process.stderr)

    def test_finish_by_takes_the_rest_in_real_time(self):
        server = self.batch_server(latency="60s")
        self.prompts(30)
        # In eleven minutes: what is not there ten minutes before is cancelled.
        deadline = support.rfc3339_in(10 * 60 + 12)
        self.run_batch(server, "--finish-by", deadline, code=0, timeout=120)
        self.assert_all_succeeded(30)
        stats = self.assert_paid_once(server)
        self.assertEqual(stats["batches_cancelled"], 1)
        self.assertLess(stats["batch_lines_answered"], 30)

    def test_auto_takes_real_time_when_time_is_short(self):
        server = self.batch_server()
        self.prompts(5)
        process = self.call("run", "items.jsonl", "--base-url", server.url, "--model", "m", "--via", "auto",
                            "--finish-by", support.rfc3339_in(300), code=0)
        self.assertIn("--via auto: real time", process.stderr)
        self.assertEqual(self.stats(server)["batches_created"], 0)

    def test_times_that_are_none(self):
        self.prompts(1)
        for text, reason in (("25:00", "neither a time of day"), ("2020-01-01T00:00:00Z", "is over"),
                             ("soon", "neither a time of day")):
            process = self.call("run", "items.jsonl", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--via",
                                "batch", "--finish-by", text, code=2)
            self.assertIn(reason, process.stderr)

    def test_flags_for_batches_are_not_ignored_in_real_time(self):
        # A cron line whose --via batch got lost would pay twice as much as it says.
        server = self.batch_server()
        self.prompts(1)
        for flags in (["--no-wait"], ["--then", "realtime"], ["--finish-by", "07:00"], ["--batch-size", "5"],
                      ["--poll-interval", "9"], ["--cancel-on-interrupt"]):
            process = self.run_batch(server, "--via", "realtime", *flags, code=2)
            self.assertIn("%s: only with --via batch" % flags[0], process.stderr)
        self.assertEqual(self.stats(server)["requests"], 0)
        # In a configuration they are preferences for the runs that use batches.
        self.write("llmbatch.toml", '[run]\nno-wait = true\nbatch-size = 5\nthen = "realtime"\n')
        self.run_batch(server, "--via", "realtime", code=0)

    def test_max_cost_counts_what_is_in_batches(self):
        server = self.batch_server()
        self.prompts(60)
        # At half the price 100 tokens out cost at most 0.05 each: 5 of them fit beside nothing else.
        self.write("prices.json", json.dumps({"models": [{
            "provider": "custom", "id": "m", "input": 0, "output": 1000, "batch_input": 0, "batch_output": 500}]}))
        process = self.run_batch(server, "--max-tokens", "100", "--batch-size", "5", "--max-cost", "0.30",
                                 "--price-file", "prices.json", code=4)
        self.assertIn("--max-cost", process.stderr)
        paid = self.query("select sum(cost_usd) from results")[0][0]
        self.assertLessEqual(paid, 0.30)
        self.assertGreater(len(self.states()), 0)


if __name__ == "__main__":
    support.main()
