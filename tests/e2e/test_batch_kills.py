"""kill -9 of a run through provider batches: at each step boundary, and 100 times at random. Every upload
and every create happens exactly once, and every item is paid once."""

import http.client
import json
import os
import random
import signal
import subprocess
import threading
import time
import urllib.request

import support

ITEMS = 12
KILLS = 100


class Proxy:
    """Passes requests on to the simulator; `at(number, point)` may end the client at four points of each."""

    POINTS = ("before the request", "before the answer", "in the answer", "after the answer")

    def __init__(self, case, upstream):
        self.upstream = upstream
        self.target = None  # (number of the request, point)
        self.victim = None
        self.seen = 0
        self.ready = threading.Event()
        self.server = case.server(self.handle)

    def kill_at(self, number, point):
        self.target, self.seen, self.victim = (number, point), 0, None
        self.ready.clear()

    def aim(self, pid):
        self.victim = pid
        self.ready.set()

    def due(self, point):
        return self.target == (self.seen, point)

    def kill(self):
        self.ready.wait(20)
        os.kill(self.victim, signal.SIGKILL)
        self.target = None
        return False

    def handle(self, request, connection):
        self.seen += 1
        if self.due("before the request"):
            return self.kill()
        status, headers, body = self.forward(request)
        if self.due("before the answer"):
            return self.kill()
        message = support.reply(body, status, headers, "application/json")
        if self.due("in the answer"):
            connection.sendall(message[:-max(1, len(body) // 2)])
            return self.kill()
        connection.sendall(message)
        if self.due("after the answer"):
            return self.kill()
        return True

    def forward(self, request):
        host, port = self.upstream.split("//")[1].split(":")
        upstream = http.client.HTTPConnection(host, int(port), timeout=60)
        headers = {k: v for k, v in request.headers.items() if k not in ("host", "connection", "expect")}
        headers["Host"] = "127.0.0.1:%d" % self.server.port
        upstream.request(request.method, request.path, request.body, headers)
        answer = upstream.getresponse()
        body = answer.read()
        kept = [(k, v) for k, v in answer.getheaders()
                if k.lower().startswith("x-goog") or k.lower() == "content-range"]
        upstream.close()
        return "%d %s" % (answer.status, answer.reason or "X"), kept, body


class KillCase(support.Case):
    def stats(self, server):
        with urllib.request.urlopen(server.origin + "/stats") as reply:
            return json.load(reply)

    def command(self, url, *arguments):
        return ["run", "items.jsonl", "--base-url", url, "--model", "m", "--via", "batch", "--poll-interval", "0.1",
                "--quiet", *arguments]


class StepBoundaries(KillCase):
    def kill_everywhere(self, base, *arguments, env=None, uploads=1):
        for point in Proxy.POINTS:
            number = 1
            while self.kill_once(base, number, point, arguments, env, uploads):
                number += 1
            self.assertGreater(number, 4, "fewer requests than there are steps")

    def kill_once(self, base, number, point, arguments, env, uploads):
        """False when the run had fewer requests than that."""
        simulator = self.simulate("--batch-latency", "250ms")
        proxy = Proxy(self, simulator.origin)
        database = self.path("x.db")
        self.prompts(ITEMS)
        proxy.kill_at(number, point)
        command = self.command(proxy.server.origin + base, "--db", database, *arguments)
        process = self.start(*command, env=env)
        proxy.aim(process.pid)
        code = process.wait()
        with self.subTest(number=number, point=point):
            if code != 0:
                self.assertEqual(code, -signal.SIGKILL, process.stderr)
            proxy.target = None
            self.call(*command, env=env, code=0)
            self.assert_all_succeeded(ITEMS, database)
            self.assert_sound(database)
            stats = self.stats(simulator)
            self.assertEqual((stats["files_uploaded"], stats["batches_created"], stats["batch_lines_answered"],
                              stats["answered_again"]), (uploads, 1, ITEMS, 0), stats)
        simulator.stop()
        for suffix in ("", "-wal", "-shm", ".lock"):
            if os.path.exists(database + suffix):
                os.unlink(database + suffix)
        self.assertEqual([name for name in os.listdir(self.dir) if ".batch-" in name], [])
        return code != 0

    def test_with_files(self):
        self.kill_everywhere("/v1")

    def test_inline_without_a_tag(self):
        self.kill_everywhere("", "--provider", "anthropic", "--max-tokens", "50", env={"ANTHROPIC_API_KEY": "k"},
                             uploads=0)


class RandomKills(KillCase):
    def test_a_hundred_kills(self):
        count = 600
        simulator = self.simulate("--batch-latency", "400ms", "--batch-expire", "5%")
        self.prompts(count)
        seed = int(os.environ.get("LLMBATCH_E2E_SEED", time.time_ns() % 100_000))
        print("seed", seed, "(repeat with LLMBATCH_E2E_SEED)", flush=True)
        dice = random.Random(seed)
        command = self.command(simulator.url, "--batch-size", "12")
        kills = ended = 0
        span = 0.12 * support.PATIENCE
        while kills < KILLS:
            process = self.start(*command)
            try:
                code = process.popen.wait(dice.uniform(0, span))
            except subprocess.TimeoutExpired:
                process.send(signal.SIGKILL)
                # It may have come to its end a moment before.
                code = process.wait()
            self.assertIn(code, (0, -signal.SIGKILL), process.stderr)
            kills += code != 0
            if code == 0:
                # There has to be something to be killed at, however fast the machine is.
                ended, span, count = ended + 1, span * 0.8, count + 120
                self.assertLess(ended, KILLS, "the runs end before they can be killed")
                self.prompts(count)
        self.call(*command, code=0)
        self.assert_all_succeeded(count)
        self.assert_sound()
        stats = self.stats(simulator)
        self.assertEqual(stats["answered_again"], 0, stats)
        self.assertEqual(stats["batch_lines_answered"], count)
        self.assertEqual(stats["files_uploaded"], stats["batches_created"])
        submitted = self.query("select count(*) from batch_log where provider_id <> ''")[0][0]
        self.assertEqual(submitted, stats["batches_created"])
        self.assertEqual([name for name in os.listdir(self.dir) if ".batch-" in name], [])


if __name__ == "__main__":
    support.main()
