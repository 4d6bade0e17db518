"""The input changes while a batch is open, and other things that happen between two runs: the answer
is that of the line as it is, and nothing is paid twice."""

import os
import socket
import time

import support
from test_batches import BatchCase

ANTHROPIC = ["--provider", "anthropic", "--max-tokens", "100"]


class Edits(BatchCase):
    def submit(self, server, *arguments, **options):
        """A batch that has ended when this returns, and that nobody has looked at."""
        self.run_batch(server, "--no-wait", *arguments, code=6, **options)
        time.sleep(0.6)

    def outputs(self):
        return dict(self.query("select id, output from results"))

    def test_an_edited_line_is_answered_as_it_is(self):
        for way in (["--via", "batch"], ["--via", "realtime"]):
            with self.subTest(way=way):
                if os.path.exists(self.database()):
                    os.unlink(self.database())
                server = self.batch_server("--answer", "echo")
                self.write_items("items.jsonl", [{"id": "a", "prompt": "old"}, {"id": "c", "prompt": "other"}])
                self.submit(server)
                self.write_items("items.jsonl", [{"id": "a", "prompt": "new"}, {"id": "c", "prompt": "other"}])
                process = self.run_batch(server, *way, code=0)
                self.assertIn("2 answered (1 to a line that has changed since)", process.stderr)
                self.assertEqual(self.outputs(), {"a": "new", "c": "other"})
                self.run_batch(server, *way, code=0)
                stats = self.stats(server)
                self.assertEqual((stats["answered_again"], stats["answered_bodies"]), (0, 3), stats)

    def test_a_prompt_that_changes(self):
        server = self.batch_server("--answer", "echo")
        self.write_items("items.jsonl", [{"id": str(i), "x": str(i)} for i in range(5)])
        self.submit(server, "--prompt", "old {{x}}")
        self.run_batch(server, "--prompt", "new {{x}}", "--rerun", "changed", code=0)
        self.assertEqual(self.outputs(), {str(i): "new %d" % i for i in range(5)})

    def test_lines_that_move(self):
        server = self.batch_server("--answer", "echo")
        self.write_items("items.jsonl", [{"prompt": "q %d" % i} for i in range(3)])
        self.submit(server, "--id", "line")
        self.write_items("items.jsonl", [{"prompt": "top"}] + [{"prompt": "q %d" % i} for i in range(3)])
        self.run_batch(server, "--id", "line", code=0)
        self.assertEqual([self.outputs()[str(i)] for i in range(1, 5)], ["top", "q 0", "q 1", "q 2"])

    def test_an_edit_that_is_taken_back(self):
        server = self.batch_server("--answer", "echo", latency="8s")
        items = [{"id": str(i), "prompt": "q %d" % i} for i in range(3)]
        self.write_items("items.jsonl", items)
        self.run_batch(server, "--no-wait", code=6)
        self.write_items("items.jsonl", items[:2] + [{"id": "2", "prompt": "other"}])
        self.run_batch(server, "--no-wait", code=6)
        self.write_items("items.jsonl", items)
        self.run_batch(server, code=0)
        self.assertEqual(self.outputs(), {str(i): "q %d" % i for i in range(3)})
        self.assert_paid_once(server, 3)

    def test_what_never_left_is_sent_as_it_is(self):
        server = self.batch_server("--answer", "echo")
        self.write_items("items.jsonl", [{"id": "a", "prompt": "old"}, {"id": "c", "prompt": "other"}])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            nobody = free.getsockname()[1]
        process = self.call("run", "items.jsonl", "--base-url", "http://127.0.0.1:%d/v1" % nobody, "--model", "m",
                            "--via", "batch", "--poll-interval", "0.1", "--no-wait", "--quiet", code=4)
        self.assertIn("the upload does not succeed", process.stderr)
        self.write_items("items.jsonl", [{"id": "a", "prompt": "new"}, {"id": "c", "prompt": "other"}])
        self.run_batch(server, code=0)
        self.assertEqual(self.outputs(), {"a": "new", "c": "other"})
        self.assert_paid_once(server, 2)

    def test_an_identical_line_above(self):
        server = self.batch_server("--answer", "echo")
        items = [{"id": str(i), "prompt": "q %d" % i} for i in range(3)]
        self.write_items("items.jsonl", items)
        self.run_batch(server, "--no-wait", code=6)
        self.write_items("items.jsonl", [{"id": "n", "prompt": "q 1"}, {"id": "n2", "prompt": "q 1"}] + items)
        self.run_batch(server, code=0)
        self.assert_all_succeeded(5)
        self.assertEqual(self.outputs()["n"], "q 1")
        self.assert_paid_once(server, 3)


class Accounts(BatchCase):
    def test_interleaved_models(self):
        server = self.batch_server()
        self.write_items("items.jsonl", [
            {"custom_id": str(i), "url": "/v1/chat/completions",
             "body": {"model": "m%d" % (i % 20), "messages": [{"role": "user", "content": "q %d" % i}]}}
            for i in range(100)])
        self.run_batch(server, code=0)
        self.assert_all_succeeded(100)
        self.assertEqual(self.assert_paid_once(server, 100)["batches_created"], 20)

    def test_batches_without_a_tag_find_their_own(self):
        server = self.batch_server("--batch-faults", "refuse-create,lost-create")
        self.prompts(40)
        self.run_batch(server, *ANTHROPIC, "--batch-size", "10", base="", env={"ANTHROPIC_API_KEY": "k"}, code=0,
                       timeout=120)
        self.assert_all_succeeded(40)
        self.assertEqual(self.assert_paid_once(server, 40)["batches_created"], 4)

    def test_a_batch_of_somebody_else_is_not_cancelled(self):
        server = self.batch_server("--batch-faults", "refuse-create", latency="5s")
        env = {"ANTHROPIC_API_KEY": "k"}
        command = ["--base-url", server.origin, "--model", "m", *ANTHROPIC, "--via", "batch", "--poll-interval", "0.1"]
        self.prompts(10, "mine.jsonl", "mine %d")
        self.prompts(10, "theirs.jsonl", "theirs %d")
        mine = self.start("run", "mine.jsonl", *command, "--cancel-on-interrupt", env=env)
        support.wait_for(lambda: self.stats(server)["outcomes"].get("batch-503"), "the refused create")
        theirs = self.start("run", "theirs.jsonl", *command, env=env)
        support.wait_for(lambda: "its answers will tell" in mine.stderr, "the candidate")
        mine.send(2)
        self.assertEqual(mine.wait(), 130)
        self.assertIn("not certain", mine.stderr)
        self.assertEqual(theirs.wait(), 0, theirs.stderr)
        self.assertEqual(self.stats(server)["batches_cancelled"], 0)

    def test_a_lost_create_and_another_account(self):
        server = self.batch_server("--batch-faults", "lost-create")
        self.prompts(3)
        process = self.start("run", "items.jsonl", "--base-url", server.url, "--model", "m", "--via", "batch",
                             "--provider", "openai", "--poll-interval", "60", env={"OPENAI_API_KEY": "one"})
        support.wait_for(lambda: self.stats(server)["batches_created"] == 1, "the create")
        process.send(9)
        process.wait()
        other = self.batch_server()
        for target, key in ((other, "one"), (server, "two")):
            process = self.run_batch(target, "--provider", "openai", code=2, env={"OPENAI_API_KEY": key})
            self.assertIn("may have been created", process.stderr)
            self.assertIn("batches forget 1", process.stderr)
        self.assertEqual(self.stats(other)["batches_created"], 0)

    def test_what_was_forgotten_may_have_cost(self):
        server = self.batch_server(latency="60s")
        self.prompts(10)
        limited = ["--provider", "openai", "--max-cost", "0.0004", "--max-tokens", "20", "--no-wait"]
        env = {"OPENAI_API_KEY": "k"}
        self.call("run", "items.jsonl", "--base-url", server.url, "--model", "gpt-4o-mini", "--via", "batch",
                  *limited, env=env, code=6)
        first = self.stats(server)["batches_created"]
        held = self.query("select reserved_pico from batches")[0][0]
        self.assertGreater(held, 0)
        limited[3] = "%.9f" % (held * 1.5 / 1e12)
        self.call("batches", "forget", "1", "--yes", code=0)
        process = self.call("run", "items.jsonl", "--base-url", server.url, "--model", "gpt-4o-mini", "--via",
                            "batch", *limited, env=env)
        self.assertIn(process.code, (4, 6), process.stderr)
        submitted = self.query("select coalesce(sum(reserved_pico), 0) from batches where number > 1")[0][0]
        self.assertLessEqual(submitted + held, held * 1.5)
        self.assertEqual(first, 1)

    def test_a_job_does_not_leave_its_batches(self):
        server = self.batch_server(latency="60s")
        self.prompts(2)
        self.run_batch(server, "--provider", "openai", "--no-wait", code=6, env={"OPENAI_API_KEY": "k"})
        process = self.run_batch(server, *ANTHROPIC, "--rerun", "changed", base="", code=2,
                                 env={"ANTHROPIC_API_KEY": "k"})
        self.assertIn("batch 1 is open at openai", process.stderr)
        self.assertEqual(self.stats(server)["batches_created"], 1)

    def test_a_cost_limit_wants_batch_prices(self):
        server = self.batch_server()
        self.prompts(2)
        process = self.run_batch(server, "--max-cost", "1", "--price-input", "1", "--price-output", "1", code=2)
        self.assertIn("batch_input", process.stderr)
        self.assertEqual(self.stats(server)["files_uploaded"], 0)


if __name__ == "__main__":
    support.main()
