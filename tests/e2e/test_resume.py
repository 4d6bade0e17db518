"""What a second run does and does not do again."""

import os
import random

import support


class Resume(support.Case):
    def setUp(self):
        super().setUp()
        self.simulator = self.simulate("--answer", "echo")

    def items(self, count):
        return [{"id": "t-%d" % i, "prompt": "say %d" % i} for i in range(1, count + 1)]

    def sent_by(self, *arguments, **options):
        before = self.simulator.count()
        options.setdefault("code", 0)
        process = self.run_file(self.simulator, *arguments, **options)
        self.last = process
        return self.simulator.count() - before

    def outputs(self):
        return dict(self.query("select id, output from results"))

    def first_run(self, count=10):
        items = self.items(count)
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), count)
        return items

    def test_unchanged_file_sends_nothing(self):
        self.first_run()
        self.assertEqual(self.sent_by(), 0)
        os.utime(self.path("items.jsonl"))
        self.assertEqual(self.sent_by(), 0, "touched, so that it is scanned")

    def test_edited_line_alone_is_run_again(self):
        items = self.first_run()
        items[4]["prompt"] = "say something else"
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 1)
        self.assertEqual(self.outputs()["t-5"], "say something else")
        self.assert_all_succeeded(10)
        history = self.query("select count(*) from attempt_log where id = 't-5'")
        self.assertEqual(history, [(2,)], "the old result stays in the history")

    def test_edit_of_the_same_length_within_the_file(self):
        items = self.first_run()
        items[4]["prompt"] = "sag 5"
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 1)
        self.assertEqual(self.outputs()["t-5"], "sag 5")

    def test_edit_back_and_forth(self):
        items = self.first_run()
        items[0]["prompt"] = "changed"
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 1)
        items[0]["prompt"] = "say 1"
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 1, "what is stored for t-1 is the answer to another request")
        self.assertEqual(self.outputs()["t-1"], "say 1")

    def test_fields_that_are_not_sent_do_not_count(self):
        items = self.first_run()
        for item in items:
            item["note"] = "reviewed"
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 0)

    def test_added_lines_alone_are_run(self):
        items = self.first_run()
        self.write_items("items.jsonl", [{"id": "new-1", "prompt": "first"}] + items[:5] +
                         [{"id": "new-2", "prompt": "middle"}] + items[5:] +
                         [{"id": "new-3", "prompt": "last"}])
        self.assertEqual(self.sent_by(), 3)
        self.assert_all_succeeded(13)

    def test_appended_line(self):
        self.first_run()
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"late","prompt":"late"}')
        self.assertEqual(self.sent_by(), 1)
        with open(self.path("items.jsonl"), "a") as file:
            file.write('\n{"id":"later","prompt":"later"}\n')
        self.assertEqual(self.sent_by(), 1)

    def test_reordered_and_removed_lines_have_no_effect(self):
        items = self.first_run()
        random.Random(5).shuffle(items)
        self.write_items("items.jsonl", items[:7])
        self.assertEqual(self.sent_by(), 0)
        self.assertEqual(len(self.outputs()), 10, "results of removed lines stay")
        self.write_items("items.jsonl", items)
        self.assertEqual(self.sent_by(), 0)

    def test_moved_file_is_resumed_with_its_database(self):
        self.first_run()
        os.rename(self.path("items.jsonl"), self.path("moved.jsonl"))
        self.assertEqual(self.sent_by("--db", self.database(), file="moved.jsonl"), 0)

    def test_unfinished_items_of_an_unchanged_file_are_run(self):
        self.write_items("items.jsonl", self.items(30) + [{"id": "q", "prompt": "[[sim:quota,ok]]"}])
        self.assertLess(self.sent_by("--concurrency", "1", code=4), 32)
        self.assertEqual(self.sent_by("--concurrency", "1"), 1)
        self.assert_all_succeeded(31)

    def test_duplicates_are_sent_once(self):
        items = self.items(3)
        self.write_items("items.jsonl", items + [items[0], items[2], items[0]])
        self.assertEqual(self.sent_by(), 3)
        self.assert_all_succeeded(3)
        self.assertIn("duplicate", self.last.stderr)
        self.assertEqual(self.sent_by(), 0)

    def test_conflicting_ids_are_invalid(self):
        self.write_items("items.jsonl", self.items(2) + [{"id": "t-1", "prompt": "another"}])
        self.assertEqual(self.sent_by(code=3), 1)
        self.assertEqual(sorted(self.query("select id, state, line from results")),
                         [("t-1", "invalid", 1), ("t-1", "invalid", 3), ("t-2", "succeeded", 2)])
        self.assertIn("items.jsonl:3", self.last.stderr)
        self.write_items("items.jsonl", self.items(2))
        self.assertEqual(self.sent_by(), 1)
        self.assert_all_succeeded(2)

    def test_changed_job_is_refused_and_shown(self):
        self.first_run(3)
        for arguments, told in [(["--temperature", "0.5"], "temperature"), (["--max-tokens", "9"], "max_tokens"),
                                (["--system", "be brief"], "be brief"),
                                (["--endpoint", "responses"], "responses")]:
            with self.subTest(arguments):
                self.assertEqual(self.sent_by(*arguments, code=2), 0)
                self.assertIn(told, self.last.stderr)
                self.assertIn("--rerun changed", self.last.stderr)
                self.assertIn("--db", self.last.stderr)
        self.assertEqual(self.sent_by(model="other-model", code=2), 0)
        self.assertIn("other-model", self.last.stderr)
        self.assertEqual(self.sent_by(), 0, "the refused runs have changed nothing")

    def test_pace_retries_and_concurrency_are_not_part_of_the_job(self):
        self.first_run(3)
        self.assertEqual(self.sent_by("--rpm", "100", "--max-retries", "2", "--concurrency", "2",
                                      "--timeout", "9", "--tpm", "90000"), 0)

    def test_base_url_is_not_part_of_a_provider_s_job(self):
        self.prompts(3)
        key = {"OPENAI_API_KEY": "sk-test"}
        self.sent_by("--provider", "openai", env=key)
        other = self.simulate(name="other")
        self.run_file(other, "--provider", "openai", env=key, code=0)
        self.assertEqual(other.count(), 0)

    def test_rerun_changed_adopts_the_job(self):
        self.write_items("items.jsonl", self.items(3) + [{"id": "own", "prompt": "mine", "temperature": 0.1}])
        self.assertEqual(self.sent_by(), 4)
        self.assertEqual(self.sent_by("--temperature", "0.5", "--rerun", "changed"), 3,
                         "an item with a temperature of its own sends the same request as before")
        self.assert_all_succeeded(4)
        self.assertEqual(self.sent_by("--temperature", "0.5"), 0)
        self.assertEqual(self.sent_by(code=2), 0)

    def test_retry_takes_up_what_failed(self):
        self.write_items("items.jsonl", self.items(2) + [
            {"id": "bad", "prompt": "[[sim:400,ok]]"}, {"id": "blocked", "prompt": "[[sim:filter,ok]]"},
            {"id": "empty", "prompt": "[[sim:empty,empty,ok]]"}])
        self.sent_by("--max-error-rate", "100%", code=3)
        self.assertEqual(self.states(), {"t-1": "succeeded", "t-2": "succeeded", "bad": "failed",
                                         "blocked": "filtered", "empty": "flagged"})
        self.assertEqual(self.sent_by(code=3), 0, "final is final")
        self.assertEqual(self.sent_by("--retry", "failed", code=3), 1)
        self.assertEqual(self.states()["bad"], "succeeded")
        self.assertEqual(self.states()["blocked"], "filtered")
        self.assertEqual(self.sent_by("--retry", "filtered,flagged"), 2)
        self.assert_all_succeeded(5)

    def test_newer_database_is_refused_untouched(self):
        self.first_run(2)
        support.change(self.database(), "pragma user_version = 999")
        with open(self.database(), "rb") as file:
            before = file.read()
        self.assertEqual(self.sent_by(code=2), 0)
        self.assertIn("newer", self.last.stderr)
        with open(self.database(), "rb") as file:
            self.assertEqual(file.read(), before)

    def test_mended_line_leaves_nothing_behind(self):
        good = '{"id":"a","prompt":"x"}\n'
        self.write("items.jsonl", good + '{"id":"b","prompt":\n' + 'not json\n')
        self.assertEqual(self.sent_by(code=3), 1)
        self.assertEqual(self.state_counts(), {"succeeded": 1, "invalid": 2})
        self.assertEqual(self.sent_by(code=3), 0, "still broken")
        self.write("items.jsonl", good + '{"id":"b","prompt":"y"}\n' + '{"id":"c","prompt":"z"}\n')
        self.assertEqual(self.sent_by(), 2)
        self.assert_all_succeeded(3)

    def test_database_is_private(self):
        self.first_run(1)
        self.assertEqual(os.stat(self.database()).st_mode & 0o777, 0o600)

    def test_finished_items_count_for_later_exit_codes(self):
        self.write_items("items.jsonl", [{"id": "bad", "prompt": "[[sim:400]]"}])
        self.sent_by(code=3)
        self.write_items("items.jsonl", [{"id": "bad", "prompt": "[[sim:400]]"}] + self.items(1))
        self.sent_by(code=3)
        self.write_items("items.jsonl", self.items(1))
        self.assertEqual(self.sent_by(), 0, "the failed item is not in the file any more")


if __name__ == "__main__":
    support.main()
