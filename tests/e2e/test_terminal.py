"""What a person at a terminal sees, and what a log file or a program reads instead."""

import fcntl
import json
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unicodedata

import support

WIDTH = 60
HEIGHT = 20
SEQUENCE = re.compile(r"\x1b\[([?0-9;]*)([A-Za-z])")


class Screen:
    """As much of a terminal as the display needs: lines that scroll, a cursor, erasing."""

    def __init__(self, width):
        self.width = width
        self.lines = [""]
        self.row = self.column = 0
        self.longest = 0
        self.cursor_hidden = False
        self.style = ""
        self.unknown = []

    def put(self, char):
        size = 2 if unicodedata.east_asian_width(char) in "WF" else 1
        line = self.lines[self.row].ljust(self.column)
        self.lines[self.row] = line[: self.column] + char + line[self.column + 1:]
        self.column += size
        self.longest = max(self.longest, self.column)

    def control(self, arguments, letter):
        number = int(arguments) if arguments.isdigit() else 1
        if letter == "m":
            self.style = "" if arguments in ("", "0") else arguments
        elif letter == "A":
            self.row = max(0, self.row - number)
        elif letter == "K":
            self.lines[self.row] = self.lines[self.row][: self.column]
        elif letter == "J":
            self.lines[self.row] = self.lines[self.row][: self.column]
            del self.lines[self.row + 1:]
        elif arguments == "?25":
            self.cursor_hidden = letter == "l"
        elif not arguments.startswith("?"):
            self.unknown.append(arguments + letter)

    def feed(self, text):
        position = 0
        while position < len(text):
            char = text[position]
            match = SEQUENCE.match(text, position)
            if match:
                self.control(match.group(1), match.group(2))
                position = match.end()
                continue
            position += 1
            if char == "\r":
                self.column = 0
            elif char == "\n":
                self.row += 1
                self.lines += [""] * (self.row + 1 - len(self.lines))
            else:
                self.put(char)

    def text(self):
        return "\n".join(line.rstrip() for line in self.lines)


class OnTerminal(support.Case):
    def run_on_terminal(self, *arguments, during=None, width=WIDTH, env=None, name="items.jsonl",
                        latency="40ms", answer="text"):
        """Returns exit code and all that was written to the terminal."""
        simulator = self.simulate("--latency", latency, "--answer", answer)
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, width, 0, 0))
        process = subprocess.Popen(
            [support.LLMBATCH, "run", name, "--base-url", simulator.url, "--model", "m"] + list(arguments),
            cwd=self.dir, env=dict(self.env, **(env or {})), stdin=slave, stdout=slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        self.addCleanup(os.close, master)
        seen = b""
        end = time.monotonic() + 60 * support.PATIENCE
        while time.monotonic() < end:
            ready, _, _ = select.select([master], [], [], 0.05)
            if ready:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    break
                if not data:
                    break
                seen += data
            if during:
                during(process, seen.decode(errors="replace"), master)
        if process.poll() is None and time.monotonic() >= end:
            process.kill()
        code = process.wait()
        return code, seen.decode()

    def screen_of(self, text, width=WIDTH):
        screen = Screen(width)
        screen.feed(text)
        self.assertEqual(screen.unknown, [], "control sequences the test terminal does not know")
        return screen

    def test_live_display(self):
        self.prompts(60)
        code, text = self.run_on_terminal("--concurrency", "4")
        self.assertEqual(code, 0)
        self.assertRegex(text, r"[1-5]\d/60", "the display moves")
        self.assertIn("ETA", text)
        screen = self.screen_of(text)
        # The summary's lines are text and may be longer; the display never is.
        for line in re.split(r"[\r\n]+", SEQUENCE.sub("", text)):
            if re.search(r"\d+/60|in flight|req/|up to", line):
                self.assertLessEqual(len(line), WIDTH, line)
        self.assertFalse(screen.cursor_hidden)
        self.assertEqual(screen.style, "")
        self.assertEqual(len(re.findall(r"60/60", screen.text())), 1, screen.text())
        self.assertNotIn("59/60", screen.text())
        self.assertIn("items.jsonl.llmbatch.db", screen.text())

    def test_narrow_terminal(self):
        self.prompts(40)
        code, text = self.run_on_terminal("--concurrency", "4", width=24)
        self.assertEqual(code, 0)
        for line in re.split(r"[\r\n]+", SEQUENCE.sub("", text)):
            if re.search(r"\d+/40|in flight|req/|up to", line):
                self.assertLessEqual(len(line), 24, line)

    def test_width_change(self):
        self.prompts(80)
        state = {}

        def shrink(_process, seen, master):
            if re.search(r"[1-3]\d/80", seen) and "at" not in state:
                state["at"] = len(seen)
                fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, 30, 0, 0))

        code, text = self.run_on_terminal("--concurrency", "4", during=shrink)
        self.assertEqual(code, 0)
        self.assertIn("at", state, "the window was never changed")
        tail = text[state["at"]:]
        late = [line for line in re.split(r"[\r\n]+", SEQUENCE.sub("", tail)) if re.search(r"\d\d/80", line)]
        self.assertTrue(late)
        # One redraw may have been under way.
        for line in late[2:]:
            self.assertLessEqual(len(line), 30, line)

    def test_interrupt_leaves_a_clean_screen(self):
        self.prompts(400)
        state = {}

        def interrupt(_process, seen, master):
            if re.search(r"\d/400", seen) and "sent" not in state:
                state["sent"] = True
                os.write(master, b"\x03")  # typed, and echoed by the terminal in mid-line

        code, text = self.run_on_terminal("--concurrency", "4", during=interrupt)
        self.assertEqual(code, 130)
        screen = self.screen_of(text)
        self.assertFalse(screen.cursor_hidden)
        self.assertEqual(screen.style, "")
        self.assertEqual(screen.column, 0, "the shell's prompt starts on a line of its own")
        self.assertEqual(len(re.findall(r"\d+/400", screen.text())), 1, screen.text())
        self.assertIn("llmbatch run items.jsonl", screen.text())

    def test_no_color(self):
        self.prompts(20)
        code, text = self.run_on_terminal("--concurrency", "4", env={"NO_COLOR": "1"})
        self.assertEqual(code, 0)
        colours = [m.group(1) for m in SEQUENCE.finditer(text) if m.group(2) == "m" and re.search("[34][0-7]", m.group(1))]
        self.assertEqual(colours, [])

    def test_dumb_terminal_gets_plain_lines(self):
        self.prompts(20)
        code, text = self.run_on_terminal("--concurrency", "4", env={"TERM": "dumb"})
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", text)
        self.assertNotRegex(text, "\r(?!\n)")

    def test_control_characters_of_a_server_are_not_passed_on(self):
        evil = "\x1b]0;owned\x07\x1b[2J\x1b[31mred"

        def handler(_request, connection):
            body = json.dumps({"error": {"message": evil, "type": "invalid_request_error"}}).encode()
            connection.sendall(support.reply(body, "401 Unauthorized"))
            return True

        server = self.server(handler)
        self.prompts(2)
        _, text = self.run_on_terminal("--base-url", server.url)
        self.assertIn("red", text)
        self.assertNotIn("\x1b]0;", text)
        self.assertNotIn("\x1b[2J", text)
        self.assertNotIn("\x07", text)

    def test_file_name_with_control_characters(self):
        name = "a\x1b[2Jb.jsonl"
        self.prompts(2, name=name)
        code, text = self.run_on_terminal(name=name)
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b[2J", text)


class NotATerminal(support.Case):
    def stamped_lines(self, *arguments):
        """[(time, line)] of stderr, and the exit code."""
        simulator = self.simulate("--latency", "20ms")
        self.prompts(1500)
        process = subprocess.Popen(
            [support.LLMBATCH, "run", "items.jsonl", "--base-url", simulator.url, "--model", "m", "--concurrency",
             "8"] + list(arguments), cwd=self.dir, env=self.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        lines = [(time.monotonic(), line.decode()) for line in process.stderr]
        self.assertEqual(process.stdout.read(), b"", "stdout carries data only")
        process.stderr.close()
        process.stdout.close()
        self.assertEqual(process.wait(), 0)
        return lines

    def test_log_lines_are_rare_and_plain(self):
        lines = self.stamped_lines()
        self.assertNotIn("\x1b", "".join(line for _, line in lines))
        progress = [(t, line) for t, line in lines if re.search(r"[\d,]+/1,?500 done", line) and "finished" not in line]
        self.assertGreaterEqual(len(progress), 2, "one line per 100 items")
        for (before, _), (after, line) in zip(progress, progress[1:]):
            self.assertGreaterEqual(after - before, 0.9, line)

    def test_json_events(self):
        lines = self.stamped_lines("--progress", "json", "--progress-items")
        events = [json.loads(line) for _, line in lines]
        kinds = [event["type"] for event in events]
        self.assertEqual(kinds[:2], ["message", "run_started"])
        self.assertTrue(events[0]["message"].startswith("estimate: "), events[0])
        self.assertEqual(kinds[-1], "run_finished")
        self.assertEqual(kinds.count("item_finished"), 1500)
        self.assertGreaterEqual(kinds.count("progress"), 2)
        self.assertTrue(all("time" in event for event in events))
        finished = events[-1]
        self.assertEqual(finished["items"]["succeeded"], 1500)
        self.assertEqual({e["id"] for e in events if e["type"] == "item_finished"},
                         {"t-%d" % i for i in range(1, 1501)})

    def test_paused_event(self):
        simulator = self.simulate("--quota-after", "3")
        self.prompts(50)
        process = self.run_file(simulator, "--progress", "json", "--concurrency", "2", code=4)
        kinds = [json.loads(line)["type"] for line in process.stderr.splitlines()]
        self.assertIn("run_paused", kinds)

    def test_quiet(self):
        simulator = self.simulate()
        self.prompts(20)
        process = self.run_file(simulator, "--quiet", code=0)
        self.assertEqual(process.stdout + process.stderr, "")

    def test_progress_none(self):
        simulator = self.simulate()
        self.prompts(250)
        process = self.run_file(simulator, "--progress", "none", code=0)
        self.assertNotIn("/250", process.stderr)

    def test_log_file(self):
        simulator = self.simulate()
        self.prompts(5)
        self.run_file(simulator, "--log-file", "run.log", "--log-format", "json", "--quiet", code=0)
        with open(self.path("run.log")) as file:
            for line in file:
                json.loads(line)

    def test_reader_of_the_log_that_goes_away(self):
        simulator = self.simulate()
        self.prompts(300)
        read, write = os.pipe()
        os.close(read)
        process = subprocess.Popen([support.LLMBATCH, "run", "items.jsonl", "--base-url", simulator.url, "--model",
                                    "m"], cwd=self.dir, env=self.env, stderr=write, stdin=subprocess.DEVNULL)
        os.close(write)
        self.assertEqual(process.wait(30 * support.PATIENCE), 0, "a closed stderr does not stop the run")
        self.assert_all_succeeded(300)


if __name__ == "__main__":
    support.main()
