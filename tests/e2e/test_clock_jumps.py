"""Wall times in the database that the clock does not agree with: neither a stall nor a burst."""

import time

import support
import test_rates

DAY = 86_400


class ClockJumps(support.Case):
    def stored_state(self):
        state, = self.query("select limiter_state from progress")[0]
        return state.decode() if isinstance(state, bytes) else state

    def shift(self, seconds):
        """What the database holds after the clock was set by that much."""
        words = self.stored_state().split(" ")
        # The second word is the wall time of storing, in nanoseconds.
        self.assertLess(abs(int(words[1]) / 1e9 - time.time()), 60, "the state has another form now")
        words[1] = str(int(words[1]) + int(seconds * 1e9))
        self.shift_days(words, seconds)
        support.change(self.database(), "update progress set limiter_state = ?", " ".join(words).encode())
        milliseconds = int(seconds * 1000)
        support.change(self.database(), "update runs set started_ms = started_ms + ?, finished_ms = finished_ms + ?",
                       milliseconds, milliseconds)
        support.change(self.database(), "update status set updated_ms = updated_ms + ?", milliseconds)
        support.change(self.database(), "update items set finished_ms = finished_ms + ?", milliseconds)
        support.change(self.database(), "update attempts set started_ms = started_ms + ?", milliseconds)

    @staticmethod
    def shift_days(words, seconds):
        """The slices of the rolling day: their count and pairs of number and amount, at the end."""
        at = 5
        for _ in range(3):  # the token buckets: an offset, a count, and as many pairs
            at += 2 + 2 * int(words[at + 1])
        for index in range(int(words[at])):
            number = at + 1 + 2 * index
            words[number] = str(int(int(words[number]) * (1 + seconds / time.time())))

    def check(self, seconds):
        first = self.simulate(name="first")
        port = first.url.split(":")[2].split("/")[0]
        self.prompts(20)
        self.run_file(first, "--rpm", "1200", "--quiet", code=0)
        first.stop()
        self.shift(seconds)
        self.prompts(60)
        second = self.simulate("--port", port, name="second")
        begin = time.monotonic()
        self.run_file(second, "--rpm", "1200", "--quiet", code=0, timeout=30)
        took = time.monotonic() - begin
        self.assert_all_succeeded(60)
        stamps = test_rates.times(second)
        self.assertEqual(len(stamps), 40)
        # 40 requests at 20 a second are 2 s.
        self.assertLess(took, 2 + 2.5 * support.PATIENCE, "the run stalled")
        self.assertLessEqual(test_rates.most_in(stamps, 1), 20 + 4, "the run burst")
        self.call("status", self.database(), code=0)
        self.assertEqual(len(self.call("export", self.database(), code=0).stdout.splitlines()), 60)

    def test_clock_set_back_a_day(self):
        self.check(DAY)

    def test_clock_set_back_ten_years(self):
        self.check(3650 * DAY)

    def test_clock_set_back_a_little(self):
        self.check(30)

    def test_clock_set_forward_a_day(self):
        self.check(-DAY)

    def test_clock_set_forward_fifty_years(self):
        self.check(-50 * 365 * DAY)

    def test_day_count_of_the_future_still_counts(self):
        simulator = self.simulate()
        self.prompts(10)
        self.run_file(simulator, "--rpd", "6", code=4)
        self.shift(DAY * 3)
        self.run_file(simulator, "--rpd", "6", code=4)
        self.assertEqual(simulator.count(), 6)

    def test_damaged_limiter_state_is_no_obstacle(self):
        simulator = self.simulate()
        self.prompts(5)
        self.run_file(simulator, "--rpm", "1200", code=0)
        for state in (b"", b"garbage", b"1 99999999999999999999999 1", b"1 -5 -5 -5 -5 -5 -5", b"\x00\xff"):
            support.change(self.database(), "update progress set limiter_state = ?", state)
            items = self.prompts(int(self.query("select count(*) from items")[0][0]) + 2)
            self.run_file(simulator, "--rpm", "1200", code=0, timeout=20, file=items)


if __name__ == "__main__":
    support.main()
