"""Identical requests are paid once: within a run and across runs."""

import collections
import json
import os
import random
import signal

import support


def exported(case, *arguments, file="items.jsonl"):
    process = case.call("export", case.database(file), *arguments, code=0)
    return [json.loads(line) for line in process.stdout.splitlines()]


class WithinARun(support.Case):
    def test_each_request_is_sent_once(self):
        simulator = self.simulate("--answer", "echo", "--latency", "20ms")
        choice = random.Random(3)
        items = [{"id": "t-%d" % i, "prompt": "say %d" % choice.randrange(50)} for i in range(1000)]
        self.write_items("items.jsonl", items)
        process = self.run_file(simulator, code=0)
        self.assertEqual(simulator.count(), 50)
        results = exported(self)
        self.assertEqual([r["output"] for r in results], [i["prompt"] for i in items])
        self.assertEqual(sum(r["cached"] for r in results), 950)
        self.assertIn("950", process.stderr)
        for result in results:
            expected = (0, 0) if result["cached"] else (1, None)
            self.assertEqual((result["attempts"], result["cost_usd"]), expected)
            self.assertEqual(result["model"], "m")
            self.assertEqual(result["finish_reason"], "stop")
            self.assertGreater(result["usage"]["output_tokens"], 0)
            self.assertEqual(result["latency_ms"] is None, result["cached"])
        status = json.loads(self.call("status", self.database(), "--json", code=0).stdout)
        self.assertEqual((status["cached"], status["attempts"]), (950, 50))
        self.assertEqual(self.query("select count(*) from attempts"), [(50,)])

    def test_no_cache_sends_every_one(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": i, "prompt": "same"} for i in range(20)])
        self.run_file(simulator, "--no-cache", code=0)
        self.assertEqual(simulator.count(), 20)
        self.assertEqual([r["cached"] for r in exported(self)], [False] * 20)
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"late","prompt":"same"}\n')
        self.run_file(simulator, "--no-cache", code=0)
        self.assertEqual(simulator.count(), 21)
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"later","prompt":"same"}\n')
        self.run_file(simulator, code=0)
        self.assertEqual(simulator.count(), 21, "answers of a run without the cache are good for later ones")

    def test_another_model_or_parameter_is_another_request(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [
            {"id": 1, "prompt": "same"}, {"id": 2, "prompt": "same", "temperature": 0.5},
            {"id": 3, "prompt": "same", "model": "other"}, {"id": 4, "prompt": "same", "note": "not sent"}])
        self.run_file(simulator, code=0)
        self.assertEqual(simulator.count(), 3)
        self.assertEqual([r["cached"] for r in exported(self)], [False, False, False, True])

    def test_every_wire_format(self):
        simulator = self.simulate()
        items = [{"id": i, "prompt": "same"} for i in range(5)]
        for number, (arguments, lines) in enumerate([
                (["--base-url", simulator.url, "--endpoint", "responses"], items),
                (["--base-url", simulator.url, "--endpoint", "embeddings"],
                 [{"custom_id": str(i), "method": "POST", "url": "/v1/embeddings",
                   "body": {"model": "m", "input": "same"}} for i in range(5)]),
                (["--base-url", simulator.url, "--wire-format", "anthropic"], items),
                (["--base-url", simulator.origin + "/v1beta", "--wire-format", "gemini"], items)]):
            file = "items%d.jsonl" % number
            self.write_items(file, lines)
            before = simulator.count()
            self.call("run", file, "--model", "m", *arguments, code=0)
            self.assertEqual(simulator.count() - before, 1, arguments)
            results = exported(self, file=file)
            self.assertEqual(len({json.dumps(r["output"]) for r in results}), 1)
            self.assertEqual(sum(r["cached"] for r in results), 4)

    def test_stdin(self):
        simulator = self.simulate("--answer", "echo")
        text = "".join('{"id":%d,"prompt":"say %d"}\n' % (i, i % 7) for i in range(200)).encode()
        self.call("run", "-", "--db", "s.db", "--base-url", simulator.url, "--model", "m", stdin=text, code=0)
        self.assertEqual(simulator.count(), 7)
        lines = support.query(self.path("s.db"), "select input from items order by seq")
        self.assertEqual(lines[199][0], '{"id":199,"prompt":"say 3"}', "each item keeps its own line")

    def test_problems_are_not_taken_over(self):
        simulator = self.simulate()
        for script, state, calls in [("refusal", "filtered", 3), ("length", "flagged", 3),
                                     ("400", "failed", 3)]:
            file = script + ".jsonl"
            self.write_items(file, [{"id": i, "prompt": "[[sim:%s]]" % script} for i in range(3)])
            before = simulator.count()
            self.run_file(simulator, "--max-retries", "0", "--max-error-rate", "100%", file=file, code=3)
            self.assertEqual(simulator.count() - before, calls, script)
            self.assertEqual(self.state_counts(self.database(file)), {state: 3})

    def test_leader_that_fails_is_followed_by_another(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": i, "prompt": "[[sim:400,ok]]"} for i in range(30)])
        self.run_file(simulator, code=3)
        self.assertEqual(simulator.count(), 2)
        self.assertEqual(self.state_counts(), {"failed": 1, "succeeded": 29})
        self.run_file(simulator, "--retry", "failed", code=0)
        self.assertEqual(simulator.count(), 2, "the failed one takes the answer of the others")
        self.assert_all_succeeded(30)


class AcrossRuns(support.Case):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate("--answer", "echo")

    def sent_by(self, *arguments, server=None, **options):
        before = self.simulator.count()
        options.setdefault("code", 0)
        self.last = self.run_file(server or self.simulator, *arguments, **options)
        return self.simulator.count() - before

    def test_new_lines_with_known_requests_are_not_sent(self):
        self.prompts(10)
        self.assertEqual(self.sent_by(), 10)
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"a","prompt":"say 3"}\n{"id":"b","prompt":"say 11"}\n{"id":"c","prompt":"say 11"}\n')
        self.assertEqual(self.sent_by(), 1)
        results = {r["id"]: r for r in exported(self)}
        self.assertEqual(results["a"]["output"], "say 3")
        self.assertTrue(results["a"]["cached"])
        self.assertEqual(results["c"]["output"], "say 11")

    def test_answers_of_lines_that_are_gone_are_good(self):
        self.prompts(10)
        self.sent_by()
        self.write_items("items.jsonl", [{"id": "new-%d" % i, "prompt": "say %d" % i} for i in range(1, 11)])
        self.assertEqual(self.sent_by(), 0)
        self.assertEqual(len(exported(self)), 20)

    def test_edited_line_takes_over_what_it_now_repeats(self):
        items = [{"id": "t-%d" % i, "prompt": "say %d" % i} for i in range(1, 11)]
        self.write_items("items.jsonl", items)
        self.sent_by()
        items[4]["prompt"] = "say 2"
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 0)
        result = exported(self)[4]
        self.assertEqual((result["output"], result["cached"], result["attempts"]), ("say 2", True, 1))
        items[4]["prompt"] = "say something new"
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 1)
        result = exported(self)[4]
        self.assertEqual((result["output"], result["cached"]), ("say something new", False))

    def test_another_base_url_is_another_endpoint(self):
        self.prompts(5)
        self.sent_by()
        other = self.simulate("--answer", "text", name="other")
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"a","prompt":"say 3"}\n{"id":"b","prompt":"say 3"}\n')
        self.run_file(other, code=0)
        self.assertEqual(other.count(), 1)
        self.assertEqual(self.simulator.count(), 5)
        self.assertEqual([r["cached"] for r in exported(self)[5:]], [False, True])

    def test_a_profile_is_one_endpoint_whatever_its_url(self):
        self.prompts(5)
        env = {"OPENAI_API_KEY": "k"}
        arguments = ["run", "items.jsonl", "--provider", "openai", "--model", "m", "--base-url"]
        self.call(*arguments, self.simulator.url, env=env, code=0)
        other = self.simulate(name="other")
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"a","prompt":"say 3"}\n')
        self.call(*arguments, other.url, env=env, code=0)
        self.assertEqual(other.count(), 0)

    def test_kill_and_resume_sends_no_committed_request_again(self):
        simulator = self.simulate("--answer", "echo", "--latency", "5-60ms", name="slow")
        choice = random.Random(11)
        items = [{"id": "t-%d" % i, "prompt": "say %d" % choice.randrange(400)} for i in range(3000)]
        self.write_items("items.jsonl", items)
        for round_number in range(4):
            process = self.start_file(simulator, "--concurrency", "8")
            done = 60 * (round_number + 1)
            support.wait_for(lambda: simulator.count() >= done or not process.running(), "some calls")
            process.send(signal.SIGKILL)
            process.popen.wait()
            self.assert_sound()
        self.run_file(simulator, "--concurrency", "8", code=0)
        sent = collections.Counter(r["id_hint"] for r in simulator.requests())
        self.assertEqual(len(sent), len({i["prompt"] for i in items}))
        # What a kill can repeat: calls in flight and answers not yet committed, 16 at most.
        self.assertLessEqual(simulator.count() - len(sent), 4 * 16, sent.most_common(3))
        self.assertEqual([r["output"] for r in exported(self)], [i["prompt"] for i in items])
        self.assertEqual(self.sent_by(server=simulator), 0)

    def test_unchanged_file_goes_on_with_what_it_knows(self):
        items = [{"id": i, "prompt": "say %d" % (i % 5)} for i in range(50)]
        items.insert(3, {"id": "q", "prompt": "[[sim:quota,ok]]"})
        self.write_items("items.jsonl", items)
        self.sent_by("--concurrency", "1", code=4)
        self.assertLess(self.query("select count(*) from results")[0][0], 51)
        before = self.simulator.count()
        self.assertEqual(self.sent_by("--concurrency", "1"), 7 - before)
        self.assert_all_succeeded(51)

    def test_touched_and_shuffled_files_send_nothing(self):
        items = [{"id": "t-%d" % i, "prompt": "say %d" % (i % 5)} for i in range(50)]
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 5)
        random.Random(1).shuffle(items)
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 0)
        os.utime(self.path("items.jsonl"))
        self.assertEqual(self.sent_by(), 0)
        self.assertEqual([r["id"] for r in exported(self)], [i["id"] for i in items])


class CacheFile(support.Case):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate("--answer", "echo")

    def sent_by(self, file, *arguments, server=None, code=0):
        server = server or self.simulator
        before = server.count()
        self.last = self.run_file(server, "--cache", "shared.cache", *arguments, file=file, code=code)
        return server.count() - before

    def test_answers_are_shared_by_jobs(self):
        self.prompts(10, "a.jsonl")
        self.write_items("b.jsonl", [{"id": i, "prompt": "say %d" % (i % 12)} for i in range(60)])
        self.assertEqual(self.sent_by("a.jsonl"), 10)
        self.assertEqual(self.sent_by("b.jsonl"), 2)
        results = exported(self, "--with", "response", file="b.jsonl")
        self.assertEqual([r["output"] for r in results], ["say %d" % (i % 12) for i in range(60)])
        self.assertEqual(sum(r["cached"] for r in results), 58)
        for result in results:
            self.assertEqual(result["attempts"], 0 if result["cached"] else 1)
            self.assertIn("say", json.dumps(result["response"]))
            self.assertGreater(result["usage"]["output_tokens"], 0)
        database = self.database("b.jsonl")
        self.assertEqual(self.query("select attempts, cached from progress", database=database), [(2, 58)])
        self.assertEqual(os.stat(self.path("shared.cache")).st_mode & 0o777, 0o600)
        self.assertEqual(self.sent_by("b.jsonl"), 0)

    def test_a_lost_database_is_not_paid_again(self):
        self.prompts(10)
        self.sent_by("items.jsonl")
        os.remove(self.database())
        self.assertEqual(self.sent_by("items.jsonl"), 0)
        self.assert_all_succeeded(10)

    def test_problems_are_not_shared(self):
        for file in ("a.jsonl", "b.jsonl"):
            self.write_items(file, [{"id": 1, "prompt": "[[sim:refusal]]"}, {"id": 2, "prompt": "[[sim:length]]"}])
            self.assertEqual(self.sent_by(file, code=3), 2)

    def test_another_server_is_another_endpoint(self):
        other = self.simulate(name="other")
        self.prompts(5, "a.jsonl")
        self.prompts(5, "b.jsonl")
        self.sent_by("a.jsonl")
        self.assertEqual(self.sent_by("b.jsonl", server=other), 5)

    def test_runs_at_the_same_time(self):
        choice = random.Random(2)
        processes = []
        for number in range(4):
            items = [{"id": i, "prompt": "say %d" % choice.randrange(300)} for i in range(1000)]
            self.write_items("f%d.jsonl" % number, items)
            processes.append(self.start_file(self.simulator, "--cache", "shared.cache",
                                             file="f%d.jsonl" % number))
        for process in processes:
            self.assertEqual(process.wait(), 0, process.stderr)
        self.assert_sound(self.path("shared.cache"))
        stored = self.query("select count(*) from answers", database=self.path("shared.cache"))[0][0]
        self.assertEqual(stored, len({r["id_hint"] for r in self.simulator.requests()}))

    def test_unusable_files_are_refused_before_anything_is_sent(self):
        self.prompts(3)
        self.call("run", "items.jsonl", "--db", "job.db", "--base-url", self.simulator.url, "--model", "m", code=0)
        before = self.simulator.count()
        self.write("text.cache", "nothing of the kind\n" * 1000)
        os.mkdir(self.path("directory.cache"))
        for name in ("text.cache", "directory.cache", "job.db", "missing/x.cache"):
            process = self.run_file(self.simulator, "--cache", name, code=2)
            self.assertIn(name, process.stderr)
        self.run_file(self.simulator, "--cache", "x.cache", "--no-cache", code=2)
        self.call("run", "items.jsonl", "--rehearse", "--cache", "x.cache", code=2)
        self.assertEqual(self.simulator.count(), before)
        self.assertFalse(os.path.exists(self.path("x.cache")))

    def test_a_full_disk_of_the_cache_does_not_end_the_run(self):
        os.mkdir(self.path("small"))
        self.mount(self.path("small"), "-t", "tmpfs", "-o", "size=128k", "none")
        self.write_items("items.jsonl", [{"id": i, "prompt": "%d %s" % (i, os.urandom(1500).hex())}
                                         for i in range(200)])
        process = self.run_file(self.simulator, "--cache", "small/shared.cache", code=0)
        self.assert_all_succeeded(200)
        self.assertEqual(process.stderr.count("not added to any more"), 1, process.stderr)


class PromptCache(support.Case):
    SHARED = "Rule: answer in one word. " * 400

    def usage(self):
        return self.query("select sum(cache_write_tokens > 0), sum(cached_input_tokens > 0), count(*) from attempts")[0]

    def run_marked(self, simulator, *arguments, code=0):
        return self.call("run", "items.jsonl", "--base-url", simulator.url, "--wire-format", "anthropic",
                         "--model", "m", "--prompt-cache", "--concurrency", "16", *arguments, code=code)

    def test_the_prefix_is_written_once_and_read_by_all_others(self):
        simulator = self.simulate("--latency", "100ms")
        self.prompts(60)
        self.write("system.txt", self.SHARED)
        self.run_marked(simulator, "--system-file", "system.txt")
        self.assertEqual(self.usage(), (1, 59, 60))

    def test_the_beginning_of_a_template_is_a_prefix(self):
        simulator = self.simulate("--latency", "100ms")
        self.write_items("items.jsonl", [{"id": i, "subject": "mail %d" % i} for i in range(40)])
        self.write("prompt.txt", self.SHARED + "Mail: {{subject}}")
        self.run_marked(simulator, "--prompt-file", "prompt.txt")
        self.assertEqual(self.usage(), (1, 39, 40))
        body = json.loads(self.call("export", self.database(), "--with", "request", code=0).stdout.splitlines()[3])
        blocks = body["request"]["messages"][0]["content"]
        self.assertEqual(blocks[0]["text"], self.SHARED + "Mail: ")
        self.assertEqual(blocks[1], {"type": "text", "text": "mail 3"})

    def test_without_the_option_nothing_is_marked(self):
        simulator = self.simulate()
        self.prompts(5)
        self.write("system.txt", self.SHARED)
        self.call("run", "items.jsonl", "--base-url", simulator.url, "--wire-format", "anthropic", "--model", "m",
                  "--system-file", "system.txt", code=0)
        self.assertEqual(self.usage(), (0, 0, 5))
        process = self.run_marked(simulator, "--system-file", "system.txt", code=2)
        self.assertIn("prompt-cache", process.stderr, "the marks are part of the job")

    def test_a_first_request_that_fails_lets_the_others_go(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": 0, "prompt": "[[sim:400]]"}] +
                         [{"id": i, "prompt": "say %d" % i} for i in range(1, 20)])
        self.write("system.txt", self.SHARED)
        self.run_marked(simulator, "--system-file", "system.txt", code=3)
        self.assertEqual(self.usage(), (1, 18, 20))

    def test_where_it_cannot_work_it_says_so(self):
        simulator = self.simulate()
        self.prompts(3)
        process = self.run_file(simulator, "--prompt-cache", "--system", "x", code=2)
        self.assertIn("--prompt-cache", process.stderr)
        process = self.run_marked(simulator, "--prompt", "{{prompt}} and more", code=2)
        self.assertIn("begin with nothing they share", process.stderr)
        self.assertEqual(simulator.count(), 0)


if __name__ == "__main__":
    support.main()
