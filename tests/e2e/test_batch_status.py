"""What a job tells of its provider batches: status, the end of a run, export and report."""

import json

import support
from test_batches import BatchCase


class Told(BatchCase):
    def open_status(self):
        return json.loads(self.call("status", "--json", code=0).stdout)

    def test_open_batches_are_listed_while_no_run_is_alive(self):
        server = self.batch_server(latency="60s")
        self.prompts(25)
        run = self.run_batch(server, "--no-wait", "--batch-size", "10", code=6)
        ids = [row[0] for row in self.query("select remote_id from batches order by number")]
        self.assertEqual(len(set(ids)), 3)

        self.assertIn("3 provider batches are still in progress, 0 of 25 items done", run.stderr)
        self.assertIn("--via batch", run.stderr.split("next ")[1])
        self.assertIn("# collects the batches", run.stderr)

        status = self.open_status()
        self.assertFalse(status["running"])
        self.assertEqual(status["items"]["submitted"], 25)
        self.assertIsNone(status["eta_seconds"])
        self.assertEqual([batch["provider_id"] for batch in status["batches"]], ids)
        self.assertEqual([batch["requests"] for batch in status["batches"]], [10, 10, 5])
        self.assertEqual(set(status["batches"][0]), {"number", "provider_id", "state", "requests", "done",
                                                     "submitted_at", "expires_at"})
        text = self.call("status", code=0).stdout
        self.assertIn("batches are open", text)
        self.assertRegex(text, r"batches     1  %s  \w+ .*10  submitted \d\d:\d\d  expires " % ids[0])

    def test_closed_batches_are_not_listed(self):
        server = self.batch_server()
        self.prompts(5)
        self.run_batch(server, code=0)
        self.assertEqual(self.open_status()["batches"], [])
        self.assertNotIn("batches", self.call("status", code=0).stdout)

    def test_a_run_that_waits_shows_them(self):
        server = self.batch_server(latency="60s")
        self.prompts(5)
        process = self.start("run", "items.jsonl", "--base-url", server.origin + "/v1", "--model", "m",
                             "--via", "batch", "--poll-interval", "0.1")
        support.wait_for(lambda: "submitted as" in process.stderr, "its id")
        support.wait_for(lambda: self.open_status()["batches"], "the status row")
        status = self.open_status()
        self.assertTrue(status["running"])
        self.assertEqual(status["batches"][0]["requests"], 5)

    def test_their_answers_have_no_latency(self):
        server = self.batch_server()
        self.prompts(3)
        self.run_batch(server, code=0)
        self.prompts(4)
        self.run_file(server, code=0)
        rows = [json.loads(line) for line in self.call("export", code=0).stdout.splitlines()]
        self.assertEqual([row["latency_ms"] is None for row in rows], [True, True, True, False])
        self.call("report", "-o", "report.html", code=0)
        with open(self.path("report.html"), encoding="utf-8") as file:
            page = file.read()
        self.assertIn('<div class="k">Provider batches</div><div class="v">1</div>'
                      '<div class="s">3 answers', page)

    def test_the_line_before_the_run_has_their_price(self):
        server = self.batch_server()
        self.prompts(3)
        run = self.run_batch(server, "--price-input", "3", "--price-output", "15", "--max-tokens", "1000", code=0)
        self.assertRegex(run.stderr, r"estimate: .* in batches\n")


if __name__ == "__main__":
    support.main()
