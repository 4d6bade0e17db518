"""`llmbatch batches`: list, show, cancel and forget against a provider; files for engines elsewhere."""

import gzip
import json
import os
import pty
import signal
import subprocess
import urllib.request

import support
from test_batches import KEYS, PROVIDERS

DATABASE = "items.jsonl.llmbatch.db"


class CommandCase(support.Case):
    def submit(self, server, *arguments, base="/v1", provider=None, code=6):
        command = ["run", "items.jsonl", "--base-url", server.origin + base, "--model", "m", "--via", "batch",
                   "--poll-interval", "0.1", "--no-wait", *arguments]
        return self.call(*command, *self.way(provider), env=self.key(provider), code=code)

    def stats(self, server):
        with urllib.request.urlopen(server.origin + "/stats") as reply:
            return json.load(reply)

    def way(self, provider):
        return ["--provider", provider] if provider else []

    def key(self, provider):
        return {KEYS[provider]: "test-key"} if provider else {}

    def batches(self):
        return json.loads(self.call("batches", "list", "items.jsonl", "--json", code=0).stdout)["batches"]

    def counts(self):
        status = json.loads(self.call("status", DATABASE, "--json", code=0).stdout)
        return {name: count for name, count in status["items"].items() if count and name != "total"}

    def results(self):
        text = self.call("export", DATABASE, code=0).stdout
        return {line["id"]: line for line in map(json.loads, text.splitlines())}


class Cancel(CommandCase):
    def test_every_provider_ends_its_batch(self):
        for provider, base, arguments in PROVIDERS:
            with self.subTest(provider=provider, arguments=arguments):
                server = self.simulate("--batch-latency", "60s")
                self.prompts(4)
                self.submit(server, *arguments, base=base, provider=provider)
                extra = arguments if "--anthropic-version" in arguments else []
                if "--max-tokens" in extra:
                    extra = extra[2:]
                process = self.call("batches", "cancel", "1", "--base-url", server.origin + base, *extra,
                                    env=self.key(provider), code=0)
                self.assertIn("batch 1: cancelled, it is ", process.stderr)
                self.assertTrue(self.batches()[0]["cancel_asked"])
                for name in os.listdir(self.dir):
                    if name.startswith(DATABASE):
                        os.remove(self.path(name))

    def test_what_was_answered_is_collected_by_the_next_run(self):
        server = self.simulate("--batch-latency", "6s")
        self.prompts(20)
        self.submit(server)
        support.wait_for(lambda: self.look(server) > 4, "answers at the provider")
        self.call("batches", "cancel", "all", "--base-url", server.url, code=0)
        self.call("run", "items.jsonl", "--base-url", server.url, "--model", "m", "--poll-interval", "0.1", "--via",
                  "batch", "--then", "realtime", code=0)
        self.assertEqual(self.counts(), {"succeeded": 20})
        batch = self.batches()[0]
        self.assertEqual(batch["answered"] + batch["unanswered"], 20)
        self.assertGreater(batch["answered"], 0)
        self.assertGreater(batch["unanswered"], 0)

    def look(self, server):
        self.submit(server)
        counts = self.batches()[0]["provider_counts"]
        return counts["succeeded"] if counts else 0

    def test_what_never_left_is_given_back(self):
        self.prompts(3)
        nobody = "http://127.0.0.1:9/v1"
        self.call("run", "items.jsonl", "--base-url", nobody, "--model", "m", "--via", "batch", "--no-wait",
                  "--poll-interval", "0.1", code=4)
        self.assertEqual(self.counts(), {"submitted": 3})
        process = self.call("batches", "cancel", "1", "--base-url", nobody, code=0)
        self.assertIn("given up before it was submitted", process.stderr)
        self.assertEqual(self.counts(), {"pending": 3})
        self.assertEqual(self.batches()[0]["stage"], "discarded")

    def test_an_unreachable_provider_is_a_failure(self):
        server = self.simulate("--batch-latency", "60s")
        self.prompts(3)
        self.submit(server)
        server.stop()
        process = self.call("batches", "cancel", "1", "--base-url", server.url, code=1)
        self.assertIn("batch 1 could not be cancelled: ", process.stderr)
        self.assertFalse(self.batches()[0]["cancel_asked"])

    def test_a_create_without_an_answer_is_looked_for_first(self):
        server = self.simulate("--batch-latency", "60s", "--batch-faults", "lost-create")
        self.prompts(3)
        run = self.start("run", "items.jsonl", "--base-url", server.url, "--model", "m", "--via", "batch",
                         "--poll-interval", "60")
        support.wait_for(lambda: self.stats(server)["batches_created"] == 1, "the create call")
        run.send(signal.SIGKILL)
        run.wait()
        process = self.call("batches", "cancel", "1", "--base-url", server.url, code=0)
        self.assertIn("found at the provider as", process.stderr)
        self.assertIn("batch 1: cancelled", process.stderr)

    def test_a_job_that_a_run_holds(self):
        server = self.simulate("--batch-latency", "60s")
        self.prompts(3)
        self.start("run", "items.jsonl", "--base-url", server.url, "--model", "m", "--via", "batch")
        support.wait_for(lambda: os.path.exists(self.path(DATABASE)) and self.batches(), "the batch")
        self.call("batches", "cancel", "1", "--base-url", server.url, code=5)
        self.call("batches", "forget", "1", "--yes", code=5)

    def test_another_provider_is_refused(self):
        server = self.simulate("--batch-latency", "60s")
        self.prompts(3)
        self.submit(server, provider="openai")
        process = self.call("batches", "cancel", "1", "--provider", "groq", env=self.key("openai"), code=2)
        self.assertIn("--provider: 'groq' is not where this job's batches are (openai)", process.stderr)


class Forget(CommandCase):
    def test_items_are_sent_again(self):
        server = self.simulate("--batch-latency", "60s")
        self.prompts(3)
        self.submit(server)
        process = self.call("batches", "forget", "1", code=2)
        self.assertIn("3 requests are at the provider as batch_", process.stderr)
        self.assertEqual(self.counts(), {"submitted": 3})
        self.call("batches", "forget", "1", "--yes", code=0)
        self.assertEqual(self.counts(), {"pending": 3})
        self.call("run", "items.jsonl", "--base-url", server.url, "--model", "m", code=0)
        self.assertEqual(self.counts(), {"succeeded": 3})
        self.assertEqual([name for name in os.listdir(self.dir) if ".batch-" in name], [])

    def answer_on_a_terminal(self, answer):
        master, slave = pty.openpty()
        process = subprocess.Popen([support.LLMBATCH, "batches", "forget", "1"], cwd=self.dir, env=self.env,
                                   stdin=slave, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        os.write(master, answer)
        _, told = process.communicate(timeout=20)
        os.close(master)
        os.close(slave)
        self.assertIn(b"forget batch 1? [y/N]", told)
        return process.returncode

    def test_a_terminal_is_asked(self):
        server = self.simulate("--batch-latency", "60s")
        self.prompts(2)
        self.submit(server)
        self.assertEqual(self.answer_on_a_terminal(b"\n"), 0)
        self.assertEqual(self.counts(), {"submitted": 2})
        self.assertEqual(self.answer_on_a_terminal(b"y\n"), 0)
        self.assertEqual(self.counts(), {"pending": 2})


class Files(CommandCase):
    def write_files(self, *arguments, code=0):
        return self.call("batches", "write", "items.jsonl", "-o", "out", "--base-url", "http://127.0.0.1:9/v1",
                         "--model", "m", *arguments, code=code)

    def requests(self, number):
        with open(self.path("out/batch-%d.jsonl" % number)) as file:
            return [json.loads(line) for line in file]

    def answer(self, request, content="yes", status=200, finish="stop"):
        body = {"id": "c", "object": "chat.completion", "model": "m",
                "choices": [{"index": 0, "message": {"role": "assistant", "content": content},
                             "finish_reason": finish}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}
        if status != 200:
            body = {"error": {"message": "broken", "code": status}}
        return json.dumps({"id": "v", "custom_id": request["custom_id"], "error": None,
                           "response": {"status_code": status, "request_id": "r", "body": body}}) + "\n"

    def test_answers_are_judged_as_in_a_run(self):
        self.prompts(5)
        self.write_files("--choices", "yes,no")
        requests = self.requests(1)
        self.write("r.jsonl", self.answer(requests[0]) + self.answer(requests[1], "maybe") +
                   self.answer(requests[2], "ye", finish="length") + self.answer(requests[3], status=400) +
                   self.answer(requests[4], status=500))
        process = self.call("batches", "read", "r.jsonl", code=0)
        self.assertIn("5 answers stored of 5 lines", process.stdout)
        self.assertIn("batch 1 collected", process.stdout)
        self.assertEqual(self.counts(), {"succeeded": 1, "flagged": 1, "failed": 1, "pending": 2})
        results = self.results()
        self.assertEqual(results["t-3"]["error"]["class"], "truncated")
        # The answer that fails its check is asked about again, in the next files.
        self.write_files("--choices", "yes,no")
        again = self.requests(2)
        self.assertEqual(len(again), 2)
        self.assertEqual([len(r["body"]["messages"]) for r in again], [3, 1])
        self.write("r2.jsonl", "".join(map(self.answer, again)))
        self.call("batches", "read", "r2.jsonl", "--max-retries", "0", code=0)
        self.assertEqual(self.counts(), {"succeeded": 3, "flagged": 1, "failed": 1})
        self.assertEqual(self.results()["t-2"]["attempts"], 2)

    def test_compressed_files_and_stdin(self):
        self.prompts(3)
        self.write_files()
        lines = [self.answer(r) for r in self.requests(1)]
        self.write("a.jsonl.gz", gzip.compress(lines[0].encode()))
        self.call("batches", "read", "a.jsonl.gz", "-", stdin=lines[1].encode(), code=0)
        self.assertEqual(self.counts(), {"succeeded": 2, "submitted": 1})
        broken = self.call("batches", "read", "-", stdin=b"no json\n", code=2)
        self.assertIn("-:1: " if "-:1" in broken.stderr else "stdin:1: ", broken.stderr)
        self.assertEqual([name for name in os.listdir(self.dir) if ".batch-read" in name], [])

    def test_a_run_calls_for_the_rest_and_leaves_what_was_written(self):
        self.prompts(2)
        self.write_files()
        self.prompts(5)
        server = self.simulate()
        process = self.call("run", "items.jsonl", "--base-url", server.url, "--model", "m", code=6)
        self.assertNotIn("error", process.stderr)
        self.assertEqual(self.counts(), {"succeeded": 3, "submitted": 2})
        self.assertEqual(server.count(), 3)
        self.write("r.jsonl", "".join(map(self.answer, self.requests(1))))
        self.call("batches", "read", "r.jsonl", code=0)
        self.call("run", "items.jsonl", "--base-url", server.url, "--model", "m", code=0)
        self.assertEqual(self.counts(), {"succeeded": 5})
        self.assertEqual(server.count(), 3)

    def test_a_killed_write_leaves_no_half_file_that_counts(self):
        self.prompts(20000)
        process = self.start("batches", "write", "items.jsonl", "-o", "out", "--base-url", "http://127.0.0.1:9/v1",
                             "--model", "m")
        support.wait_for(lambda: os.path.exists(self.path("out/batch-1.jsonl.partial")) or not process.running(),
                         "a file that is begun")
        process.send(signal.SIGKILL)
        process.wait()
        self.write_files()
        files = sorted(os.listdir(self.path("out")))
        self.assertTrue(all(name.endswith(".jsonl") for name in files), files)
        open_batches = [b for b in self.batches() if b["stage"] == "written"]
        self.assertEqual(sum(b["requests"] for b in open_batches), 20000)
        ids = [r["custom_id"] for b in open_batches for r in self.requests(b["number"])]
        self.assertEqual(len(set(ids)), 20000)

    def test_identical_requests_are_written_once(self):
        self.prompts(4, text="the same %.0s")
        self.write_files()
        requests = self.requests(1)
        self.assertEqual(len(requests), 1)
        self.write("r.jsonl", self.answer(requests[0]))
        self.call("batches", "read", "r.jsonl", code=0)
        self.assertEqual(self.counts(), {"succeeded": 1, "pending": 3})
        self.assertIn("nothing is left to write", self.write_files().stderr)
        self.assertEqual(self.counts(), {"succeeded": 4})

    def test_a_killed_read_is_gone_on_with(self):
        count = 20000
        self.prompts(count)
        self.write_files()
        self.write("r.jsonl", "".join(map(self.answer, self.requests(1))))
        process = self.start("batches", "read", "r.jsonl")
        stored = lambda: self.query("select count(*) from attempts")[0][0]
        support.wait_for(lambda: stored() > 1000 or not process.running(), "answers")
        process.send(signal.SIGKILL)
        process.wait()
        before = stored()
        self.assertLess(before, count, "it was over before the kill")
        told = json.loads(self.call("batches", "read", "r.jsonl", "--json", code=0).stdout)
        self.assertEqual((told["stored"], told["known"]), (count - before, before))
        self.assertEqual(self.counts(), {"succeeded": count})
        batch = self.batches()[0]
        self.assertEqual((batch["stage"], batch["answered"]), ("collected", count))
        self.assertEqual(stored(), count)

    def test_results_of_a_submitted_batch(self):
        server = self.simulate("--batch-latency", "60s")
        self.prompts(2)
        self.submit(server)
        tag = self.batches()[0]["tag"].replace("llmbatch-", "")
        self.write("r.jsonl", "".join(self.answer({"custom_id": "%s-%09d" % (tag, seq)}) for seq in (1, 2)))
        self.call("batches", "read", "r.jsonl", code=0)
        self.assertEqual(self.counts(), {"succeeded": 2})
        self.assertEqual(self.batches()[0]["stage"], "collected")
        self.call("run", "items.jsonl", "--base-url", server.url, "--model", "m", code=0)

    def test_a_provider_of_its_own_form_reads_both(self):
        self.prompts(2)
        self.call("batches", "write", "items.jsonl", "-o", "out", "--model", "anthropic/claude-haiku-4-5",
                  "--max-tokens", "50", code=0)
        requests = self.requests(1)
        self.assertEqual([sorted(r) for r in requests], [["custom_id", "params"]] * 2)
        message = {"id": "m", "type": "message", "role": "assistant", "model": "claude-haiku-4-5",
                   "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn",
                   "usage": {"input_tokens": 3, "output_tokens": 1}}
        own = {"custom_id": requests[0]["custom_id"], "result": {"type": "succeeded", "message": message}}
        other = {"custom_id": requests[1]["custom_id"], "error": None,
                 "response": {"status_code": 200, "request_id": "r", "body": message}}
        self.write("r.jsonl", json.dumps(own) + "\n" + json.dumps(other) + "\n")
        self.call("batches", "read", "r.jsonl", code=0)
        self.assertEqual(self.counts(), {"succeeded": 2})


if __name__ == "__main__":
    support.main()
