"""Answer checks: schema, JSON, choices, expressions; the second question; nothing is paid twice."""
import json
import unittest

import support

SCHEMA = {"type": "object", "additionalProperties": False, "required": ["label", "score"],
          "properties": {"label": {"type": "string", "enum": ["billing", "technical", "other"]},
                         "score": {"type": "integer", "minimum": 0, "maximum": 10}}}


class Checks(support.Case):
    def items(self, count, marker=""):
        return self.prompts(count, text="Answer in JSON. Ticket %d: the invoice is wrong " + marker)

    def schema(self, schema=None):
        return self.write("schema.json", json.dumps(schema or SCHEMA))

    def results(self, *arguments):
        exported = self.call("export", "--fields", "id,state,output,error,attempts,usage", *arguments)
        return [json.loads(line) for line in exported.stdout.splitlines()]

    def test_good_answers_are_stored_parsed(self):
        self.items(20)
        server = self.simulate()
        self.run_file(server, "--schema", self.schema(), code=0)
        for result in self.results():
            self.assertIn(result["output"]["label"], SCHEMA["properties"]["label"]["enum"])
            self.assertIsInstance(result["output"]["score"], int)
        self.assertEqual(server.count(), 20)

    def test_a_bad_answer_is_asked_once_more_with_its_violation(self):
        self.items(6, "[[sim:badanswer]]")
        bodies = []

        def handler(request, connection):
            body = request.json()
            bodies.append(body)
            text = '{"label":"billing","score":3}' if len(body["messages"]) > 1 else '{"label":"other"}'
            connection.sendall(support.reply(support.completion(text)))
            return True

        self.run_file(self.server(handler), "--schema", self.schema(), code=0)
        self.assertEqual(len(bodies), 12)
        second = [body for body in bodies if len(body["messages"]) == 3]
        self.assertEqual(len(second), 6)
        first = next(b for b in bodies if b["messages"] == second[0]["messages"][:1])
        self.assertEqual({k: v for k, v in first.items() if k != "messages"},
                         {k: v for k, v in second[0].items() if k != "messages"})
        self.assertEqual(second[0]["messages"][1], {"role": "assistant", "content": '{"label":"other"}'})
        self.assertIn('/: the property "score" is missing', second[0]["messages"][2]["content"])
        for result in self.results():
            self.assertEqual((result["state"], result["attempts"]), ("succeeded", 2))
            self.assertEqual(result["output"], {"label": "billing", "score": 3})
        # Both answers were paid for, and both are kept.
        self.assertEqual(self.query("select error, count(*), sum(input_tokens) from attempt_log group by 1 order by 1"),
                         [(None, 6, 30), ("check_failed", 6, 30)])

    def test_the_simulator_mends_its_answer_in_every_wire_format(self):
        self.items(4, "[[sim:badanswer]]")
        # Anthropic takes no bounds; here nobody could keep to them.
        schema = self.schema(dict(SCHEMA, properties=dict(SCHEMA["properties"], score={"type": "integer"})))
        server = self.simulate()
        forms = [("chat", "/v1", ("--endpoint", "chat")), ("responses", "/v1", ("--endpoint", "responses")),
                 ("anthropic", "/v1", ("--wire-format", "anthropic")),
                 ("gemini", "/v1beta", ("--wire-format", "gemini"))]
        for name, path, options in forms:
            with self.subTest(name):
                database = self.path(name + ".db")
                self.call("run", "items.jsonl", "--db", database, "--base-url", server.origin + path, "--model", "m",
                          "--schema", schema, *options, code=0)
                self.assert_all_succeeded(4, database)
                self.assertEqual(self.query("select sum(attempts) from results", database=database), [(8,)])

    def test_what_stays_bad_is_flagged_with_the_reason(self):
        self.items(3, "[[sim:stubborn]]")
        server = self.simulate()
        self.run_file(server, "--schema", self.schema(), code=3)
        self.assertEqual(server.count(), 6)
        for result in self.results("--state", "flagged"):
            self.assertEqual(result["error"]["class"], "check_failed")
            self.assertRegex(result["error"]["message"], "expected")
            self.assertIsInstance(result["output"], str)
        # Done: nothing is sent again.
        self.run_file(server, "--schema", "schema.json", code=3)
        self.assertEqual(server.count(), 6)

    def test_without_retries_there_is_no_second_question(self):
        self.items(2, "[[sim:badanswer]]")
        server = self.simulate()
        self.run_file(server, "--schema", self.schema(), "--max-retries", "0", code=3)
        self.assertEqual(server.count(), 2)

    def test_no_reask_sends_the_same_request_again(self):
        self.items(2, "[[sim:badanswer,ok]]")
        server = self.simulate()
        self.run_file(server, "--schema", self.schema(), "--no-reask", code=0)
        self.assertEqual(server.count(), 4)
        self.assertEqual(sorted(r["attempt"] for r in server.requests()), [1, 1, 2, 2])

    def test_batch_lines_are_checked_and_asked_on_too(self):
        lines = [{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
                  "body": {"model": "m", "messages": [{"role": "user", "content": "hi [[sim:badanswer]]"}]}}]
        self.write_items("items.jsonl", lines)
        server = self.simulate("--answer", "classify:yes,no")
        self.run_file(server, "--choices", "Yes,No", code=0)
        self.assertEqual(server.count(), 2)
        self.assertIn(self.results()[0]["output"], ["Yes", "No"])

    def test_choices_and_expressions(self):
        self.prompts(5)
        server = self.simulate("--answer", "classify:Spam,HAM")
        self.run_file(server, "--choices", "spam, ham", code=0)
        self.assertTrue({r["output"] for r in self.results()} <= {"spam", "ham"})
        self.run_file(server, "--db", "m.db", "--match", "^(Spam|HAM)$", code=0)
        flagged = self.run_file(server, "--db", "n.db", "--match", "^nothing$", code=3)
        self.assertIn('check_failed: expected a match of "^nothing$", got', flagged.stderr)

    def test_json_in_a_fence(self):
        self.prompts(1)

        def handler(_request, connection):
            connection.sendall(support.reply(support.completion("```json\n{\"a\": [1, 2.50]}\n```")))
            return True

        self.run_file(self.server(handler), "--answer-json", code=0)
        self.assertEqual(self.results()[0]["output"], {"a": [1, 2.5]})
        self.assertEqual(self.query("select output from results"), [('{"a": [1, 2.50]}',)])

    def test_refusals_and_cut_answers_keep_their_own_class(self):
        self.write_items("items.jsonl", [{"id": w, "prompt": "x [[sim:%s]]" % w} for w in ("refusal", "length")])
        server = self.simulate()
        self.run_file(server, "--schema", self.schema(), code=3)
        self.assertEqual(dict(self.query("select id, error from results")),
                         {"refusal": "content_policy", "length": "truncated"})

    def test_a_bad_schema_is_told_before_anything_is_sent(self):
        self.prompts(1)
        server = self.simulate()
        for text, place in [("{", "schema.json: not JSON (it ends too early)"),
                            ('{"type": "strnig"}', "schema.json: /type: 'strnig' is not a type"),
                            ('{"properties":{"a":{"$ref":"x.json"}}}', "schema.json: /properties/a/$ref: 'x.json'")]:
            self.write("schema.json", text)
            told = self.run_file(server, "--schema", "schema.json", code=2)
            self.assertIn(place, told.stderr)
        self.assertIn("nothing.json", self.run_file(server, "--schema", "nothing.json", code=2).stderr)
        self.assertIn("--match", self.run_file(server, "--match", "(", code=2).stderr)
        self.assertIn("embeddings cannot be checked",
                      self.run_file(server, "--endpoint", "embeddings", "--choices", "a", code=2).stderr)
        self.assertEqual(server.count(), 0)

    def test_other_checks_are_another_job(self):
        self.prompts(2)
        server = self.simulate("--answer", "classify:a,b")
        self.run_file(server, "--choices", "a,b", code=0)
        told = self.run_file(server, "--choices", "a,b,c", code=2)
        self.assertIn("answer checks: was", told.stderr)
        self.assertEqual(server.count(), 2)


class Recheck(support.Case):
    def setUp(self):
        super().setUp()
        self.prompts(30, text="Answer in JSON: is %d right?")

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()

    def touch(self):
        """The same lines in another file: the next run reads all of it."""
        self.write("copy.jsonl", self.read("items.jsonl"))
        support.os.rename(self.path("copy.jsonl"), self.path("items.jsonl"))

    def test_other_choices_move_items_both_ways_without_a_call(self):
        server = self.simulate("--answer", "classify:qqa,qqb,qqc")
        self.run_file(server, "--choices", "qqa,qqb", "--max-error-rate", "100%", code=3)
        before = self.state_counts()
        calls = server.count()
        told = self.run_file(server, "--choices", "QQA,QQC", "--recheck", code=3)
        self.assertIn("30 stored answers judged anew", told.stderr)
        outputs = dict(self.query("select id, output from results"))
        self.assertEqual({o for i, o in outputs.items() if self.states()[i] == "succeeded"}, {"QQA", "QQC"})
        flagged = self.query("select output, error, error_message from results where state = 'flagged'")
        self.assertEqual(set(flagged), {("qqb", "check_failed", 'expected one of "QQA", "QQC", got "qqb"')})
        self.assertNotEqual(self.state_counts(), before)
        told = self.run_file(server, "--choices", "qqa,qqb,qqc", "--recheck", code=0)
        self.assertIn("30 pass (%d were flagged before)" % len(flagged), told.stderr)
        self.assert_all_succeeded(30)
        self.run_file(server, "--choices", "qqa,qqb,qqc", code=0)
        self.touch()
        self.run_file(server, "--choices", "qqa,qqb,qqc", code=0)
        self.assertEqual(server.count(), calls)
        status = json.loads(self.call("status", "--json", code=0).stdout)
        self.assertEqual((status["items"]["succeeded"], status["items"]["flagged"]), (30, 0))

    def test_an_adopted_schema_makes_other_requests_that_are_not_paid_again(self):
        server = self.simulate("--errors", "badanswer=40%", "--seed", "3")
        schema = self.write("schema.json", json.dumps(SCHEMA))
        self.run_file(server, "--answer-format", "text", code=0)
        calls = server.count()
        self.assertEqual(calls, 30)
        # Asked without a schema, the model answers in prose.
        self.run_file(server, "--schema", schema, "--recheck", code=3)
        self.assertEqual(self.state_counts(), {"flagged": 30})
        self.run_file(server, "--schema", schema, code=3)
        self.touch()
        self.run_file(server, "--schema", schema, code=3)
        self.assertEqual(server.count(), calls)
        self.run_file(server, "--schema", schema, "--retry", "flagged", code=0)
        self.assert_all_succeeded(30)
        paid = server.count()
        self.assertGreaterEqual(paid, calls + 30)
        # Another schema that all of them fit.
        loose = self.write("loose.json", json.dumps({"type": "object", "required": ["label"], "properties": {"label": {}}}))
        self.run_file(server, "--schema", loose, "--recheck", code=0)
        self.touch()
        self.run_file(server, "--schema", loose, code=0)
        self.assertEqual(server.count(), paid)
        # What the last request was is known: a changed line runs alone.
        lines = self.read("items.jsonl").splitlines()
        self.write("items.jsonl", "\n".join([lines[0].replace("right", "left")] + lines[1:]) + "\n")
        self.run_file(server, "--schema", loose, code=0)
        last = server.requests()[paid:]
        self.assertIn(len(last), (1, 2))

    def test_rerun_changed_judges_answers_to_the_same_requests(self):
        server = self.simulate("--answer", "classify:qqa,qqb,qqc")
        self.run_file(server, code=0)
        self.run_file(server, "--choices", "qqa,qqb", "--rerun", "changed", "--max-error-rate", "100%", code=3)
        self.assertEqual(server.count(), 30)
        self.assertEqual(set(self.query("select state, output in ('qqa', 'qqb') from results")),
                         {("succeeded", 1), ("flagged", 0)})

    def test_what_is_not_done_waits_and_other_states_keep_theirs(self):
        self.write_items("items.jsonl", [{"id": "f", "prompt": "[[sim:filter]]"}, {"id": "l", "prompt": "[[sim:length]]"},
                                         {"id": "e", "prompt": "[[sim:400]]"}, {"id": "ok", "prompt": "fine"}])
        server = self.simulate()
        self.run_file(server, "--max-error-rate", "100%", code=3)
        with open(self.path("items.jsonl"), "a") as file:
            file.write('{"id":"new","prompt":"later"}\n')
        schema = self.write("schema.json", json.dumps({"type": "string"}))
        before = self.states()
        calls = server.count()
        self.run_file(server, "--schema", schema, "--recheck", code=3)
        self.assertEqual(self.states(), dict(before, ok="flagged"))
        self.run_file(server, "--schema", schema, "--max-error-rate", "100%", code=3)
        # Only the new line was asked for, and it was a good answer.
        self.assertEqual(server.count(), calls + 1)
        self.assertEqual(self.states()["new"], "succeeded")

    def test_refuses_what_it_cannot_do(self):
        server = self.simulate()
        told = self.run_file(server, "--choices", "a", "--recheck", code=2)
        self.assertIn("there are no answers to judge", told.stderr)
        self.run_file(server, code=0)
        told = self.run_file(server, "--choices", "a", "--recheck", model="other", code=2)
        self.assertIn("model: was", told.stderr)
        told = self.run_file(server, "--choices", "a", code=2)
        self.assertIn("without a call: --recheck", told.stderr)
        self.assertIn("exclude", self.run_file(server, "--recheck", "--retry", "flagged", code=2).stderr)
        self.run_file(server, "--db", "h.db", "--id", "hash", code=0)
        schema = self.write("schema.json", "{}")
        told = self.run_file(server, "--db", "h.db", "--id", "hash", "--schema", schema, "--recheck", code=2)
        self.assertIn("other ids", told.stderr)
        self.assertEqual(server.count(), 60)

    def test_killed_at_any_time_it_is_done_wholly_or_not_at_all(self):
        self.prompts(3000)
        server = self.simulate("--answer", "classify:a,b")
        self.run_file(server, code=0)
        self.assertEqual(server.count(), 3000)
        schema = self.write("schema.json", json.dumps({"enum": ["a"]}))
        outcomes = set()
        for delay in (0.02, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5):
            process = self.start_file(server, "--schema", schema, "--recheck")
            support.time.sleep(delay)
            process.send(support.signal.SIGKILL)
            process.wait()
            self.assert_sound()
            counts = self.state_counts()
            self.assertIn(counts, ({"succeeded": 3000}, {"flagged": 3000}))
            adopted = self.query("select checks <> '' from job") == [(1,)]
            self.assertEqual(adopted, counts == {"flagged": 3000})
            outcomes.add(adopted)
            if adopted:
                break
        self.run_file(server, "--schema", schema, "--recheck", code=3)
        self.run_file(server, "--schema", schema, code=3)
        self.touch()
        self.run_file(server, "--schema", schema, code=3)
        self.assertEqual(server.count(), 3000)


if __name__ == "__main__":
    support.main()
