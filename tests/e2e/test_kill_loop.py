"""kill -9 at 200 random times in one run of 5,000 items."""

import os
import random
import shutil
import signal
import subprocess
import time

import support

ITEMS = 5000
KILLS = 200
CONCURRENCY = 8
SUCCEEDED = 3


class KillLoop(support.Case):
    def snapshot(self):
        """The committed results as a copy of the files shows them: reading the database itself
        would do the recovery that llmbatch has to do."""
        if not os.path.exists(self.database()):
            return {}
        copy = self.path("copy.db")
        for suffix in ("", "-wal"):
            if os.path.exists(copy + suffix):
                os.unlink(copy + suffix)
            if os.path.exists(self.database() + suffix):
                shutil.copyfile(self.database() + suffix, copy + suffix)
        if os.path.exists(copy + "-shm"):
            os.unlink(copy + "-shm")
        tables = support.query(copy, "select count(*) from sqlite_master where name = 'items'")
        if tables == [(0,)]:
            return {}
        rows = support.query(copy, "select id, output, finished_ms from items where state = ?", SUCCEEDED)
        self.assertEqual(len({row[0] for row in rows}), len(rows), "an item has two results")
        return {row[0]: row[1:] for row in rows}

    def time_to_start(self, simulator):
        """How long a run of one item takes: kills within that time hit the start."""
        self.prompts(1, name="one.jsonl", text="one %d")
        begin = time.monotonic()
        self.run_file(simulator, "--quiet", file="one.jsonl", code=0)
        return time.monotonic() - begin

    def test_two_hundred_kills_lose_nothing(self):
        # 8 calls of 80 ms are 100 items a second: too slow to finish between the kills.
        simulator = self.simulate("--latency", "80ms")
        self.prompts(ITEMS)
        window = self.time_to_start(simulator) + 0.35
        seed = int(os.environ.get("LLMBATCH_E2E_SEED", time.time_ns() % 100_000))
        print("seed", seed, "(repeat with LLMBATCH_E2E_SEED)", flush=True)
        dice = random.Random(seed)
        committed = {}
        kills_with_work = 0
        for _ in range(KILLS):
            process = self.start_file(simulator, "--concurrency", str(CONCURRENCY), "--quiet")
            try:
                process.popen.wait(dice.uniform(0, window))
                self.fail("ended by itself with %d: %s" % (process.popen.returncode, process.stderr))
            except subprocess.TimeoutExpired:
                process.send(signal.SIGKILL)
            self.assertEqual(process.wait(), -signal.SIGKILL)
            found = self.snapshot()
            for item, result in committed.items():
                if found.get(item) != result:
                    self.fail("committed result of %s lost or changed: %s" % (item, found.get(item)))
            kills_with_work += len(found) > len(committed)
            committed = found
        self.assertGreater(kills_with_work, KILLS // 4, "the kills came too early to prove anything")

        self.run_file(simulator, "--concurrency", "64", "--quiet", code=0)
        self.assert_sound()
        self.assert_all_succeeded(ITEMS)
        final = self.snapshot()
        self.assertEqual(len(final), ITEMS)
        self.assertEqual({i: final[i] for i in committed}, committed)

        log = simulator.requests()[1:]  # without the one that was timed
        self.assertEqual(len({line["id_hint"] for line in log}), ITEMS)
        repeated = len(log) - ITEMS
        print("repeated calls:", repeated, flush=True)
        self.assertLessEqual(repeated, KILLS * 2 * CONCURRENCY)


if __name__ == "__main__":
    support.main()
