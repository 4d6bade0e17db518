"""Rates as an independent log shows them: the share of every window, no burst, over a kill -9 too."""

import datetime
import json
import signal
import time
import urllib.request

import support


def times(simulator):
    return sorted(datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")).timestamp()
                  for line in simulator.requests())


def most_in(stamps, seconds):
    """The largest number of requests in any window of that length."""
    most = start = 0
    for end, stamp in enumerate(stamps):
        while stamps[start] <= stamp - seconds:
            start += 1
        most = max(most, end - start + 1)
    return most


class Rates(support.Case):
    def test_twenty_seconds_with_a_kill_in_the_middle(self):
        simulator = self.simulate("--latency", "30ms")
        self.prompts(400)
        begin = time.time()
        process = self.start_file(simulator, "--rpm", "1200", "--quiet")
        support.wait_for(lambda: simulator.count() >= 140, "140 requests")
        process.send(signal.SIGKILL)
        process.wait()
        self.run_file(simulator, "--rpm", "1200", "--quiet", code=0)
        took = time.time() - begin
        stamps = times(simulator)
        self.assertGreaterEqual(len(stamps), 400)
        # 20 a second. The log is written by a process that has to share the machine: a few may slip.
        self.assertLessEqual(most_in(stamps, 10), 200 + 4)
        self.assertLessEqual(most_in(stamps, 1), 20 + 6)
        first_second = [s for s in stamps if s < stamps[0] + 1]
        self.assertLessEqual(len(first_second), 20 + 3, "a burst at the start")
        # 400 requests are 20 s; the kill costs the calls in flight, a start and a held bucket.
        self.assertGreater(stamps[-1] - stamps[0], 399 / 20 * 0.985)
        self.assertLess(took, 20 + 3 * support.PATIENCE, "the share of the limit is used")

    def test_resuming_again_and_again_is_no_way_around_the_limit(self):
        simulator = self.simulate()
        self.prompts(1000)
        end = time.time() + 8
        while time.time() < end:
            process = self.start_file(simulator, "--rpm", "600", "--quiet")
            time.sleep(0.6)
            process.send(signal.SIGKILL)
            process.wait()
        stamps = times(simulator)
        self.assertGreater(len(stamps), 10, "nothing was sent: nothing is proved")
        self.assertLessEqual(most_in(stamps, 5), 50 + 3)

    def test_headers_set_the_pace_without_a_flag(self):
        simulator = self.simulate("--rpm", "1200", "--latency", "20ms")
        self.prompts(120)
        self.run_file(simulator, "--quiet", code=0)
        self.assert_all_succeeded(120)
        refused = sum(line["outcome"] == "rate_limited" for line in simulator.requests())
        self.assertLessEqual(refused, 12, "the limit in the headers was not kept")

    def test_concurrency_is_kept(self):
        simulator = self.simulate("--latency", "50ms")
        self.prompts(60)
        self.run_file(simulator, "--concurrency", "3", "--quiet", code=0)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(simulator.origin + "/stats") as reply:
            self.assertEqual(json.load(reply)["max_in_flight"], 3)


if __name__ == "__main__":
    support.main()
