"""What the end-to-end tests share: the binary under test, a simulator, a scripted server, deadlines.

Every server listens on a free loopback port and is ended through its own process or thread. Nothing
here sleeps for a fixed time in the hope that something has happened by then: see wait_for().
"""

import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

# Sanitizer builds and busy machines are slower: every deadline is multiplied by this.
PATIENCE = float(os.environ.get("LLMBATCH_E2E_PATIENCE", "1"))
SKIPPED = 77


def find_binary():
    given = os.environ.get("LLMBATCH")
    if given:
        return os.path.abspath(given)
    root = pathlib.Path(__file__).resolve().parents[2]
    for candidate in sorted(root.glob("build/*/llmbatch")) + [root / "build" / "llmbatch"]:
        if os.access(candidate, os.X_OK) and candidate.is_file():
            return str(candidate)
    sys.exit("no llmbatch binary: set LLMBATCH to its path")


LLMBATCH = find_binary()


def clean_environment(home):
    """The caller's environment without anything that could change what llmbatch does."""
    env = {}
    for name, value in os.environ.items():
        upper = name.upper()
        if upper.startswith("LLMBATCH") or "API_KEY" in upper or upper.endswith("_PROXY"):
            continue
        if upper in ("NO_COLOR", "TERM", "COLUMNS", "LINES", "AZURE_OPENAI_ENDPOINT", "CURL_CA_BUNDLE",
                     "SSL_CERT_FILE", "SSL_CERT_DIR"):
            continue
        env[name] = value
    env.update(HOME=str(home), XDG_CONFIG_HOME=str(home), TERM="xterm", LANG="C.UTF-8")
    return env


def wait_for(condition, what, timeout=20.0, interval=0.01):
    """Polls until condition() is true and returns its value; fails at the deadline."""
    end = time.monotonic() + timeout * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %.0f s: %s" % (timeout * PATIENCE, what))
        time.sleep(interval)


def rfc3339_in(seconds):
    """A time in so many seconds, as llmbatch takes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


class Process:
    """A started llmbatch whose output goes to files, so that no pipe can fill up."""

    def __init__(self, arguments, cwd, env, stdin=None, name="run"):
        self.stdout_path = tempfile.mktemp(prefix=name + ".", suffix=".out", dir=cwd)
        self.stderr_path = self.stdout_path[:-4] + ".err"
        with open(self.stdout_path, "wb") as out, open(self.stderr_path, "wb") as err:
            self.popen = subprocess.Popen([LLMBATCH] + [str(a) for a in arguments], cwd=cwd, env=env,
                                          stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err)
        self.pid = self.popen.pid

    @property
    def stdout(self):
        return pathlib.Path(self.stdout_path).read_text(errors="replace")

    @property
    def stderr(self):
        return pathlib.Path(self.stderr_path).read_text(errors="replace")

    def running(self):
        return self.popen.poll() is None

    def send(self, number):
        self.popen.send_signal(number)

    def wait(self, timeout=60.0):
        """The exit code; -N when signal N ended it."""
        try:
            return self.popen.wait(timeout * PATIENCE)
        except subprocess.TimeoutExpired:
            self.end()
            raise AssertionError("llmbatch did not end within %.0f s; stderr:\n%s" %
                                 (timeout * PATIENCE, self.stderr[-3000:])) from None

    def end(self):
        if self.running():
            self.popen.kill()
        self.popen.wait()


class Simulator:
    def __init__(self, process, url, log):
        self.process = process
        self.url = url  # with the version path: http://127.0.0.1:PORT/v1
        self.origin = url[: url.rindex("/")]
        self.log_path = log

    def requests(self):
        """One dict per request, in the order of arrival."""
        text = pathlib.Path(self.log_path).read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def count(self):
        return len(self.requests())

    def stop(self):
        if self.process.running():
            self.process.send(signal.SIGTERM)
            try:
                self.process.popen.wait(5 * PATIENCE)
            except subprocess.TimeoutExpired:
                pass
        self.process.end()


class Case(unittest.TestCase):
    """A test with a directory of its own, in which every command runs."""

    longMessage = True

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix="llmbatch-e2e-")
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.env = clean_environment(self.dir)

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, content):
        if isinstance(content, str):
            content = content.encode()
        with open(self.path(name), "wb") as file:
            file.write(content)
        return self.path(name)

    def write_items(self, name, items):
        return self.write(name, "".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items))

    def prompts(self, count, name="items.jsonl", text="say %d"):
        return self.write_items(name, [{"id": "t-%d" % i, "prompt": text % i} for i in range(1, count + 1)])

    def start(self, *arguments, env=None, stdin=None, cwd=None):
        merged = dict(self.env, **(env or {}))
        process = Process(arguments, cwd or self.dir, merged, stdin)
        self.addCleanup(process.end)
        return process

    def call(self, *arguments, env=None, stdin=None, timeout=60.0, code=None, cwd=None):
        """Runs to the end. `stdin` may be bytes."""
        handle = None
        if isinstance(stdin, bytes):
            handle = tempfile.TemporaryFile()
            handle.write(stdin)
            handle.seek(0)
            stdin = handle
        process = self.start(*arguments, env=env, stdin=stdin, cwd=cwd)
        process.code = process.wait(timeout)
        if handle:
            handle.close()
        if code is not None:
            self.assertEqual(process.code, code, "llmbatch %s\n%s%s" % (
                " ".join(map(str, arguments)), process.stdout[-1500:], process.stderr[-3000:]))
        return process

    def run_file(self, server, *arguments, file="items.jsonl", model="m", **options):
        """`llmbatch run` of a file against a server, to its end."""
        return self.call("run", file, "--base-url", server.url, "--model", model, *arguments, **options)

    def start_file(self, server, *arguments, file="items.jsonl", model="m", **options):
        return self.start("run", file, "--base-url", server.url, "--model", model, *arguments, **options)

    def simulate(self, *arguments, name="simulator"):
        log = self.path(name + ".log")
        open(log, "a").close()
        process = Process(["simulate", "--log", log] + list(arguments), self.dir, self.env, name=name)
        self.addCleanup(process.end)
        url = wait_for(lambda: process.stdout.splitlines()[:1] and process.stdout.endswith("\n") or
                       not process.running(), "the simulator's URL")
        if not process.running():
            self.fail("the simulator ended: " + process.stderr)
        url = process.stdout.splitlines()[0].strip()
        return Simulator(process, url, log)

    def server(self, handler, tls=None):
        server = ScriptedServer(handler, tls)
        self.addCleanup(server.stop)
        return server

    def mount(self, target, *arguments):
        """Mounts something at `target` until the test ends; skips the test where that is forbidden."""
        try:
            done = subprocess.run(["mount", *arguments, target], capture_output=True, check=False)
        except FileNotFoundError:
            self.skipTest("no mount command")
        if done.returncode != 0:
            self.skipTest("cannot mount: " + done.stderr.decode(errors="replace").strip())
        self.addCleanup(subprocess.run, ["umount", "-l", target], check=False)

    # Databases

    def database(self, name="items.jsonl"):
        return self.path(name + ".llmbatch.db")

    def query(self, sql, *parameters, database=None):
        return query(database or self.database(), sql, *parameters)

    def states(self, database=None):
        """{id: state} of every item with a final state."""
        return dict(self.query("select id, state from results", database=database))

    def state_counts(self, database=None):
        return dict(self.query("select state, count(*) from results group by state", database=database))

    def assert_all_succeeded(self, count, database=None):
        self.assertEqual(self.state_counts(database), {"succeeded": count})

    def assert_sound(self, database=None):
        self.assertEqual(self.query("pragma integrity_check", database=database), [("ok",)])


def query(database, sql, *parameters):
    connection = sqlite3.connect(database, timeout=20)
    try:
        return connection.execute(sql, parameters).fetchall()
    finally:
        connection.close()


def change(database, sql, *parameters):
    connection = sqlite3.connect(database, timeout=20)
    try:
        with connection:
            connection.execute(sql, parameters)
    finally:
        connection.close()


# Scripted server


class Request:
    def __init__(self, method, path, headers, body, connection_number, number_on_connection):
        self.method = method
        self.path = path
        self.headers = headers  # names in lower case
        self.body = body
        self.connection_number = connection_number
        self.number_on_connection = number_on_connection

    def json(self):
        return json.loads(self.body)

    def prompt(self):
        return self.json()["messages"][-1]["content"]


class ScriptedServer:
    """A threaded HTTP/1.1 server for traps. `handler(request, socket)` sends what it likes and
    returns True to keep the connection open."""

    def __init__(self, handler, tls=None):
        self.handler = handler
        self.tls = tls  # an ssl.SSLContext, or None for plain HTTP
        self.requests = []
        self.lock = threading.Lock()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(256)
        self.port = self.listener.getsockname()[1]
        self.origin = "http%s://127.0.0.1:%d" % ("s" if tls else "", self.port)
        self.url = self.origin + "/v1"
        self.connections = 0
        self.sockets = set()
        self.stopped = False
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.stopped:
                    connection.close()
                    return
                self.connections += 1
                number = self.connections
                self.sockets.add(connection)
            threading.Thread(target=self._serve, args=(connection, number), daemon=True).start()

    def _serve(self, connection, number):
        on_connection = 0
        try:
            if self.tls:
                connection = self._encrypted(connection)
            stream = connection.makefile("rb")
            while True:
                request = self._read(stream, number, on_connection + 1)
                if request is None:
                    break
                on_connection += 1
                with self.lock:
                    self.requests.append(request)
                if not self.handler(request, connection):
                    break
        except OSError:
            pass
        finally:
            with self.lock:
                self.sockets.discard(connection)
            try:
                # A reader that is still open would keep the descriptor, and with it the connection.
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def _encrypted(self, plain):
        encrypted = self.tls.wrap_socket(plain, server_side=True)
        with self.lock:
            self.sockets.discard(plain)
            self.sockets.add(encrypted)
        return encrypted

    @staticmethod
    def _read(stream, number, on_connection):
        first = stream.readline()
        if first.count(b" ") < 2:
            return None  # no HTTP, a TLS greeting for example
        method, path, _ = first.decode("latin-1").split(" ", 2)
        headers = {}
        while True:
            line = stream.readline()
            if line in (b"\r\n", b"\n", b""):
                break
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", "0")))
        return Request(method, path, headers, body, number, on_connection)

    def count(self):
        with self.lock:
            return len(self.requests)

    def stop(self):
        with self.lock:
            self.stopped = True
            sockets = list(self.sockets)
        for one in [self.listener] + sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()
        self.thread.join(5)


def completion(text="fine", **changes):
    """The body of a chat completion."""
    body = {"id": "c-1", "object": "chat.completion", "created": 1790000000, "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}
    body.update(changes)
    return json.dumps(body).encode()


def reply(body, status="200 OK", headers=(), content_type="application/json"):
    """The bytes of a whole HTTP answer."""
    lines = ["HTTP/1.1 " + status, "Content-Type: " + content_type, "Content-Length: %d" % len(body)]
    lines += ["%s: %s" % pair for pair in headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def answer(_request, connection):
    """A handler that answers everything."""
    connection.sendall(reply(completion()))
    return True


# Input forms


def zstd_frame(data):
    """A valid zstd frame of stored blocks: Python's standard library has no zstd."""
    frame = struct.pack("<I", 0xFD2FB528) + bytes([0xA0]) + struct.pack("<I", len(data))
    blocks = [data[i:i + 100_000] for i in range(0, len(data), 100_000)] or [b""]
    for index, block in enumerate(blocks):
        last = index == len(blocks) - 1
        frame += struct.pack("<I", len(block) << 3 | int(last))[:3] + block
    return frame


def main():
    """Runs the tests of the calling file; exit code 77 when not one of them could run."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == 0 or len(result.skipped) == result.testsRun:
        sys.exit(SKIPPED)
    sys.exit(0)
