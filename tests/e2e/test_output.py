"""export and status: the promised fields, the order of the input, pipes, files written whole."""

import csv
import io
import json
import os
import resource
import subprocess
import threading

import support

ITEM_FIELDS = ["id", "state", "output", "error", "model", "usage", "cost_usd", "attempts", "latency_ms",
               "finish_reason", "provider_request_id", "cached", "finished_at"]
USAGE_FIELDS = {"input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
                "estimated"}
STATUS_FIELDS = {
    "database", "model", "running", "items", "attempts", "retries", "usage", "cost_usd", "rate", "eta_seconds",
    "waiting_for", "error_rate", "cached", "started_at", "pause_reason", "batches"}
STATE_FIELDS = {"total", "pending", "in_flight", "submitted", "succeeded", "filtered", "flagged", "failed", "invalid"}


class Export(support.Case):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate("--answer", "echo", "--latency", "1-30ms")

    def mixed(self):
        self.write("items.jsonl", "".join(line + "\n" for line in [
            '{"id":"z-last","prompt":"say \\"1\\", ü\\nand 2"}',
            '{"id":"a-first","prompt":"[[sim:400]] no"}',
            'broken line',
            '{"id":"m-blocked","prompt":"[[sim:filter200]] no"}',
            '{"id":"flag","prompt":"[[sim:length]] hm hm hm hm"}',
            '{"id":"ok-2","prompt":"=1+1"}']))
        self.run_file(self.simulator, "--max-error-rate", "100%", "--concurrency", "8", code=3)

    def export(self, *arguments, code=0):
        return self.call("export", self.database(), *arguments, code=code).stdout

    def lines(self, *arguments):
        return [json.loads(line) for line in self.export(*arguments).splitlines()]

    def test_fields_and_order(self):
        self.mixed()
        lines = self.lines()
        self.assertEqual([(line["id"], line["state"]) for line in lines],
                         [("z-last", "succeeded"), ("a-first", "failed"), (None, "invalid"), ("m-blocked", "filtered"),
                          ("flag", "flagged"), ("ok-2", "succeeded")])
        for line in lines:
            self.assertEqual(list(line)[:len(ITEM_FIELDS)], ITEM_FIELDS)
            if line["usage"] is not None:
                self.assertEqual(set(line["usage"]), USAGE_FIELDS)
        good = lines[0]
        self.assertEqual(good["output"], 'say "1", ü\nand 2')
        self.assertIsNone(good["error"])
        self.assertEqual(good["attempts"], 1)
        self.assertIsNone(good["cost_usd"], "an unknown price is unknown, not 0")
        self.assertRegex(good["finished_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(lines[1]["error"]["class"], "invalid_request")
        self.assertEqual(lines[1]["error"]["http_status"], 400)
        self.assertIn("message", lines[1]["error"])
        self.assertIsNone(lines[1]["output"])

    def test_order_of_the_input_with_many_answers_out_of_order(self):
        ids = ["t-%d" % (i * 7919 % 1000) for i in range(1000)]
        self.write_items("items.jsonl", [{"id": i, "prompt": i} for i in ids])
        self.run_file(self.simulator, "--concurrency", "64", code=0)
        self.assertEqual([line["id"] for line in self.lines()], ids)
        self.write_items("items.jsonl", [{"id": i, "prompt": i} for i in sorted(ids)[:900]])
        self.run_file(self.simulator, code=0)
        self.assertEqual([line["id"] for line in self.lines()][:900], sorted(ids)[:900])
        self.assertEqual(len(self.lines()), 1000, "items that left the file come last")

    def test_csv(self):
        self.mixed()
        rows = list(csv.DictReader(io.StringIO(self.export("--format", "csv"))))
        self.assertEqual([row["id"] for row in rows], ["z-last", "a-first", "", "m-blocked", "flag", "ok-2"])
        self.assertEqual(rows[0]["output"], 'say "1", ü\nand 2')
        self.assertEqual(rows[1]["error.class"], "invalid_request")
        self.assertEqual(rows[0]["usage.output_tokens"], str(self.lines()[0]["usage"]["output_tokens"]))
        safe = list(csv.DictReader(io.StringIO(self.export("--format", "csv", "--csv-safe"))))
        self.assertFalse(safe[-1]["output"].startswith("="))

    def test_selection(self):
        self.mixed()
        self.assertEqual([line["id"] for line in self.lines("--state", "succeeded")], ["z-last", "ok-2"])
        self.assertEqual([line["id"] for line in self.lines("--state", "failed,filtered")], ["a-first", "m-blocked"])
        self.assertEqual(self.lines("--state", "succeeded", "--fields", "id,state")[0],
                         {"id": "z-last", "state": "succeeded"})
        self.assertEqual(self.export("--format", "csv", "--fields", "id,output").splitlines()[0], "id,output")
        self.call("export", self.database(), "--fields", "nonsense", code=2)
        self.call("export", self.database(), "--state", "nonsense", code=2)

    def test_pending_items(self):
        self.write_items("items.jsonl", [{"id": "a", "prompt": "[[sim:quota]] x"}, {"id": "b", "prompt": "y"}])
        self.run_file(self.simulator, "--concurrency", "1", code=4)
        self.assertEqual(self.lines(), [])
        self.assertEqual({(line["id"], line["state"]) for line in self.lines("--state", "pending")},
                         {("a", "pending"), ("b", "pending")})

    def test_with_input_request_and_response(self):
        self.mixed()
        line = self.lines("--with", "input,request,response", "--state", "succeeded")[0]
        original = line["input"] if isinstance(line["input"], dict) else json.loads(line["input"])
        self.assertEqual(original["id"], "z-last")
        request = line["request"] if isinstance(line["request"], dict) else json.loads(line["request"])
        self.assertEqual(request["messages"][0]["content"], 'say "1", ü\nand 2')
        response = line["response"] if isinstance(line["response"], dict) else json.loads(line["response"])
        self.assertEqual(response["choices"][0]["message"]["content"], 'say "1", ü\nand 2')

    def test_moved_input(self):
        self.mixed()
        os.rename(self.path("items.jsonl"), self.path("moved.jsonl"))
        line = self.lines("--with", "input", "--input", self.path("moved.jsonl"), "--state", "succeeded")[0]
        self.assertIn("z-last", json.dumps(line["input"]))

    def test_only_database_of_the_directory(self):
        self.mixed()
        self.assertEqual(len(self.call("export", code=0).stdout.splitlines()), 6)
        self.call("status", code=0)
        with open(self.path("second.jsonl.llmbatch.db"), "wb"):
            pass
        process = self.call("export", code=2)
        self.assertIn("items.jsonl.llmbatch.db", process.stderr)
        self.assertIn("second.jsonl.llmbatch.db", process.stderr)

    def test_no_database(self):
        self.call("export", code=2)
        self.call("status", "absent.db", code=2)
        self.assertFalse(os.path.exists(self.path("absent.db")))

    def test_output_file_is_written_whole_or_not_at_all(self):
        self.mixed()
        self.export("-o", "out.jsonl")
        with open(self.path("out.jsonl")) as file:
            self.assertEqual(file.read(), self.export())

        def limit_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))

        before = set(os.listdir(self.dir))
        done = subprocess.run([support.LLMBATCH, "export", self.database(), "-o", "out.jsonl"], cwd=self.dir,
                              env=self.env, capture_output=True, preexec_fn=limit_files, check=False)
        self.assertNotEqual(done.returncode, 0)
        with open(self.path("out.jsonl")) as file:
            self.assertEqual(file.read(), self.export(), "the old file is still there")
        leftovers = {name for name in set(os.listdir(self.dir)) - before if not name.startswith("run.")}
        if done.returncode > 0:
            self.assertEqual(leftovers - {"items.jsonl.llmbatch.db-shm", "items.jsonl.llmbatch.db-wal"}, set())

    def test_output_over_the_database_or_the_input_is_refused(self):
        self.mixed()
        before = self.export()
        os.symlink(self.database(), self.path("link"))
        for target in (self.database(), "link", "items.jsonl"):
            self.call("export", self.database(), "-o", target, code=2)
        self.assertEqual(self.export(), before)

    def test_head_ends_it_quietly(self):
        self.write_items("items.jsonl", [{"id": "t-%d" % i, "prompt": "x" * 2000 + str(i)} for i in range(500)])
        self.run_file(self.simulator, "--concurrency", "64", "--quiet", code=0)
        process = subprocess.Popen([support.LLMBATCH, "export", self.database()], cwd=self.dir, env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        first = process.stdout.readline()
        self.assertEqual(json.loads(first)["id"], "t-0")
        process.stdout.close()
        error = process.stderr.read()
        process.stderr.close()
        process.wait(20 * support.PATIENCE)
        self.assertEqual(error, b"")
        self.assertNotIn(process.returncode, (1, 2, -6, -11))

    def test_full_device_is_an_error(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        self.mixed()
        with open("/dev/full", "wb") as full:
            done = subprocess.run([support.LLMBATCH, "export", self.database()], cwd=self.dir, env=self.env,
                                  stdout=full, stderr=subprocess.PIPE, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(b"space", done.stderr)

    def test_large_answers_are_read_back(self):
        text = "wörter " * 40_000
        self.write_items("items.jsonl", [{"id": "big", "prompt": text}])
        self.run_file(self.simulator, code=0)
        line = self.lines("--with", "response")[0]
        self.assertEqual(line["output"], text)
        response = line["response"] if isinstance(line["response"], dict) else json.loads(line["response"])
        self.assertEqual(response["choices"][0]["message"]["content"], text)


class Status(support.Case):
    def status(self, *arguments):
        return json.loads(self.call("status", self.database(), "--json", *arguments, code=0).stdout)

    def test_fields(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": "a", "prompt": "x"}, {"id": "b", "prompt": "[[sim:400]]"},
                                         {"id": "c", "prompt": "[[sim:500,ok]]"}])
        self.run_file(simulator, code=3)
        status = self.status()
        self.assertEqual(set(status), STATUS_FIELDS)
        self.assertEqual(set(status["items"]), STATE_FIELDS)
        self.assertEqual(set(status["usage"]), USAGE_FIELDS)
        self.assertEqual(set(status["cost_usd"]), {"spent", "projected", "saved", "per_item"})
        self.assertEqual(set(status["rate"]), {"requests_per_minute", "tokens_per_minute"})
        self.assertEqual(status["items"], {"total": 3, "pending": 0, "in_flight": 0, "submitted": 0, "succeeded": 2,
                                           "filtered": 0, "flagged": 0, "failed": 1, "invalid": 0})
        self.assertEqual((status["attempts"], status["retries"]), (4, 1))
        self.assertFalse(status["running"])
        self.assertIsNone(status["pause_reason"])
        self.assertIsNone(status["cost_usd"]["spent"])

    def test_pause_reason(self):
        simulator = self.simulate("--quota-after", "1")
        self.prompts(5)
        self.run_file(simulator, "--concurrency", "1", code=4)
        self.assertIn("quota", self.status()["pause_reason"])

    def test_during_a_run_and_after_a_kill(self):
        simulator = self.simulate("--latency", "50ms")
        self.prompts(2000)
        process = self.start_file(simulator, "--concurrency", "4", "--quiet")
        first = support.wait_for(lambda: simulator.count() > 40 and self.status(), "40 requests")
        self.assertTrue(first["running"])
        self.assertEqual(first["items"]["total"], 2000)
        later = support.wait_for(lambda: (lambda s: s["items"]["succeeded"] > first["items"]["succeeded"] and s)(
            self.status()), "a fresher status", timeout=5, interval=0.2)
        self.assertIsNotNone(later["rate"]["requests_per_minute"])
        self.assertIsNotNone(later["eta_seconds"])
        process.popen.kill()
        process.wait()
        dead = self.status()
        self.assertFalse(dead["running"], "a killed run does not run")
        self.assertEqual(dead["items"]["succeeded"], self.state_counts()["succeeded"])

    def test_watch_ends_with_the_run(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def handler(request, connection):
            gate.wait(60)
            return support.answer(request, connection)

        server = self.server(handler)
        self.prompts(3)
        run = self.start_file(server)
        support.wait_for(lambda: server.count() == 3, "3 calls in flight")
        watch = self.start("status", self.database(), "--watch")
        support.wait_for(lambda: watch.stdout, "the first status")
        self.assertTrue(watch.running())
        gate.set()
        self.assertEqual(run.wait(), 0)
        self.assertEqual(watch.wait(10), 0)


if __name__ == "__main__":
    support.main()
