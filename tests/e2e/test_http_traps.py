"""Servers that lay traps: reused connections that die, redirects, endless answers."""

import gzip
import json
import threading

import support


class HttpTraps(support.Case):
    def attempts(self):
        return self.query("select coalesce(sum(transmissions), 0), count(*) from attempts")[0]

    def test_reused_connections_closed_after_the_request(self):
        """libcurl would send such a POST again by itself."""
        def handler(request, connection):
            if request.number_on_connection > 1:
                return False  # read it, then close without a byte
            return support.answer(request, connection)

        server = self.server(handler)
        self.prompts(12)
        self.run_file(server, "--concurrency", "4", "--max-retries", "20", "--max-error-rate", "100%", code=0,
                      timeout=120)
        self.assert_all_succeeded(12)
        sent, rows = self.attempts()
        self.assertGreater(server.count(), 12, "the trap was never sprung")
        self.assertEqual(server.count(), sent, "a call was made that no attempt records")
        self.assertGreaterEqual(server.count(), rows)

    def test_idle_connections_closed_by_the_server(self):
        """Closed between two requests: the next one goes over a fresh connection."""
        def handler(request, connection):
            support.answer(request, connection)
            return False

        server = self.server(handler)
        self.prompts(100)
        self.run_file(server, "--concurrency", "4", "--max-error-rate", "100%", code=0)
        self.assert_all_succeeded(100)
        # A call into a connection that was just closed counts, even though the server never read it.
        self.assertLessEqual(server.count(), self.attempts()[0])

    def test_connections_are_reused(self):
        server = self.server(support.answer)
        self.prompts(200)
        self.run_file(server, "--concurrency", "4", code=0)
        self.assertLessEqual(server.connections, 8)

    def redirected(self, status):
        thief = self.server(support.answer)

        def handler(_request, connection):
            location = "http://localhost:%d/v1/chat/completions" % thief.port
            connection.sendall(support.reply(b"", status, [("Location", location)]))
            return True

        server = self.server(handler)
        self.prompts(2)
        process = self.run_file(server, "--max-retries", "1", "--max-error-rate", "100%",
                                env={"LLMBATCH_API_KEY": "sk-redirected"})
        self.assertNotEqual(process.code, 0)
        self.assertEqual([r.headers.get("authorization") for r in thief.requests], [],
                         "the key went to another host")
        self.assertNotIn("succeeded", self.state_counts())

    def test_redirect_is_not_followed(self):
        self.redirected("302 Found")

    def test_permanent_redirect_is_not_followed(self):
        self.redirected("308 Permanent Redirect")

    def test_oversized_answer(self):
        def handler(_request, connection):
            connection.sendall(support.reply(support.completion("x" * 3_000_000)))
            return True

        server = self.server(handler)
        self.prompts(1)
        self.run_file(server, "--max-response-size", "1MiB", "--max-error-rate", "100%", code=3)
        self.assertEqual(self.query("select state, error, attempts from results"), [("failed", "response_too_large", 1)])
        message, = self.query("select error_message from results")[0]
        self.assertRegex(message, r"1(\.0)? ?MiB|1048576|1,048,576|max-response-size")

    def test_endless_answer(self):
        stop = threading.Event()
        self.addCleanup(stop.set)

        def handler(_request, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n")
            while not stop.is_set():
                connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
            return False

        server = self.server(handler)
        self.prompts(1)
        self.run_file(server, "--max-response-size", "2MiB", code=3, timeout=30)
        self.assertEqual(self.query("select error from results"), [("response_too_large",)])

    def test_compressed_bomb_is_capped_too(self):
        bomb = gzip.compress(b" " * 30_000_000)

        def handler(_request, connection):
            connection.sendall(support.reply(bomb, headers=[("Content-Encoding", "gzip")]))
            return True

        server = self.server(handler)
        self.prompts(1)
        self.run_file(server, "--max-response-size", "1MiB", code=3, timeout=30)
        self.assertEqual(self.query("select error from results"), [("response_too_large",)])

    def test_compressed_answer(self):
        def handler(request, connection):
            self.assertIn("gzip", request.headers["accept-encoding"])
            connection.sendall(support.reply(gzip.compress(support.completion("packed")),
                                             headers=[("Content-Encoding", "gzip")]))
            return True

        self.prompts(1)
        self.run_file(self.server(handler), code=0)
        self.assertEqual(self.query("select output from results"), [("packed",)])

    def test_odd_answers_never_succeed(self):
        good = support.completion()
        odd = {
            "no length, cut": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + good[:40],
            "longer than told": support.reply(good).replace(b"Content-Length: ", b"Content-Length: 9"),
            "garbage": b"\x00\x01\x02 hello\r\n\r\n",
            "null choices": support.reply(support.completion(choices=None)),
            "choices of another type": support.reply(support.completion(choices="text")),
            "empty choice": support.reply(support.completion(choices=[{}])),
            "array": support.reply(b"[]"),
            "number": support.reply(b"42"),
            "string": support.reply(b'"fine"'),
            "null": support.reply(b"null"),
            "deep": support.reply(b"[" * 100_000),
            "page": support.reply(b"<html>busy</html>", content_type="text/html"),
            "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "nothing to read": support.reply(b"", "204 No Content"),
        }

        def handler(request, connection):
            connection.sendall(odd[request.prompt()])
            return False

        server = self.server(handler)
        self.write_items("items.jsonl", [{"id": name, "prompt": name} for name in odd])
        self.run_file(server, "--max-retries", "1", "--timeout", "3", "--max-error-rate", "100%", code=3)
        states = self.states()
        self.assertEqual(len(states), len(odd))
        for name in odd:
            with self.subTest(name):
                self.assertIn(states[name], ("failed", "flagged"))
        self.assertLessEqual(server.count(), self.attempts()[0])

    def test_answer_that_is_not_utf8_is_stored_raw(self):
        body = b'{"choices":[{"message":{"content":"a\xff\xfeb"},"finish_reason":"stop"}]}'

        def handler(_request, connection):
            connection.sendall(support.reply(body))
            return True

        self.prompts(1)
        self.run_file(self.server(handler))
        self.assertEqual(self.query("select distinct response from attempts"), [(body,)])
        for line in self.call("export", self.database(), code=0).stdout.splitlines():
            json.loads(line)

    def test_proxy_of_the_environment(self):
        def handler(request, connection):
            self.assertTrue(request.path.startswith("http://api.invalid/"), request.path)
            return support.answer(request, connection)

        proxy = self.server(handler)
        self.prompts(2)
        self.call("run", "items.jsonl", "--base-url", "http://api.invalid/v1", "--model", "m",
                  env={"http_proxy": proxy.origin}, code=0)
        self.assertEqual(proxy.count(), 2)

    def test_untrusted_certificate_is_refused(self):
        # A plain server behind https is no TLS server at all: nothing may be sent in clear.
        server = self.server(support.answer)
        self.prompts(1)
        self.call("run", "items.jsonl", "--base-url", server.origin.replace("http:", "https:") + "/v1", "--model",
                  "m", "--max-retries", "0", "--connect-timeout", "3", "--timeout", "5", code=3, timeout=30)
        self.assertEqual(self.state_counts(), {"failed": 1})


if __name__ == "__main__":
    support.main()
