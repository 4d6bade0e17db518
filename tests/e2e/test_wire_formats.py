"""All wire formats and the keys of the profiles; a key never leaves the request."""

import json
import os
import pathlib

import support

KEY = "sk-secret-0123456789abcdef"


class WireFormats(support.Case):
    def run_with(self, *arguments, env=None, base="/v1", code=0, simulate=()):
        simulator = self.simulate("--require-key", KEY, *simulate)
        self.write_items("items.jsonl", [{"id": "a", "prompt": "first"}, {"id": "b", "prompt": "second"}])
        process = self.call("run", "items.jsonl", "--base-url", simulator.origin + base, "--model", "some-model",
                            "--log-file", "run.log", *arguments, env=env or {"LLMBATCH_API_KEY": KEY}, code=code)
        if code == 0:
            self.assert_all_succeeded(2)
            rows = self.query("select output, model, input_tokens, output_tokens, finish_reason, provider_request_id "
                              "from results")
            for output, model, read, written, reason, request_id in rows:
                self.assertTrue(output)
                self.assertEqual(model, "some-model")
                self.assertGreater(read, 0)
                self.assertIsNotNone(reason)
                self.assertTrue(request_id)
                self.assertIsNotNone(written)
        self.assert_no_key(KEY, process)
        return process

    def assert_no_key(self, key, process):
        self.assertNotIn(key, process.stdout + process.stderr)
        for name in os.listdir(self.dir):
            path = pathlib.Path(self.path(name))
            if path.is_file() and not name.startswith(("simulator", "key")):
                self.assertNotIn(key.encode(), path.read_bytes(), "the key stands in " + name)

    def test_openai_chat(self):
        self.run_with()

    def test_openai_chat_by_provider(self):
        self.run_with("--provider", "openai", env={"OPENAI_API_KEY": KEY})

    def test_openai_responses(self):
        self.run_with("--endpoint", "responses")

    def test_anthropic(self):
        self.run_with("--wire-format", "anthropic")

    def test_anthropic_by_provider(self):
        process = self.run_with("--provider", "anthropic", env={"ANTHROPIC_API_KEY": KEY})
        self.assertIn("4096", process.stderr, "the demanded max_tokens is told")

    def test_gemini(self):
        self.run_with("--wire-format", "gemini", base="/v1beta")

    def test_gemini_by_provider(self):
        self.run_with("--provider", "gemini", env={"GEMINI_API_KEY": KEY}, base="/v1beta")

    def test_other_profiles(self):
        for provider, variable in [("mistral", "MISTRAL_API_KEY"), ("groq", "GROQ_API_KEY"),
                                   ("together", "TOGETHER_API_KEY"), ("fireworks", "FIREWORKS_API_KEY"),
                                   ("openrouter", "OPENROUTER_API_KEY"), ("deepseek", "DEEPSEEK_API_KEY"),
                                   ("xai", "XAI_API_KEY"), ("vllm", "VLLM_API_KEY"), ("azure", "AZURE_OPENAI_API_KEY")]:
            with self.subTest(provider):
                if os.path.exists(self.database()):
                    os.unlink(self.database())
                self.run_with("--provider", provider, env={variable: KEY})

    def test_embeddings(self):
        simulator = self.simulate("--embedding-dimensions", "5")
        self.write_items("items.jsonl", [{"custom_id": "e", "method": "POST", "url": "/v1/embeddings",
                                          "body": {"model": "em", "input": "text"}}])
        self.run_file(simulator, "--endpoint", "embeddings", model="em", code=0)
        output, = self.query("select output from results")[0]
        self.assertEqual([len(one["embedding"]) for one in json.loads(output)], [5])

    def test_key_from_a_file(self):
        self.write("key", KEY + "\n")
        os.chmod(self.path("key"), 0o600)
        self.run_with("--api-key-file", "key", env={"LLMBATCH_API_KEY": "sk-not-this-one"})

    def test_bare_base_url_takes_no_provider_s_key(self):
        self.run_with(env={"OPENAI_API_KEY": KEY}, code=4)

    def test_provider_without_a_key_sends_nothing(self):
        simulator = self.simulate()
        self.prompts(1)
        process = self.run_file(simulator, "--provider", "openai", code=2)
        self.assertIn("OPENAI_API_KEY", process.stderr)
        self.assertEqual(simulator.count(), 0)

    def test_key_over_plain_http_is_refused(self):
        self.prompts(1)
        process = self.call("run", "items.jsonl", "--base-url", "http://192.0.2.1/v1", "--model", "m",
                            env={"LLMBATCH_API_KEY": KEY}, code=2)
        self.assertNotIn(KEY, process.stderr)

    def test_key_echoed_by_the_server_is_not_shown(self):
        def handler(request, connection):
            body = json.dumps({"error": {"message": "bad key " + request.headers["authorization"]}}).encode()
            connection.sendall(support.reply(body, "401 Unauthorized"))
            return True

        server = self.server(handler)
        self.prompts(1)
        process = self.run_file(server, "--log-file", "run.log", env={"LLMBATCH_API_KEY": KEY}, code=4)
        self.assertNotIn(KEY, process.stderr + process.stdout)
        self.assertNotIn(KEY, pathlib.Path(self.path("run.log")).read_text())


class RequestsOnTheWire(support.Case):
    """What a server really gets."""

    def seen(self, body, *arguments, base="/v1", env=None):
        def handler(_request, connection):
            connection.sendall(support.reply(json.dumps(body).encode()))
            return True

        server = self.server(handler)
        self.write_items("items.jsonl", [{"id": "a", "prompt": "hi"}])
        self.call("run", "items.jsonl", "--base-url", server.origin + base, "--model", "mm", *arguments, code=0,
                  env=env or {"LLMBATCH_API_KEY": KEY})
        self.assertEqual(server.count(), 1)
        return server.requests[0]

    def test_openai_chat(self):
        request = self.seen(json.loads(support.completion()))
        self.assertEqual(request.path, "/v1/chat/completions")
        self.assertEqual(request.headers["authorization"], "Bearer " + KEY)
        self.assertEqual(request.headers["content-type"].split(";")[0], "application/json")
        self.assertNotIn("expect", request.headers)
        self.assertEqual(request.json(), {"model": "mm", "messages": [{"role": "user", "content": "hi"}]})

    def test_max_tokens_name_of_the_profile(self):
        body = json.loads(support.completion())
        request = self.seen(body, "--provider", "openai", "--max-tokens", "9", env={"OPENAI_API_KEY": KEY})
        self.assertEqual(request.json()["max_completion_tokens"], 9)
        self.assertNotIn("max_tokens", request.json())

    def anthropic_answer(self):
        return {"id": "msg_1", "type": "message", "role": "assistant", "model": "mm", "stop_reason": "end_turn",
                "content": [{"type": "text", "text": "fine"}], "usage": {"input_tokens": 3, "output_tokens": 1}}

    def test_anthropic_versions(self):
        for arguments, version in [([], "2023-06-01"),
                                   (["--anthropic-version", "2026-10-21", "--db", "new.db"], "2026-10-21")]:
            request = self.seen(self.anthropic_answer(), "--wire-format", "anthropic", "--provider", "anthropic",
                                *arguments, env={"ANTHROPIC_API_KEY": KEY})
            self.assertEqual(request.path, "/v1/messages")
            # The newer version goes with a bearer header.
            if version == "2023-06-01":
                self.assertEqual(request.headers["x-api-key"], KEY)
                self.assertNotIn("authorization", request.headers)
            else:
                self.assertEqual(request.headers["authorization"], "Bearer " + KEY)
            self.assertEqual(request.headers["anthropic-version"], version)
            self.assertEqual(request.json(), {"model": "mm", "max_tokens": 4096,
                                              "messages": [{"role": "user", "content": "hi"}]})

    def test_gemini(self):
        answer = {"candidates": [{"content": {"role": "model", "parts": [{"text": "fine"}]}, "finishReason": "STOP"}],
                  "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4},
                  "modelVersion": "mm"}
        request = self.seen(answer, "--provider", "gemini", base="/v1beta", env={"GEMINI_API_KEY": KEY})
        self.assertEqual(request.path, "/v1beta/models/mm:generateContent")
        self.assertEqual(request.headers["x-goog-api-key"], KEY)
        self.assertNotIn(KEY, request.path)
        self.assertEqual(request.json()["contents"], [{"role": "user", "parts": [{"text": "hi"}]}])


if __name__ == "__main__":
    support.main()
