"""A server that dies and comes back."""

import socket
import threading

import support


class Outages(support.Case):
    def test_server_dies_and_comes_back(self):
        simulator = self.simulate("--latency", "20ms", "--die-after", "60", "--down-for", "1500ms")
        self.prompts(200)
        self.run_file(simulator, "--concurrency", "8", code=0, timeout=60)
        self.assert_all_succeeded(200)
        self.assertGreater(self.query("select count(*) from attempts where error_class <> 0")[0][0], 0,
                           "the outage was not felt: nothing is proved")

    def test_server_that_stays_away_fails_the_items(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.prompts(3)
        process = self.call("run", "items.jsonl", "--base-url", "http://127.0.0.1:%d/v1" % port,
                            "--model", "m", "--max-retries", "1", code=3)
        self.assertEqual(self.state_counts(), {"failed": 3})
        self.assertEqual(self.query("select distinct error, attempts from results"), [("connection", 2)])
        self.assertIn("--retry failed", process.stderr, "the way on")

    def test_resume_after_an_outage(self):
        simulator = self.simulate()
        port = simulator.url.split(":")[2].split("/")[0]
        self.prompts(20)
        simulator.stop()
        self.run_file(simulator, "--max-retries", "0", "--max-error-rate", "100%", code=3)
        self.assertEqual(self.state_counts(), {"failed": 20})
        again = self.simulate("--port", port)
        self.run_file(again, code=3)
        self.assertEqual(again.count(), 0, "what is final is not sent again by itself")
        self.run_file(again, "--retry", "failed", code=0)
        self.assert_all_succeeded(20)
        self.assertEqual(again.count(), 20)

    def test_hanging_server_times_out_and_is_retried_once(self):
        simulator = self.simulate()
        self.write_items("items.jsonl", [{"id": "recovers", "prompt": "[[sim:hang,ok]]"},
                                         {"id": "hangs", "prompt": "[[sim:hang]]"}])
        self.run_file(simulator, "--timeout", "1", code=3)
        self.assertEqual(self.query("select id, state, error, attempts from results order by line"),
                         [("recovers", "succeeded", None, 2), ("hangs", "failed", "timeout", 2)])

    def test_trickling_answer_is_cut_at_the_timeout(self):
        stop = threading.Event()
        self.addCleanup(stop.set)

        def handler(_request, connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                               b"Content-Length: 100000\r\n\r\n")
            while not stop.wait(0.1):
                connection.sendall(b" ")
            return False

        server = self.server(handler)
        self.prompts(1)
        self.run_file(server, "--timeout", "1", "--max-retries", "0", code=3, timeout=15)
        self.assertEqual(self.query("select state, error from results"), [("failed", "timeout")])


if __name__ == "__main__":
    support.main()
