// The `batches` commands on a job whose request files go to an engine that is not reached.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "app_fixture.h"
#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"

namespace llmbatch {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class BatchesTest : public AppTest {
 protected:
  struct Ended {
    int code = 0;
    std::string out;
    std::string err;
  };

  Ended run(std::vector<std::string> arguments) const {
    Ended ended;
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const auto parsed = parse(arguments);
    ended.code = parsed ? carry_out(*parsed) : report_error(parsed.error());
    ended.out = testing::internal::GetCapturedStdout();
    ended.err = testing::internal::GetCapturedStderr();
    return ended;
  }

  int carry_out(const ParsedCommand& parsed) const {
    if (parsed.command == Command::batches_cancel || parsed.command == Command::batches_forget) {
      return batches_change_command(parsed, environment_);
    }
    if (parsed.command == Command::batches_write) {
      return batches_write_command(parsed, environment_, "llmbatch batches write");
    }
    if (parsed.command == Command::batches_read) {
      return batches_read_command(parsed, environment_, "llmbatch batches read");
    }
    return batches_command(parsed, environment_);
  }

  /// An input of `count` items, written as request files.
  Ended write_files(int count, std::vector<std::string> more = {}) {
    std::string lines;
    for (int i = 1; i <= count; ++i) {
      lines +=
          json{{"id", "t-" + std::to_string(i)}, {"prompt", "say " + std::to_string(i)}}.dump() +
          "\n";
    }
    input_ = write("work/in.jsonl", lines);
    std::vector<std::string> arguments{
        "batches", "write", input_, "-o", work() + "/out", "--base-url", "http://127.0.0.1:1/v1",
        "--model", "m"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }

  std::vector<std::string> lines_of(const std::string& path) const {
    std::ifstream file(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }
  std::string request_file(int number) const {
    return work() + "/out/batch-" + std::to_string(number) + ".jsonl";
  }

  /// What vLLM's run-batch makes of a request line.
  static std::string answer_to(const std::string& request, const std::string& text) {
    const json body{
        {"id", "c"},
        {"object", "chat.completion"},
        {"model", "m"},
        {"choices",
         {{{"index", 0},
           {"message", {{"role", "assistant"}, {"content", text}}},
           {"finish_reason", "stop"}}}},
        {"usage", {{"prompt_tokens", 5}, {"completion_tokens", 2}, {"total_tokens", 7}}}};
    return json{{"id", "vllm-1"},
                {"custom_id", json::parse(request)["custom_id"]},
                {"response", {{"status_code", 200}, {"request_id", "r"}, {"body", body}}},
                {"error", nullptr}}
               .dump() +
           "\n";
  }

  json batch(int number) const {
    return json::parse(
        run({"batches", "show", std::to_string(number), "--input", input_, "--json"}).out);
  }

  std::string input_;
};

TEST_F(BatchesTest, RequestFilesHoldWhatIsPendingAndNothingIsSent) {
  const Ended ended = write_files(5, {"--batch-size", "2"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, HasSubstr(request_file(1) + "  2 requests, "));
  EXPECT_THAT(ended.out, HasSubstr(request_file(3) + "  1 request, "));
  EXPECT_THAT(ended.err,
              HasSubstr("llmbatch batches read RESULTS.jsonl --db " + input_ + ".llmbatch.db"));
  const auto lines = lines_of(request_file(1));
  ASSERT_EQ(lines.size(), 2U);
  const json first = json::parse(lines[0]);
  EXPECT_EQ(first["method"], "POST");
  EXPECT_EQ(first["url"], "/v1/chat/completions");
  EXPECT_EQ(first["body"]["messages"][0]["content"], "say 1");
  EXPECT_EQ(batch(1)["stage"], "written");
  EXPECT_EQ(batch(1)["file"], request_file(1));
  const Ended again = write_files(5, {"--batch-size", "2"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, IsEmpty());
  EXPECT_THAT(again.err, HasSubstr("nothing is left to write"));
}

TEST_F(BatchesTest, AnswersComeBackByCustomIdOnce) {
  ASSERT_EQ(write_files(3, {"--batch-size", "2"}).code, 0);
  const auto first = lines_of(request_file(1));
  const auto second = lines_of(request_file(2));
  const std::string results =
      write("work/results.jsonl", answer_to(second[0], "c") + "\n" + answer_to(first[1], "b"));
  Ended ended = run({"batches", "read", results, "--input", input_, "--json"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  json told = json::parse(ended.out);
  EXPECT_EQ(told["stored"], 2);
  EXPECT_EQ(told["collected"], json::array({2}));
  EXPECT_EQ(told["submitted"], 1);
  EXPECT_EQ(batch(1)["answered"], 1);
  EXPECT_EQ(batch(1)["stage"], "written");
  EXPECT_EQ(batch(2)["stage"], "collected");
  // The files are the user's, whatever becomes of the batch.
  EXPECT_TRUE(std::filesystem::exists(request_file(2)));

  const std::string rest =
      write("work/rest.jsonl", answer_to(first[0], "a") + answer_to(first[1], "b"));
  told = json::parse(run({"batches", "read", rest, results, "--input", input_, "--json"}).out);
  EXPECT_EQ(told["stored"], 1);
  EXPECT_EQ(told["known"], 3);
  EXPECT_EQ(told["collected"], json::array({1}));
  EXPECT_EQ(batch(1)["answered"], 2);
}

TEST_F(BatchesTest, AWrongLineStoresNothingOfAnyFile) {
  ASSERT_EQ(write_files(2).code, 0);
  const auto requests = lines_of(request_file(1));
  const std::string good = write("work/good.jsonl", answer_to(requests[0], "a"));
  const std::string bad =
      write("work/bad.jsonl", answer_to(requests[1], "b") + "{\"custom_id\": 7}\n");
  const Ended ended = run({"batches", "read", good, bad, "--input", input_});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr(bad + ":2: "));
  EXPECT_THAT(ended.out, IsEmpty());
  EXPECT_EQ(batch(1)["answered"], 0);
  const Ended missing = run({"batches", "read", work() + "/none.jsonl", "--input", input_});
  EXPECT_EQ(missing.code, 2);
  EXPECT_THAT(missing.err, HasSubstr("none.jsonl"));
}

TEST_F(BatchesTest, ARequestFileIsNoResultFile) {
  ASSERT_EQ(write_files(1).code, 0);
  const Ended ended = run({"batches", "read", request_file(1), "--input", input_});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr(request_file(1) + ":1: not a result line"));
  EXPECT_EQ(batch(1)["answered"], 0);
}

TEST_F(BatchesTest, LinesOfOtherJobsAreCountedAndNamed) {
  ASSERT_EQ(write_files(1).code, 0);
  const auto requests = lines_of(request_file(1));
  std::string strange = requests[0];
  strange.replace(strange.find(json::parse(requests[0])["custom_id"].get<std::string>()), 4,
                  "ffff");
  const std::string results =
      write("work/r.jsonl", answer_to(strange, "x") + answer_to(requests[0], "a"));
  const Ended ended = run({"batches", "read", results, "--input", input_});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.out, StartsWith("1 answer stored of 2 lines, 1 of other jobs (ffff"));
}

TEST_F(BatchesTest, AnIdThatTheBatchDoesNotHaveIsAWrongLine) {
  ASSERT_EQ(write_files(2).code, 0);
  std::string request = lines_of(request_file(1))[0];
  request.replace(request.find("000000001"), 9, "000000009");
  const std::string results = write("work/r.jsonl", answer_to(request, "a"));
  const Ended ended = run({"batches", "read", results, "--input", input_});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("r.jsonl:1: custom_id"));
}

TEST_F(BatchesTest, ForgettingNeedsAYesAndGivesTheItemsBack) {
  ASSERT_EQ(write_files(2).code, 0);
  const std::string late = write("work/late.jsonl", answer_to(lines_of(request_file(1))[0], "a"));
  Ended ended = run({"batches", "forget", "1", "--input", input_});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("--yes"));
  EXPECT_EQ(batch(1)["stage"], "written");
  ended = run({"batches", "forget", "1", "--input", input_, "--yes"});
  EXPECT_EQ(ended.code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("2 items are pending again"));
  EXPECT_EQ(batch(1)["stage"], "discarded");
  EXPECT_TRUE(std::filesystem::exists(request_file(1)));
  ended = run({"batches", "read", late, "--input", input_, "--json"});
  EXPECT_EQ(json::parse(ended.out)["given_back"], 1);
  ended = write_files(2);
  EXPECT_THAT(ended.out, HasSubstr(request_file(2) + "  2 requests"));
}

TEST_F(BatchesTest, ANumberThatTheJobDoesNotHaveIsSaidBeforeAnythingIsDone) {
  ASSERT_EQ(write_files(2, {"--batch-size", "1"}).code, 0);
  const Ended ended = run({"batches", "forget", "1", "9", "--input", input_, "--yes"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("'9' is no batch of " + input_));
  EXPECT_EQ(batch(1)["stage"], "written");
  EXPECT_EQ(run({"batches", "show", "x", "--input", input_}).code, 2);
  EXPECT_EQ(run({"batches", "forget", "all", "--input", input_}).code, 2);
}

TEST_F(BatchesTest, WhatWasWrittenCannotBeCancelled) {
  ASSERT_EQ(write_files(1).code, 0);
  const std::vector<std::string> cancel{"batches", "cancel", "all", "--input", input_};
  Ended ended = run(cancel);
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("--base-url"));
}

TEST_F(BatchesTest, ListIsATableOrOneObject) {
  ASSERT_EQ(write_files(2, {"--batch-size", "1"}).code, 0);
  const Ended table = run({"batches", "list", input_});
  EXPECT_THAT(table.out, StartsWith("NUMBER  STATE    REQUESTS  DONE  UNANSWERED"));
  EXPECT_THAT(table.out, HasSubstr("\n     2  written         1     -           -"));
  const json object = json::parse(run({"batches", "list", input_ + ".llmbatch.db", "--json"}).out);
  EXPECT_EQ(object["database"], input_ + ".llmbatch.db");
  EXPECT_EQ(object["batches"].size(), 2U);
  EXPECT_EQ(object["batches"][0]["requests"], 1);
  EXPECT_EQ(object["batches"][0]["provider_id"], nullptr);
}

TEST_F(BatchesTest, AJobWithoutBatchesOrNoneAtAllIsSaid) {
  EXPECT_EQ(run({"batches", "list", work() + "/none.jsonl"}).code, 2);
  EXPECT_EQ(run({"batches", "forget", "1", "--db", work() + "/none.db"}).code, 2);
  EXPECT_FALSE(std::filesystem::exists(work() + "/none.db"));
}

TEST_F(BatchesTest, WritingNeedsADirectory) {
  const std::string input = write("work/in.jsonl", "{\"id\":\"a\",\"prompt\":\"x\"}\n");
  const Ended ended = run({"batches", "write", input, "--model", "openai/gpt-4o-mini"});
  EXPECT_EQ(ended.code, 2);
  EXPECT_THAT(ended.err, HasSubstr("--output DIR is missing"));
  EXPECT_FALSE(std::filesystem::exists(input + ".llmbatch.db"));
}

TEST_F(BatchesTest, TheSecondWordIsNamedWhenItIsMissingOrWrong) {
  EXPECT_EQ(error({"batches"}),
            "'batches' needs a second word: list, show, cancel, forget, write or read");
  EXPECT_EQ(error({"batches", "lst"}),
            "unknown command 'batches lst'; did you mean 'batches list'?");
  EXPECT_EQ(parse({"batches", "--help"})->text, parse({"help", "batches"})->text);
  EXPECT_THAT(parse({"batches", "--help"})->text, HasSubstr("  cancel N...|all"));
  EXPECT_EQ(parse({"help", "batches", "read"})->text, parse({"batches", "read", "--help"})->text);
  EXPECT_THAT(parse({"batches", "read", "a", "b"})->positionals, ElementsAre("a", "b"));
}

}  // namespace
}  // namespace llmbatch
