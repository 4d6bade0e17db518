"""kill -9 at chosen points of one call, and at the very start."""

import os
import signal
import threading
import time

import support


class CrashPoints(support.Case):
    def crash_at(self, point, call=3, items=6):
        """Runs with one call at a time against a server that kills the client at `point` of its
        `call`-th request; then resumes. Returns how often each prompt was asked."""
        client = {}
        started = threading.Event()

        def handler(request, connection):
            message = support.reply(support.completion("answer to " + request.prompt()))
            if server.count() != call or "dead" in client:
                connection.sendall(message)
                return True
            started.wait(20)
            if point == "in the answer":
                connection.sendall(message[: len(message) // 2])
            elif point == "after the answer":
                connection.sendall(message)
            client["dead"] = True
            os.kill(client["pid"], signal.SIGKILL)
            return False

        server = self.server(handler)
        self.prompts(items)
        process = self.start_file(server, "--concurrency", "1", "--quiet")
        client["pid"] = process.pid
        started.set()
        self.assertEqual(process.wait(), -signal.SIGKILL)
        self.run_file(server, "--concurrency", "1", code=0)
        self.assert_all_succeeded(items)
        self.assert_sound()
        self.assertEqual(dict(self.query("select id, output from results")),
                         {"t-%d" % i: "answer to say %d" % i for i in range(1, items + 1)})
        asked = {}
        for request in server.requests:
            asked[request.prompt()] = asked.get(request.prompt(), 0) + 1
        return asked

    def assert_one_repeated(self, asked, items=6):
        self.assertEqual(len(asked), items)
        # With one call at a time: the one in flight, and one that had come but was not committed.
        self.assertLessEqual(sum(asked.values()), items + 2, asked)

    def test_before_the_answer(self):
        asked = self.crash_at("before the answer")
        self.assert_one_repeated(asked)
        self.assertEqual(asked["say 3"], 2, "the call that was in flight has to be made again")

    def test_in_the_middle_of_the_answer(self):
        asked = self.crash_at("in the answer")
        self.assert_one_repeated(asked)
        self.assertEqual(asked["say 3"], 2)

    def test_between_answer_and_commit(self):
        self.assert_one_repeated(self.crash_at("after the answer"))

    def test_first_call(self):
        self.assert_one_repeated(self.crash_at("after the answer", call=1))

    def test_last_call(self):
        self.assert_one_repeated(self.crash_at("after the answer", call=6))

    def killed_after(self, delay, simulator):
        process = self.start_file(simulator, "--quiet", "--rpm", "60")
        time.sleep(delay)  # the point in time is what is tested
        process.send(signal.SIGKILL)
        self.assertEqual(process.wait(), -signal.SIGKILL, process.stderr)

    def test_while_the_database_is_created(self):
        simulator = self.simulate()
        self.prompts(1)
        for step in range(60):
            for suffix in ("", "-wal", "-shm", "-journal", ".lock"):
                if os.path.exists(self.database() + suffix):
                    os.unlink(self.database() + suffix)
            process = self.start_file(simulator, "--quiet")
            time.sleep(0.004 + step * 0.0004)
            process.send(signal.SIGKILL)
            process.wait()
            self.run_file(simulator, "--quiet", code=0)
            self.assert_all_succeeded(1)

    def test_in_the_preflight(self):
        simulator = self.simulate()
        # Enough lines that the preflight pass takes longer than the first kills wait.
        self.prompts(20_000, text="say %d " + "x" * 500)
        for delay in [0.02, 0.04, 0.06, 0.08, 0.1]:
            self.killed_after(delay * support.PATIENCE, simulator)
        self.prompts(40)
        self.run_file(simulator, code=0)
        self.assertEqual(self.query("select count(*) from results where state = 'succeeded' and line > 0 "
                                    "and id in (select 't-' || value from json_each(?))",
                                    str(list(range(1, 41)))), [(40,)])
        self.assert_sound()

    def test_lock_of_a_killed_run_is_free(self):
        hang = self.server(lambda request, connection: time.sleep(0.05) or True)
        self.prompts(2)
        process = self.start_file(hang, "--quiet")
        support.wait_for(lambda: hang.count() >= 1, "the first call")
        process.send(signal.SIGKILL)
        process.wait()
        # A server at another port is the same job.
        self.run_file(self.server(support.answer), code=0)
        self.assert_all_succeeded(2)


if __name__ == "__main__":
    support.main()
