"""A full disk: exit 1, a message that names the database, and a resume that completes."""

import errno
import os
import subprocess

import support


class DiskFull(support.Case):
    def setUp(self):
        super().setUp()
        self.disk = self.path("disk")
        os.mkdir(self.disk)
        self.mount(self.disk, "-t", "tmpfs", "-o", "size=2m", "tmpfs")
        self.db = os.path.join(self.disk, "job.db")

    def test_disk_fills_up_in_mid_run(self):
        # About 3 KB of answer per item: 2 MB are full after some hundred of 1,500.
        simulator = self.simulate("--answer", "words:400")
        self.prompts(1500)
        first = self.run_file(simulator, "--db", self.db, code=1)
        self.assertIn("job.db", first.stderr)
        self.assertRegex(first.stderr.lower(), "disk.*full|no space|full.*disk")
        done = dict(self.query("select id, output from results where state = 'succeeded'", database=self.db))
        self.assertGreater(len(done), 0)
        self.assertLess(len(done), 1500)

        again = self.run_file(simulator, "--db", self.db)
        self.assertEqual(again.code, 1, "still full: " + again.stderr)

        subprocess.run(["mount", "-o", "remount,size=64m", self.disk], check=True)
        before = simulator.count()
        self.run_file(simulator, "--db", self.db, code=0)
        self.assert_all_succeeded(1500, database=self.db)
        self.assert_sound(database=self.db)
        final = dict(self.query("select id, output from results", database=self.db))
        self.assertEqual({i: final[i] for i in done}, done)
        self.assertLessEqual(simulator.count() - before, 1500 - len(done))

    def test_disk_full_from_the_start(self):
        simulator = self.simulate()
        self.prompts(3)
        ballast = os.open(os.path.join(self.disk, "ballast"), os.O_WRONLY | os.O_CREAT)
        try:
            while os.write(ballast, b"x" * 4096) > 0:
                pass
        except OSError as error:
            self.assertEqual(error.errno, errno.ENOSPC)
        os.close(ballast)
        process = self.run_file(simulator, "--db", self.db)
        self.assertIn(process.code, (1, 2), process.stderr)
        self.assertIn("job.db", process.stderr)
        self.assertEqual(simulator.count(), 0)
        os.unlink(os.path.join(self.disk, "ballast"))
        self.run_file(simulator, "--db", self.db, code=0)
        self.assert_all_succeeded(3, database=self.db)


if __name__ == "__main__":
    support.main()
