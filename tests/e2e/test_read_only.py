"""Places that cannot be written or read: exit 2, and nothing was sent."""

import os
import subprocess

import support


class Unwritable(support.Case):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate()
        self.prompts(3)

    def read_only(self, directory):
        """A mount that not even root can write to."""
        self.mount(directory, "--bind", directory)
        subprocess.run(["mount", "-o", "remount,bind,ro", directory], check=True)

    def test_read_only_directory(self):
        os.mkdir(self.path("ro"))
        os.rename(self.path("items.jsonl"), self.path("ro/items.jsonl"))
        self.read_only(self.path("ro"))
        process = self.run_file(self.simulator, file="ro/items.jsonl", code=2)
        self.assertIn("ro/items.jsonl.llmbatch.db", process.stderr)
        self.assertIn("ead-only", process.stderr)
        self.assertEqual(self.simulator.count(), 0)
        self.run_file(self.simulator, "--db", "elsewhere.db", file="ro/items.jsonl", code=0)
        self.assertEqual(self.simulator.count(), 3)

    def test_export_from_read_only_media(self):
        self.run_file(self.simulator, code=0)
        os.mkdir(self.path("ro"))
        os.rename(self.database(), self.path("ro/job.db"))
        self.read_only(self.path("ro"))
        process = self.call("export", "ro/job.db", code=0)
        self.assertEqual(len(process.stdout.splitlines()), 3)
        self.call("status", "ro/job.db", code=0)


class Unreadable(support.Case):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate()

    def refused(self, *names, file):
        process = self.run_file(self.simulator, file=file, code=2)
        for name in names:
            self.assertIn(name, process.stderr)
        self.assertEqual(self.simulator.count(), 0)
        return process

    def test_missing_input(self):
        self.refused("absent.jsonl", "no such file", file="absent.jsonl")
        self.assertFalse(os.path.exists(self.database("absent.jsonl")), "leaves no database behind")

    def test_directory_as_input(self):
        os.mkdir(self.path("folder"))
        self.refused("folder", file="folder")

    def test_input_without_permission(self):
        self.prompts(2)
        os.chmod(self.path("items.jsonl"), 0)
        os.chmod(self.dir, 0o777)
        if os.geteuid() == 0:
            binary = self.path("llmbatch")
            with open(support.LLMBATCH, "rb") as source, open(binary, "wb") as target:
                target.write(source.read())
            os.chmod(binary, 0o755)
            done = subprocess.run(
                [binary, "run", "items.jsonl", "--base-url", self.simulator.url, "--model", "m"],
                cwd=self.dir, env=self.env, capture_output=True, text=True, user=65534, check=False)
        else:
            done = subprocess.run(
                [support.LLMBATCH, "run", "items.jsonl", "--base-url", self.simulator.url, "--model", "m"],
                cwd=self.dir, env=self.env, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("items.jsonl", done.stderr)
        self.assertIn("ermission denied", done.stderr)
        self.assertEqual(self.simulator.count(), 0)

    def test_damaged_gzip(self):
        self.write("items.jsonl.gz", b"\x1f\x8b\x08\x00 this is not deflate")
        process = self.run_file(self.simulator, file="items.jsonl.gz")
        self.assertIn(process.code, (1, 2), process.stderr)
        self.assertIn("items.jsonl.gz", process.stderr)
        self.assertEqual(self.simulator.count(), 0)

    def test_a_file_that_is_no_database(self):
        self.prompts(2)
        self.write("notes.db", "dear diary, " * 400)
        process = self.run_file(self.simulator, "--db", "notes.db", code=2)
        self.assertIn("notes.db", process.stderr)
        self.assertEqual(self.simulator.count(), 0)
        with open(self.path("notes.db"), "rb") as file:
            self.assertEqual(file.read(), b"dear diary, " * 400)

    def test_a_database_of_another_program(self):
        self.prompts(2)
        support.change(self.path("other.db"), "create table mine (x)")
        process = self.run_file(self.simulator, "--db", "other.db", code=2)
        self.assertIn("other.db", process.stderr)
        self.assertEqual(self.simulator.count(), 0)
        self.assertEqual(support.query(self.path("other.db"), "select name from sqlite_master"), [("mine",)])


if __name__ == "__main__":
    support.main()
