"""Batch servers that say odd things, written from the providers' references and not from our
simulator: nothing is lost, nothing is paid twice, and a key goes nowhere else."""

import json

import support

TIME = "2026-11-23T10:00:00Z"


class BatchWorld:
    """A provider with one upload and as many batches as are created; its parts can be replaced."""

    def __init__(self, case):
        self.lines = []  # of the last upload or create
        self.created = []  # the bodies of the create calls
        self.downloads = 0
        self.looks = 0
        self.lose_create = False
        self.answered = {}  # custom_id: times
        self.server = case.server(self.handle)

    def paths(self):
        return [r.path for r in self.server.requests]

    def handle(self, request, connection):
        body = self.serve(request)
        if body is None:
            return False
        status = "200 OK"
        if isinstance(body, tuple):
            status, body = body
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        connection.sendall(support.reply(body, status))
        return True

    def answer_once(self, custom_id):
        self.answered[custom_id] = self.answered.get(custom_id, 0) + 1
        return json.loads(support.completion("yes"))


NOT_FOUND = ("404 Not Found", {"error": {"message": "Not found.", "type": "invalid_request_error"}})


class OpenAi(BatchWorld):
    prefix = "/v1"

    def serve(self, request):
        path, _, _ = request.path.partition("?")
        assert path.startswith(self.prefix), path
        path = path[len(self.prefix):]
        if request.method == "DELETE":
            return {"id": "x", "object": "file", "deleted": True}
        if (request.method, path) == ("POST", "/files"):
            self.lines = [json.loads(l) for l in request.body.splitlines() if l.startswith(b'{"custom_id"')]
            return {"id": "file-1", "object": "file", "bytes": 1, "filename": "x.jsonl", "purpose": "batch",
                    "status": "processed"}
        if (request.method, path) == ("POST", "/batches"):
            self.created.append(request.json())
            self.results = [self.line(line) for line in self.lines]
            return None if self.lose_create else self.batch("validating")
        if path == "/batches":
            return self.list()
        if path == "/batches/batch_1":
            self.looks += 1
            return self.look()
        if path == "/files/file-1":
            return {"id": "file-1", "object": "file", "status": "processed"}
        if path == "/files/file-out/content":
            self.downloads += 1
            return self.output()
        raise AssertionError(request.method + " " + request.path)

    def line(self, line):
        body = self.answer_once(line["custom_id"])
        return json.dumps({"id": "r", "custom_id": line["custom_id"],
                           "response": {"status_code": 200, "request_id": "q", "body": body},
                           "error": None}).encode()

    def batch(self, status, **changes):
        batch = {"id": "batch_1", "object": "batch", "status": status, "errors": None, "input_file_id": "file-1",
                 "output_file_id": None, "error_file_id": None, "created_at": 1790000000,
                 "request_counts": {"total": 0, "completed": 0, "failed": 0},
                 "metadata": self.created[-1].get("metadata")}
        batch.update(changes)
        return batch

    def ended(self, **changes):
        count = len(self.lines)
        return self.batch("completed", request_counts={"total": count, "completed": count, "failed": 0},
                          **dict({"output_file_id": "file-out"}, **changes))

    def look(self):
        return self.ended()

    def list(self):
        return {"object": "list", "data": [self.ended()] if self.created else [], "has_more": False}

    def output(self):
        return b"\n".join(self.results) + b"\n"


class OddReplies(support.Case):
    def run_batch(self, world, *arguments, count=5, base="/v1", **options):
        self.prompts(count)
        return self.call("run", "items.jsonl", "--base-url", world.server.origin + base, "--model", "m", "--via",
                         "batch", "--poll-interval", "0.1", *arguments, **options)

    def assert_paid_once(self, world, count=5):
        self.assertEqual(len(world.created), 1)
        self.assertEqual(sorted(world.answered.values()), [1] * count)

    def test_a_plain_run(self):
        world = OpenAi(self)
        self.run_batch(world, code=0)
        self.assert_all_succeeded(5)
        self.assert_paid_once(world)

    def test_lines_that_run_together(self):
        world = OpenAi(self)
        world.output = lambda: b"".join(world.results) + b"\n"
        process = self.run_batch(world, code=4)
        self.assertIn("something follows its JSON object", process.stderr)
        self.assertIn("result1.jsonl:1:", process.stderr)
        self.assertEqual(world.downloads, 2)
        self.assert_paid_once(world)
        # The server is mended: everything is still there.
        world.output = lambda: b"\n".join(world.results)
        self.run_batch(world, code=0)
        self.assert_all_succeeded(5)
        self.assert_paid_once(world)

    def test_a_download_that_is_cut_between_lines(self):
        world = OpenAi(self)
        world.output = lambda: b"\n".join(world.results[:2 if world.downloads == 1 else 5]) + b"\n"
        self.run_batch(world, code=0)
        self.assert_all_succeeded(5)
        self.assertEqual(world.downloads, 2)
        self.assert_paid_once(world)

    def test_lines_that_are_missing_for_good(self):
        # The provider counts five answers and brings four: only the user may have the fifth paid again.
        world = OpenAi(self)
        world.output = lambda: b"\n".join(world.results[1 if len(world.created) == 1 else 0:]) + b"\n"
        process = self.run_batch(world, code=4)
        self.assertIn("1 of its 5 answers, which are paid, are not in its results", process.stderr)
        self.assertEqual(self.state_counts()["succeeded"], 4)
        self.assert_paid_once(world)
        self.call("batches", "forget", "1", "--yes", code=0)
        self.run_batch(world, code=0)
        self.assert_all_succeeded(5)
        self.assertEqual(sorted(world.answered.values()), [1, 1, 1, 1, 1, 1])  # the sixth under a new id

    def test_a_line_that_cannot_be_read(self):
        world = OpenAi(self)
        world.output = lambda: b"\n".join([b"oops"] + world.results[1:]) + b"\n"
        for _ in range(2):
            process = self.run_batch(world, code=4)
            self.assertIn("result1.jsonl:1: not a result line", process.stderr)
            self.assertIn("batches forget 1", process.stderr)
            self.assertEqual(self.state_counts()["succeeded"], 4)
        world.output = lambda: OpenAi.output(world)
        self.run_batch(world, code=0)
        self.assert_all_succeeded(5)
        self.assert_paid_once(world)

    def test_results_that_are_named_late(self):
        world = OpenAi(self)
        world.look = lambda: world.ended(output_file_id="file-out" if world.looks > 2 else None)
        self.run_batch(world, code=0)
        self.assert_all_succeeded(5)
        self.assert_paid_once(world)

    def test_results_that_are_never_named(self):
        world = OpenAi(self)
        world.look = lambda: world.ended(output_file_id=None)
        process = self.run_batch(world, code=4)
        self.assertIn("5 answers, which are paid, and names no results", process.stderr)
        self.assertIn("batches forget 1", process.stderr)
        self.assert_paid_once(world)

    def test_a_lost_create_that_cannot_be_looked_for(self):
        world = OpenAi(self)
        world.lose_create = True
        for unlisted, said in ((NOT_FOUND, "lists no batches"), ({}, "batches: no list")):
            world.list = lambda body=unlisted: body
            process = self.run_batch(world, code=4)
            self.assertIn(said, process.stderr)
            self.assert_paid_once(world)
        world.list = lambda: OpenAi.list(world)
        self.run_batch(world, code=0)
        self.assert_all_succeeded(5)
        self.assert_paid_once(world)

    def test_replies_of_something_between(self):
        # A gateway in maintenance, for longer than anything else is tried.
        world = OpenAi(self)
        world.look = lambda: b"<html>back soon</html>" if world.looks < 6 else world.ended()
        process = self.run_batch(world, code=0, timeout=120)
        self.assertIn("not JSON", process.stderr)
        self.assert_all_succeeded(5)
        self.assert_paid_once(world)

    def test_errors_without_a_status(self):
        world = OpenAi(self)
        codes = ["content_filter", "unsupported_value"]

        def line(line):
            error = codes[len(world.answered)] if len(world.answered) < len(codes) else None
            if error is None:
                return OpenAi.line(world, line)
            world.answer_once(line["custom_id"])
            return json.dumps({"custom_id": line["custom_id"], "response": None,
                               "error": {"code": error, "message": "m"}}).encode()

        world.line = line
        self.run_batch(world, code=3)
        self.assert_paid_once(world)
        self.assertEqual(sorted(self.query("select state, error from results where state <> 'succeeded'")),
                         [("failed", "invalid_request"), ("filtered", "content_policy")])

    def test_azures_classic_urls(self):
        world = OpenAi(self)
        world.prefix = "/openai"
        self.run_batch(world, "--provider", "azure", base="/openai/deployments/dep-1?api-version=v", code=0,
                       env={"AZURE_OPENAI_API_KEY": "k"})
        self.assert_all_succeeded(5)
        self.assert_paid_once(world)
        for path in world.paths():
            self.assertTrue(path.startswith(("/openai/files", "/openai/batches")), path)
            self.assertIn("?api-version=v", path)
        self.assertEqual({line["body"]["model"] for line in world.lines}, {"dep-1"})
        self.assertEqual({line["url"] for line in world.lines}, {"/chat/completions"})


class Anthropic(BatchWorld):
    def serve(self, request):
        path, _, _ = request.path.partition("?")
        if (request.method, path) == ("POST", "/v1/messages/batches"):
            self.created.append(request.json())
            self.lines = request.json()["requests"]
            for line in self.lines:
                self.answer_once(line["custom_id"])
            return self.batch("in_progress")
        if path == "/v1/messages/batches/msgbatch_1":
            return self.batch("ended", archived_at=TIME, request_counts={
                "processing": 0, "succeeded": len(self.lines), "errored": 0, "canceled": 0, "expired": 0})
        if path == "/v1/messages/batches/msgbatch_1/results":
            return ("404 Not Found", {"type": "error", "error": {"type": "not_found_error", "message": "archived"}})
        raise AssertionError(request.method + " " + request.path)

    @staticmethod
    def batch(status, **changes):
        batch = {"id": "msgbatch_1", "type": "message_batch", "processing_status": status,
                 "request_counts": {"processing": 5, "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0},
                 "created_at": TIME, "expires_at": TIME, "ended_at": None, "cancel_initiated_at": None,
                 "archived_at": None, "results_url": None}
        batch.update(changes)
        return batch


class Gemini(BatchWorld):
    def __init__(self, case, target):
        super().__init__(case)
        self.target = target

    def handle(self, request, connection):
        if request.path.startswith("/upload/"):
            connection.sendall(support.reply(b"{}", headers=[("X-Goog-Upload-URL", self.target),
                                                             ("X-Goog-Upload-Status", "active")]))
            return True
        connection.sendall(support.reply(b"{}"))  # no files, no batches
        return True


class OtherProviders(support.Case):
    def test_archived_results_are_not_paid_again(self):
        world = Anthropic(self)
        self.prompts(5)
        process = self.call("run", "items.jsonl", "--provider", "anthropic", "--base-url", world.server.url,
                            "--model", "m", "--max-tokens", "9", "--via", "batch", "--poll-interval", "0.1",
                            env={"ANTHROPIC_API_KEY": "k"}, code=4)
        self.assertIn("its results are gone", process.stderr)
        self.assertIn("batches forget 1", process.stderr)
        self.assertEqual(len(world.created), 1)

    def test_an_upload_that_leads_elsewhere(self):
        elsewhere = self.server(support.answer)
        world = Gemini(self, elsewhere.origin + "/upload?upload_id=1")
        self.prompts(2)
        process = self.call("run", "items.jsonl", "--provider", "gemini", "--base-url", world.server.origin + "/v1beta",
                            "--model", "m", "--via", "batch", "--poll-interval", "0.1",
                            env={"GEMINI_API_KEY": "the-key"}, code=4, timeout=120)
        self.assertIn("another host", process.stderr)
        self.assertEqual(elsewhere.count(), 0)


if __name__ == "__main__":
    support.main()
