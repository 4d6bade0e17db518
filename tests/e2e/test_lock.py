"""One process runs a database; readers are never kept out."""

import json
import os
import threading
import time

import support


class Lock(support.Case):
    def setUp(self):
        super().setUp()
        self.gate = threading.Event()
        self.addCleanup(self.gate.set)

        def handler(_request, connection):
            self.gate.wait(60)
            connection.sendall(support.reply(support.completion()))
            return True

        self.slow = self.server(handler)
        self.prompts(10)
        self.first = self.start_file(self.slow, "--concurrency", "3")
        support.wait_for(lambda: self.slow.count() == 3, "3 calls in flight")

    def test_second_run_is_turned_away_at_once(self):
        started = time.monotonic()
        second = self.run_file(self.slow, code=5)
        self.assertLess(time.monotonic() - started, 2 * support.PATIENCE)
        self.assertIn(str(self.first.pid), second.stderr, "names the holder")
        self.assertIn("items.jsonl.llmbatch.db", second.stderr)
        self.assertTrue(self.first.running())
        self.gate.set()
        self.assertEqual(self.first.wait(), 0, self.first.stderr)
        self.assertEqual(self.slow.count(), 10, "the second one sent nothing")

    def test_another_name_of_the_database_has_the_same_lock(self):
        os.symlink(self.database(), self.path("alias.db"))
        self.run_file(self.slow, "--db", self.path("alias.db"), code=5)

    def test_status_works_meanwhile(self):
        status = json.loads(self.call("status", self.database(), "--json", code=0).stdout)
        self.assertTrue(status["running"])
        self.assertEqual(status["items"]["total"], 10)
        self.gate.set()
        self.assertEqual(self.first.wait(), 0)
        status = json.loads(self.call("status", self.database(), "--json", code=0).stdout)
        self.assertFalse(status["running"])
        self.assertEqual(status["items"]["succeeded"], 10)

    def test_export_works_meanwhile(self):
        self.call("export", self.database(), code=0)
        self.gate.set()
        self.assertEqual(self.first.wait(), 0, "a reader must not disturb the run")


if __name__ == "__main__":
    support.main()
