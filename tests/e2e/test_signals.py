"""SIGINT once and twice, SIGTERM, SIGUSR1."""

import os
import re
import signal
import subprocess
import threading
import time

import support


class Signals(support.Case):
    def gated_server(self):
        """Answers nothing until `gate` is set."""
        gate = threading.Event()
        self.addCleanup(gate.set)

        def handler(_request, connection):
            gate.wait(60)
            connection.sendall(support.reply(support.completion()))
            return True

        return self.server(handler), gate

    def drained(self, number):
        server, gate = self.gated_server()
        self.prompts(50)
        process = self.start_file(server, "--concurrency", "4")
        support.wait_for(lambda: server.count() == 4, "4 calls in flight")
        process.send(number)
        support.wait_for(lambda: "signal" in process.stderr or "interrupt" in process.stderr.lower() or
                         "finish" in process.stderr.lower() or "stopping" in process.stderr.lower(),
                         "a message after the signal")
        self.assertTrue(process.running())
        gate.set()
        self.assertEqual(process.wait(), 128 + number, process.stderr)
        self.assertEqual(server.count(), 4, "nothing new is sent after the signal")
        self.assert_all_succeeded(4)
        self.assertRegex(process.stderr, "llmbatch run items.jsonl.*", "how to resume")
        self.run_file(server, code=0)
        self.assert_all_succeeded(50)
        self.assertEqual(server.count(), 50, "what was drained is not sent again")

    def test_sigterm_ends_the_wait_for_a_pipe(self):
        os.mkfifo(self.path("pipe"))
        run = subprocess.Popen([support.LLMBATCH, "run", "pipe", "--db", "pipe.db", "--base-url",
                                "http://127.0.0.1:9/v1", "--model", "m"], cwd=self.dir, env=self.env,
                               stderr=subprocess.DEVNULL)
        writer = os.open(self.path("pipe"), os.O_WRONLY)  # returns once the run reads
        run.send_signal(signal.SIGTERM)
        self.assertEqual(run.wait(timeout=20), -signal.SIGTERM)
        os.close(writer)

    def test_first_interrupt_drains(self):
        self.drained(signal.SIGINT)

    def test_first_termination_drains(self):
        self.drained(signal.SIGTERM)

    def test_second_interrupt_aborts(self):
        server, gate = self.gated_server()
        self.prompts(50)
        process = self.start_file(server, "--concurrency", "4")
        support.wait_for(lambda: server.count() == 4, "4 calls in flight")
        process.send(signal.SIGINT)
        before = len(process.stderr)
        support.wait_for(lambda: len(process.stderr) > before or before > 60, "a message")
        # Two signals that are pending at once are one.
        time.sleep(0.3)
        started = time.monotonic()
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130, process.stderr)
        self.assertLess(time.monotonic() - started, 3 * support.PATIENCE)
        self.assertIn("llmbatch run items.jsonl", process.stderr)
        gate.set()
        self.run_file(server, code=0)
        self.assert_all_succeeded(50)

    def test_drain_timeout(self):
        server, _gate = self.gated_server()
        self.prompts(5)
        process = self.start_file(server, "--drain-timeout", "1")
        support.wait_for(lambda: server.count() == 5, "5 calls in flight")
        started = time.monotonic()
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130, process.stderr)
        took = time.monotonic() - started
        self.assertGreater(took, 0.8)
        self.assertLess(took, 5 * support.PATIENCE)

    def test_interrupt_while_waiting_for_the_rate_limit(self):
        server = self.server(support.answer)
        self.prompts(50)
        process = self.start_file(server, "--rpm", "6")
        support.wait_for(lambda: "items" in process.stderr, "the start")
        started = time.monotonic()
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130, process.stderr)
        self.assertLess(time.monotonic() - started, 3 * support.PATIENCE)

    def test_interrupt_in_a_backoff(self):
        simulator = self.simulate()
        self.prompts(3, text="[[sim:429=50s,ok]] %d")
        process = self.start_file(simulator)
        support.wait_for(lambda: simulator.count() >= 1, "the first call")
        started = time.monotonic()
        process.send(signal.SIGINT)
        self.assertEqual(process.wait(), 130, process.stderr)
        self.assertLess(time.monotonic() - started, 5 * support.PATIENCE)
        self.assertEqual(self.states(), {})

    def test_interrupted_run_is_recorded(self):
        server, gate = self.gated_server()
        self.prompts(5)
        process = self.start_file(server)
        support.wait_for(lambda: server.count() == 5, "5 calls in flight")
        process.send(signal.SIGTERM)
        gate.set()
        process.wait()
        self.assertEqual(self.query("select end_reason, exit_code from runs"), [("interrupted", 143)])

    def test_status_line_on_request(self):
        server, gate = self.gated_server()
        self.prompts(7)
        process = self.start_file(server)
        support.wait_for(lambda: server.count() == 7, "7 calls in flight")
        before = process.stderr
        process.send(signal.SIGUSR1)
        support.wait_for(lambda: process.stderr != before, "a status line")
        line = process.stderr[len(before):]
        self.assertRegex(line, r"0/7 done")
        gate.set()
        self.assertEqual(process.wait(), 0)

    def test_quiet_run_still_answers_a_status_request(self):
        server, gate = self.gated_server()
        self.prompts(2)
        process = self.start_file(server, "--quiet")
        support.wait_for(lambda: server.count() == 2, "2 calls in flight")
        process.send(signal.SIGUSR1)
        support.wait_for(lambda: re.search("0/2", process.stderr), "a status line")
        gate.set()
        self.assertEqual(process.wait(), 0)


if __name__ == "__main__":
    support.main()
