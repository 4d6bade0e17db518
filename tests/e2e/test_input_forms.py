"""The line forms, encodings and sources of the input, and what preflight says of bad lines."""

import gzip
import json

import support


class InputForms(support.Case):
    def setUp(self):
        super().setUp()
        self.server_ = self.server(self.echo)

    @staticmethod
    def echo(request, connection):
        connection.sendall(support.reply(support.completion(request.body.decode())))
        return True

    def bodies(self):
        """{id: the body that was sent for it}"""
        return {item: json.loads(output) for item, output in
                self.query("select id, output from results where state = 'succeeded'")}

    def test_openai_batch_line_is_sent_as_it_is(self):
        body = {"model": "its-own", "messages": [{"role": "user", "content": "hé"}], "logit_bias": {"5": 1}}
        self.write_items("items.jsonl", [{"custom_id": "c-1", "method": "POST",
                                          "url": "/v1/chat/completions", "body": body}])
        self.run_file(self.server_, code=0)
        self.assertEqual(self.bodies(), {"c-1": body})
        self.assertEqual(self.server_.requests[0].path, "/v1/chat/completions")

    def test_messages_line_overrides_the_job(self):
        self.write_items("items.jsonl", [
            {"id": "a", "messages": [{"role": "user", "content": "hi"}]},
            {"id": "b", "messages": [{"role": "user", "content": "hi"}], "model": "other", "temperature": 0.9,
             "max_tokens": 7, "note": "not sent"}])
        self.run_file(self.server_, "--temperature", "0.1", code=0)
        bodies = self.bodies()
        self.assertEqual(bodies["a"], {"model": "m", "messages": [{"role": "user", "content": "hi"}],
                                       "temperature": 0.1})
        self.assertEqual(bodies["b"]["model"], "other")
        self.assertEqual(bodies["b"]["temperature"], 0.9)
        self.assertEqual(bodies["b"]["max_tokens"], 7)
        self.assertNotIn("note", bodies["b"])

    def test_prompt_line(self):
        self.write_items("items.jsonl", [{"id": 17, "prompt": "hi \u00fc \U0001f600 \" \\ \n"}])
        self.run_file(self.server_, "--system", "be kind", code=0)
        self.assertEqual(self.bodies(), {"17": {"model": "m", "messages": [
            {"role": "system", "content": "be kind"},
            {"role": "user", "content": "hi \u00fc \U0001f600 \" \\ \n"}]}})

    def test_template_over_records(self):
        self.write_items("items.jsonl", [
            {"id": "a", "subject": "<b> & \"q\"", "customer": {"name": "Ann"}, "prompt": "only a field"},
            {"id": "b", "subject": "x"}])
        process = self.run_file(self.server_, "--prompt", "{{subject}} of {{customer.name}}", code=3)
        self.assertEqual(self.bodies()["a"]["messages"][-1]["content"], "<b> & \"q\" of Ann")
        self.assertEqual(self.states()["b"], "invalid")
        self.assertEqual(self.server_.count(), 1, "a hole is never sent")
        self.assertIn("items.jsonl:2", process.stderr)
        self.assertIn("customer.name", process.stderr)

    def test_template_from_files(self):
        self.write("prompt.txt", "Classify: {{text}}")
        self.write("system.txt", "You are {{role}}.")
        self.write_items("items.jsonl", [{"id": "a", "text": "t", "role": "r"}])
        self.run_file(self.server_, "--prompt-file", "prompt.txt", "--system-file", "system.txt", code=0)
        self.assertEqual([m["content"] for m in self.bodies()["a"]["messages"]], ["You are r.", "Classify: t"])

    def test_bom_crlf_blank_lines_and_no_last_newline(self):
        self.write("items.jsonl", b'\xef\xbb\xbf{"id":"a","prompt":"1"}\r\n\r\n   \n\n'
                                  b'{"id":"b","prompt":"2"}\r\n  {"id":"c","prompt":"3"}')
        self.run_file(self.server_, code=0)
        self.assertEqual({i: b["messages"][0]["content"] for i, b in self.bodies().items()},
                         {"a": "1", "b": "2", "c": "3"})

    def compressed(self, name, data):
        self.write(name, data)
        self.run_file(self.server_, file=name, code=0)
        self.assert_all_succeeded(300, database=self.database(name))
        self.run_file(self.server_, file=name, code=0)
        self.assertEqual(self.server_.count(), 300, "the second run sends nothing")

    def lines(self, count=300):
        return "".join('{"id":"z-%d","prompt":"%d"}\n' % (i, i) for i in range(count)).encode()

    def test_gzip(self):
        self.compressed("items.jsonl.gz", gzip.compress(self.lines()))

    def test_gzip_of_two_members(self):
        lines = self.lines()
        self.compressed("items.jsonl.gz", gzip.compress(lines[:1000]) + gzip.compress(lines[1000:]))

    def test_zstd(self):
        self.compressed("items.jsonl.zst", support.zstd_frame(self.lines()))

    def test_cut_gzip_is_an_error_and_not_a_short_file(self):
        whole = gzip.compress(self.lines(3000))
        self.write("items.jsonl.gz", whole[: len(whole) // 2])
        process = self.run_file(self.server_, file="items.jsonl.gz")
        self.assertNotIn(process.code, (0, 3), process.stderr)
        self.assertIn("items.jsonl.gz", process.stderr)

    def test_stdin_needs_a_database_and_is_resumed(self):
        self.call("run", "-", "--base-url", self.server_.url, "--model", "m", stdin=self.lines(20), code=2)
        self.assertEqual(self.server_.count(), 0)
        arguments = ["run", "-", "--db", "s.db", "--base-url", self.server_.url, "--model", "m"]
        self.call(*arguments, stdin=self.lines(20), code=0)
        self.assert_all_succeeded(20, database=self.path("s.db"))
        self.call(*arguments, stdin=self.lines(25), code=0)
        self.assertEqual(self.server_.count(), 25)
        self.assertEqual(self.query("select count(*) from items where input is not null",
                                    database=self.path("s.db")), [(25,)], "the text of stdin is kept")

    def test_line_of_five_megabytes(self):
        text = "long \u00e9 " * 700_000
        self.write_items("items.jsonl", [{"id": "a", "prompt": "short"}, {"id": "b", "prompt": text},
                                         {"id": "c", "prompt": "short"}])
        seen = {}

        def handler(request, connection):
            seen[len(request.body)] = request.prompt() == text
            return support.answer(request, connection)

        self.run_file(self.server(handler), code=0)
        self.assert_all_succeeded(3)
        self.assertTrue(seen[max(seen)], "the long prompt arrived whole")

    def test_preflight_names_file_and_line(self):
        lines = ['{"id":"a","prompt":"x"}', 'nonsense', '[1]', '{"prompt":"no id"}', '{"id":"e"}',
                 '{"id":"f","prompt":"x","stream":true}',
                 '{"custom_id":"g","method":"POST","url":"/v1/embeddings","body":{"input":"x"}}', '{"id":"h","prompt":"x"']
        self.write("items.jsonl", "\n".join(lines) + "\n")
        process = self.run_file(self.server_, code=3)
        self.assertEqual(self.server_.count(), 1, "bad lines do not stop the others")
        for number in range(2, 9):
            self.assertIn("items.jsonl:%d: " % number, process.stderr)
        self.assertNotIn("items.jsonl:1:", process.stderr)
        self.assertEqual(self.state_counts(), {"succeeded": 1, "invalid": 7})
        self.assertEqual([line for line, in self.query(
            "select line from results where state = 'invalid' order by line")], list(range(2, 9)))

    def test_strict_stops_before_anything_is_sent(self):
        self.write("items.jsonl", '{"id":"a","prompt":"x"}\nbroken\n')
        process = self.run_file(self.server_, "--strict", code=2)
        self.assertEqual(self.server_.count(), 0)
        self.assertIn("items.jsonl:2", process.stderr)
        self.write("items.jsonl", '{"id":"a","prompt":"x"}\n')
        self.run_file(self.server_, "--strict", code=0)

    def test_ids_by_field_line_and_hash(self):
        self.write("items.jsonl", '{"ticket":"T1","prompt":"x"}\n{"ticket":"T2","prompt":"y"}\n')
        self.run_file(self.server_, "--id-field", "ticket", "--db", "f.db", code=0)
        self.assertEqual(set(self.states(self.path("f.db"))), {"T1", "T2"})
        self.run_file(self.server_, "--id", "line", "--db", "l.db", code=0)
        self.assertEqual(len(self.states(self.path("l.db"))), 2)
        self.run_file(self.server_, "--id", "hash", "--db", "h.db", code=0)
        self.write("items.jsonl", '{"ticket":"T2","prompt":"y"}\n{"ticket":"T1","prompt":"x"}\n')
        before = self.server_.count()
        self.run_file(self.server_, "--id", "hash", "--db", "h.db", code=0)
        self.assertEqual(self.server_.count(), before)

    def test_empty_file(self):
        self.write("items.jsonl", "")
        self.run_file(self.server_, code=0)
        self.write("blank.jsonl", "\n\n")
        self.run_file(self.server_, file="blank.jsonl", code=0)
        self.assertEqual(self.server_.count(), 0)

    def test_hostile_lines_neither_crash_nor_stop_the_run(self):
        lines = [b'{"id":"deep","prompt":' + b"[" * 5000 + b"]" * 5000 + b"}",
                 b'{"id":"utf8","prompt":"\xff\xfe"}', b'{"id":"nul","prompt":"a\x00b"}',
                 b'{"id":"sur","prompt":"\\ud800"}', b'\x00\x01\x02', b'{"id":"ok","prompt":"x"}',
                 b'{"id":"","prompt":"x"}', b'{"id":null,"prompt":"x"}', b'{"id":{"a":1},"prompt":"x"}']
        self.write("items.jsonl", b"\n".join(lines))
        self.run_file(self.server_, code=3)
        states = self.states()
        self.assertEqual(states["ok"], "succeeded")
        self.assertEqual(self.query("select count(*) from results"), [(9,)])


if __name__ == "__main__":
    support.main()
