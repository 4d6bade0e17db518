"""Reviewing answers: in a terminal, through sheets, beside a run; and what accept and requeue do."""

import csv
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading

import support


class Terminal:
    """`llmbatch review` on a pty of its own, and what it shows now."""

    def __init__(self, case, arguments, columns=80, rows=24, env=None):
        self.rows = rows
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        self.process = subprocess.Popen(
            [support.LLMBATCH, "review"] + list(arguments), cwd=case.dir,
            env=dict(case.env, USER="ann", **(env or {})), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = slave  # kept open: its settings are looked at after the end
        self.seen = ""
        case.addCleanup(self.close)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.slave)
        os.close(self.master)

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds=0.05):
        while select.select([self.master], [], [], seconds)[0]:
            try:
                data = os.read(self.master, 65536)
            except OSError:
                return
            if not data:
                return
            self.seen += data.decode(errors="replace")
            seconds = 0

    def frame(self):
        """The last whole screen, without control sequences."""
        start = self.seen.rfind("\x1b[H")
        text = self.seen[start:] if start >= 0 else self.seen
        return re.sub(r"\x1b\[[?0-9;]*[A-Za-z]", "", text)

    def wait_for(self, text):
        def shown():
            self.read()
            return text in self.frame()
        try:
            support.wait_for(shown, "on the screen: " + text)
        except AssertionError as error:
            raise AssertionError("%s\n%s" % (error, self.frame())) from None

    def press(self, keys, until):
        os.write(self.master, keys.encode())
        self.wait_for(until)

    def end(self, keys=""):
        """Presses the last keys; the exit code."""
        os.write(self.master, keys.encode())

        def ended():
            self.read()
            return self.process.poll() is not None
        support.wait_for(ended, "the end of review")
        self.read()
        return self.process.returncode

    def restored(self):
        return termios.tcgetattr(self.slave) == self.before and self.seen.count("\x1b[?1049h") == \
            self.seen.count("\x1b[?1049l")


class Review(support.Case):
    def answer_all(self, count=40):
        """A run whose items t-1, t-2 are flagged (cut), t-3, t-4 failed, the others succeeded."""
        self.mended = False

        def handler(request, connection):
            number = int(request.prompt().split()[-1])
            if number <= 2 and not self.mended:
                body = json.loads(support.completion('{"label": "cut %d"}' % number))
                body["choices"][0]["finish_reason"] = "length"
                connection.sendall(support.reply(json.dumps(body).encode()))
            elif number <= 4 and not self.mended:
                connection.sendall(support.reply(b'{"error":{"message":"no such thing"}}', "400 Bad Request"))
            else:
                connection.sendall(support.reply(support.completion("answer %d" % number)))
            return True

        self.upstream = self.server(handler)
        self.prompts(count)
        self.run_file(self.upstream, code=3)

    def verdicts(self):
        return self.query("select id, verdict, note, reviewer from reviews order by seq, judged_at")

    # The terminal

    def test_walk_undo_resume_and_summary(self):
        self.answer_all()
        terminal = Terminal(self, ["--sample", "12"])
        terminal.wait_for("0 of 12 judged")
        self.assertIn("g good", terminal.frame())
        terminal.press("g", "1 of 12 judged")
        terminal.press("b", "2 of 12 judged")
        self.assertIn("1 bad", terminal.frame())
        terminal.press("u", "1 of 12 judged")
        self.assertEqual([v[1] for v in self.verdicts()], ["good"], "undone at once")
        terminal.press("nwrong Stra\u00dfe\x7fe\r", "wrong Stra\u00dfe")
        terminal.press("b", "2 of 12 judged")
        terminal.press("s", "skip")
        self.assertEqual(terminal.end("q"), 0)
        self.assertTrue(terminal.restored(), terminal.seen[-500:])
        self.assertIn("estimated quality", terminal.seen)
        stored = self.verdicts()
        self.assertEqual(sorted(v[1] for v in stored), ["bad", "good", "skip"])
        self.assertIn(("bad", "wrong Stra\u00dfe", "ann"), [v[1:] for v in stored])

        again = Terminal(self, ["--sample", "12"])
        again.wait_for("2 of 12 judged")
        for judged in range(3, 13):
            again.press("g", "%d of 12 judged" % judged)
        again.wait_for("That was the last one")
        self.assertEqual(again.end("q"), 0)
        self.assertIn("11", again.seen)
        summary = self.call("review", "--summary", "--sample", "12", code=0).stdout
        self.assertRegex(summary, "latest notes\n  bad  t-[0-9]+: wrong Stra\u00dfe \\(ann\\)")
        self.assertRegex(summary, r"succeeded +36 ")
        self.assertRegex(summary, r"estimated quality: [0-9.]+ % good \(95 % interval .*\), of 40 items")
        done = Terminal(self, ["--sample", "12"])
        self.assertEqual(done.end(), 0)
        self.assertIn("all 12 items are judged", done.seen)

    def test_the_sample_stays_while_results_are_added(self):
        def ids():
            rows = self.call("review", "--export", "-", "--format", "jsonl", "--sample", "20%", code=0).stdout
            return {json.loads(line)["id"] for line in rows.splitlines()}

        self.upstream = self.server(support.answer)
        self.prompts(200)
        self.run_file(self.upstream, code=0)
        before = ids()
        self.assertEqual(before, ids())
        self.prompts(400)
        self.run_file(self.upstream, code=0)
        self.assertLess(before, ids(), "those that were drawn stay, some are added")

    def test_small_screen_long_answer(self):
        text = "".join("line %d of a long answer\n" % i for i in range(1, 60)) + "evil \x1b[2J\x07 end"
        self.upstream = self.server(lambda _, connection: connection.sendall(
            support.reply(support.completion(text))) is None)
        self.prompts(1)
        self.run_file(self.upstream, code=0)
        terminal = Terminal(self, [], columns=40, rows=15)
        terminal.wait_for("line 3 of a long answer")
        self.assertIn("q quit", terminal.frame())
        self.assertIn("space for more", terminal.frame())
        lines = terminal.frame().split("\r\n")
        self.assertEqual(len(lines), 15)
        self.assertLess(max(len(line) for line in lines), 40)
        terminal.press(" ", "line 12 of a long answer")
        terminal.press("\x1b[F", "evil")
        self.assertNotIn("\x1b[2J\x07", terminal.seen, "what a model says steers no terminal")
        terminal.resize(70, 30)
        support.wait_for(lambda: terminal.read() or len(terminal.frame().split("\r\n")) == 30, "a redraw")
        self.assertEqual(terminal.end("q"), 0)

    def test_colours_and_dumb_terminals(self):
        self.answer_all(6)
        plain = Terminal(self, [], env={"NO_COLOR": "1"})
        plain.wait_for("q quit")
        self.assertNotRegex(plain.seen, r"\x1b\[[0-9;]+m")
        self.assertEqual(plain.end("q"), 0)
        dumb = Terminal(self, [], env={"TERM": "dumb"})
        dumb.wait_for("q quit")
        dumb.press("g", "1 of 6 judged")
        self.assertEqual(dumb.end("q"), 0)
        self.assertNotIn("\x1b", dumb.seen)

    def test_the_terminal_is_given_back(self):
        self.answer_all(6)
        interrupted = Terminal(self, [])
        interrupted.wait_for("q quit")
        self.assertEqual(interrupted.end("\x03"), 130)
        self.assertTrue(interrupted.restored())
        terminated = Terminal(self, [])
        terminated.wait_for("q quit")
        terminated.press("g", "1 of 6 judged")
        terminated.process.send_signal(signal.SIGTERM)
        self.assertEqual(terminated.end(), 143)
        self.assertTrue(terminated.restored())
        self.assertEqual(len(self.verdicts()), 1, "what was judged is stored")

    def test_stop_and_continue(self):
        self.answer_all(6)
        terminal = Terminal(self, [])
        terminal.wait_for("q quit")
        # The leader of an orphaned process group is not stopped by the keyboard; by SIGSTOP it is.
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED)
        termios.tcsetattr(terminal.slave, termios.TCSANOW, terminal.before)  # as a shell does
        frames = terminal.seen.count("\x1b[H")
        terminal.process.send_signal(signal.SIGCONT)
        support.wait_for(lambda: terminal.read() or terminal.seen.count("\x1b[H") > frames, "a redraw")
        terminal.press("g", "1 of 6 judged")
        terminal.press("\x1a", "1 of 6 judged")
        self.assertEqual(terminal.end("q"), 0)
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)

    def test_input_that_moved_or_changed(self):
        self.answer_all(6)
        with open(self.path("items.jsonl")) as file:
            lines = file.read().splitlines()
        os.rename(self.path("items.jsonl"), self.path("moved.jsonl"))
        gone = Terminal(self, ["--state", "failed"])
        gone.wait_for("name its new place with --input")
        self.assertEqual(gone.end("q"), 0)
        found = Terminal(self, ["--state", "failed", "--input", "moved.jsonl"])
        found.wait_for("say 3")
        self.assertEqual(found.end("q"), 0)
        lines[2] = lines[2].replace("say 3", "tell 3")
        self.write("moved.jsonl", "\n".join(lines) + "\n")
        changed = Terminal(self, ["--state", "failed", "--input", "moved.jsonl"])
        changed.wait_for("no longer what was sent")
        self.assertEqual(changed.end("q"), 0)

    # Accept and requeue

    def test_requeue_and_accept(self):
        self.answer_all(6)
        terminal = Terminal(self, ["--state", "flagged,failed"])
        terminal.wait_for("0 of 4 judged")
        self.assertIn('"label": "cut 1"', terminal.frame())
        terminal.press("a", "t-1: accept")
        terminal.press("r", "t-2: requeue")
        self.assertIn("no such thing", terminal.frame())
        self.assertNotIn("a accept", terminal.frame())
        terminal.press("a", "no answer to accept")
        terminal.press("r", "t-3: requeue")
        self.assertEqual(terminal.end("q"), 0)
        self.assertIn("2 items requeued", terminal.seen)
        self.assertIn("1 item accepted", terminal.seen)
        status = json.loads(self.call("status", "--json", code=0).stdout)["items"]
        self.assertEqual((status["pending"], status["succeeded"], status["failed"]), (2, 3, 1))
        self.assertEqual(self.states(), {"t-1": "succeeded", "t-4": "failed", "t-5": "succeeded", "t-6": "succeeded"})
        pending = self.call("export", "--state", "pending", "--fields", "id", code=0).stdout
        self.assertEqual([json.loads(line)["id"] for line in pending.splitlines()], ["t-2", "t-3"])

        self.mended = True
        asked = self.upstream.count()
        self.run_file(self.upstream, code=3)
        self.assertEqual(self.upstream.count() - asked, 2, "those two alone, of an unchanged file")
        self.assertEqual({i for i, s in self.states().items() if s != "succeeded"}, {"t-4"})
        self.assertEqual(self.query("select output from results where id = 't-1'"), [('{"label": "cut 1"}',)])
        # The verdict was about the old answer: t-2 is not judged any more.
        self.assertEqual(self.query("select id, is_current from reviews order by id"),
                         [("t-1", 1), ("t-2", 0), ("t-3", 0)])
        last = Terminal(self, ["--state", "failed"])
        last.wait_for("0 of 1 judged")
        last.press("r", "t-4: requeue")
        self.assertEqual(last.end("q"), 0)
        self.run_file(self.upstream, code=0)
        self.assert_all_succeeded(6)
        self.assert_sound()

    def test_beside_a_run(self):
        self.answer_all(6)
        gate = threading.Event()
        self.addCleanup(gate.set)

        def handler(_request, connection):
            gate.wait(60)
            connection.sendall(support.reply(support.completion()))
            return True

        slow = self.server(handler)
        self.prompts(20)
        run = self.start_file(slow, "--concurrency", "2")
        support.wait_for(lambda: slow.count() == 2, "calls in flight")
        terminal = Terminal(self, ["--state", "failed"])
        terminal.wait_for("0 of 2 judged")
        terminal.press("b", "1 of 2 judged")
        terminal.press("r", "2 of 2 judged")
        self.assertEqual(terminal.end("q"), 5, "a decision needs the lock")
        self.assertIn(str(run.pid), terminal.seen, "names the holder")
        self.assertIn("1 decision", terminal.seen)
        self.assertEqual([v[1] for v in self.verdicts()], ["bad", "requeue"])
        gate.set()
        self.assertEqual(run.wait(), 3, run.stderr)
        self.assertEqual(self.states()["t-4"], "failed", "not under the feet of the run")
        again = self.run_file(slow, code=3)
        self.assertIn("1 items requeued", again.stderr)
        self.assertEqual(self.states()["t-4"], "succeeded", "the next one takes it up")

    # Sheets

    def test_without_a_terminal(self):
        self.answer_all(6)
        refused = self.call("review", code=2)
        self.assertIn("--export FILE", refused.stderr)
        self.assertIn("--import FILE", refused.stderr)
        self.call("review", "--summary", "--export", "x.csv", code=2)
        self.call("review", "--export", "x.txt", code=2)
        for target in ("items.jsonl", "items.jsonl.llmbatch.db"):
            with open(self.path(target), "rb") as file:
                before = file.read()
            self.assertIn(" is the ", self.call("review", "--export", target, "-f", "csv", code=2).stderr)
            with open(self.path(target), "rb") as file:
                self.assertEqual(file.read(), before)
        self.call("review", "--summary", "--sample", "none", code=2)
        self.call("review", "--summary", "none.db", code=2)

    def test_sheet_there_and_back(self):
        self.answer_all(30)
        self.call("review", "--export", "sheet.csv", "--sample", "10", code=0)
        with open(self.path("sheet.csv"), newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(list(rows[0]), ["id", "state", "input", "output", "verdict", "note", "attempt"])
        self.assertEqual(len(rows), 10)
        self.assertEqual(json.loads(rows[0]["input"])["id"], rows[0]["id"])
        for row in rows:
            row["verdict"] = {"succeeded": "good", "flagged": "accept", "failed": "requeue"}[row["state"]]
        rows[4]["verdict"], rows[4]["note"] = "", "not sure"
        with open(self.path("sheet.csv"), "w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), dialect="excel")
            writer.writeheader()
            writer.writerows(rows)
        done = self.call("review", "--import", "sheet.csv", "--sample", "10", "--reviewer", "bob", code=0)
        self.assertIn("9 verdicts stored, 0 as they were, 1 rows without a verdict", done.stderr)
        self.assertIn("2 items requeued", done.stderr)
        self.assertIn("2 items accepted", done.stderr)
        self.assertEqual({v[3] for v in self.verdicts()}, {"bob"})
        self.mended = True
        self.run_file(self.upstream, code=0)
        self.assert_all_succeeded(30)
        stale = self.call("review", "--import", "sheet.csv", code=2)
        self.assertIn("was answered again since the sheet was written", stale.stderr)

    def test_nothing_is_half_imported(self):
        self.answer_all(6)
        self.write("sheet.csv", "id,verdict\nt-5,good\nt-6,godo\nt-99,bad\nt-5,bad\nt-6,accept\n")
        refused = self.call("review", "--import", "sheet.csv", code=2)
        self.assertIn("sheet.csv:3: unknown verdict 'godo'", refused.stderr)
        self.assertEqual(self.verdicts(), [])
        self.write("sheet.csv", "id,verdict\nt-5,good\nt-99,bad\nt-5,bad\nt-6,accept\n")
        refused = self.call("review", "--import", "sheet.csv", code=2)
        self.assertIn("sheet.csv:3: no item 't-99'", refused.stderr)
        self.assertIn("sheet.csv:4: id 't-5' stands on line 2, too", refused.stderr)
        self.assertIn("sheet.csv:5: 't-6' is succeeded", refused.stderr)
        self.assertEqual(self.verdicts(), [])
        self.write("sheet.jsonl", '{"id":"t-5","verdict":"good"}\n{"id":"t-6","verdict":"bad","note":"no"}\n')
        for stored in ("2 verdicts stored", "0 verdicts stored, 2 as they were"):
            self.assertIn(stored, self.call("review", "--import", "sheet.jsonl", code=0).stderr)
        self.assertEqual([v[:3] for v in self.verdicts()], [("t-5", "good", None), ("t-6", "bad", "no")])


if __name__ == "__main__":
    support.main()
