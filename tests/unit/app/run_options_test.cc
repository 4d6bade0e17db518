#include "llmbatch/app/run_options.h"

#include "app_fixture.h"
#include "llmbatch/app/database_path.h"

namespace llmbatch {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class RunOptionsTest : public AppTest {
 protected:
  Result<RunOptions> options(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "run");
    const auto parsed = parse(arguments);
    if (!parsed) return forward_error(parsed);
    return make_run_options(parsed->positionals[0], parsed->settings);
  }

  std::string option_error(const std::vector<std::string>& arguments) const {
    const auto made = options(arguments);
    if (made) return "no error";
    EXPECT_EQ(made.error().kind, ErrorKind::usage);
    return made.error().message;
  }
};

TEST_F(RunOptionsTest, DefaultsAreThoseOfTheContract) {
  const auto made = options({"in.jsonl"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->input.database, "in.jsonl.llmbatch.db");
  EXPECT_EQ(made->input.id_rule, "id");
  EXPECT_FALSE(made->input.prompt);
  EXPECT_FALSE(made->model.wire_format);
  EXPECT_FALSE(made->limits.rpm);
  EXPECT_FALSE(made->limits.concurrency);
  EXPECT_EQ(made->limits.max_concurrency, 256);
  EXPECT_EQ(made->errors.max_retries, 5U);
  EXPECT_DOUBLE_EQ(made->errors.max_error_rate.value_or(-1), 0.05);
  EXPECT_FALSE(made->errors.warn_on_error_rate);
  EXPECT_EQ(made->network.timeout, std::chrono::seconds(60));
  EXPECT_EQ(made->network.connect_timeout, std::chrono::seconds(10));
  EXPECT_EQ(made->network.drain_timeout, std::chrono::seconds(30));
  EXPECT_EQ(made->network.max_response_bytes, 64U << 20U);
  EXPECT_EQ(made->output.progress, ProgressStyle::automatic);
}

TEST_F(RunOptionsTest, ConvertsWhatWasGiven) {
  const std::string prompt = write("work/p.txt", "Classify {{x}}\n");
  const auto made = options({"-",
                             "--db",
                             "a.db",
                             "--prompt-file",
                             prompt,
                             "--id-field",
                             "key",
                             "--concurrency",
                             "12",
                             "--max-error-rate",
                             "100%",
                             "--retry",
                             "failed,flagged,failed",
                             "--rerun",
                             "changed",
                             "--endpoint",
                             "responses",
                             "--temperature",
                             "0.20",
                             "--seed",
                             "7",
                             "--stop",
                             "x\"y",
                             "--param",
                             "top_k=40",
                             "--progress",
                             "json",
                             "--progress-items"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->input.database, "a.db");
  EXPECT_EQ(made->input.prompt->text, "Classify {{x}}\n");
  EXPECT_EQ(made->input.id_rule, "field:key");
  EXPECT_EQ(made->limits.concurrency, 12);
  EXPECT_FALSE(made->errors.max_error_rate);
  EXPECT_EQ(made->errors.retry_states,
            (std::vector<ItemState>{ItemState::failed, ItemState::flagged}));
  EXPECT_TRUE(made->errors.rerun_changed);
  EXPECT_EQ(made->model.wire_format, WireFormat::openai_responses);
  const std::vector<std::pair<std::string, std::string>> parameters{
      {"seed", "7"}, {"stop", R"(["x\"y"])"}, {"temperature", "0.2"}, {"top_k", "40"}};
  EXPECT_EQ(made->model.parameters, parameters);
}

TEST_F(RunOptionsTest, ContradictionsNameBothSettings) {
  EXPECT_EQ(option_error({"x", "--prompt", "a", "--prompt-file", "b"}),
            "--prompt and --prompt-file exclude each other");
  write("work/llmbatch.toml", "system = 'a'\nsystem-file = 'b'\n");
  EXPECT_EQ(option_error({"x"}),
            "system (llmbatch.toml:1) and system-file (llmbatch.toml:2) exclude each other");
  write("work/llmbatch.toml", "");
  EXPECT_EQ(option_error({"x", "--id", "line", "--id-field", "k"}),
            "--id and --id-field exclude each other");
  EXPECT_EQ(option_error({"x", "--progress-items"}), "--progress-items: only with --progress json");
  EXPECT_THAT(option_error({"-"}), StartsWith("--db is missing"));
  EXPECT_EQ(option_error({"-", "--db", "x", "--prompt-file", "-"}),
            "INPUT and --prompt-file both read stdin (-)");
  EXPECT_EQ(option_error({"x", "--rerun", "all"}), "--rerun: 'all' is not one of changed");
  EXPECT_THAT(option_error({"x", "--wire-format", "gemini"}), HasSubstr("only with --base-url"));
  EXPECT_THAT(option_error({"x", "--base-url", "http://h/v1", "--wire-format", "gemini",
                            "--endpoint", "chat"}),
              HasSubstr("gemini has no endpoints"));
}

TEST_F(RunOptionsTest, FlagReplacesTheContradictingValueOfAFile) {
  write("work/llmbatch.toml", "prompt-file = 'missing.txt'\n");
  const auto made = options({"x", "--prompt", "Say {{a}}"});
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->input.prompt->text, "Say {{a}}");
}

TEST_F(RunOptionsTest, ParametersAreCheckedBeforeAnythingIsSent) {
  EXPECT_EQ(option_error({"x", "--param", "word=abc"}),
            "--param: 'word=abc': the value is not JSON (a text needs its quotes: "
            "word='\"abc\"')");
  EXPECT_THAT(option_error({"x", "--param", "abc"}), HasSubstr("is not NAME=JSON"));
  EXPECT_EQ(option_error({"x", "--param", "stream=true"}),
            "--param: 'stream' cannot be set as a parameter");
  EXPECT_EQ(option_error({"x", "--param", "seed=1", "--seed", "1"}),
            "--param: 'seed' is set twice");
}

TEST_F(RunOptionsTest, UnreadableTemplateNamesFlagAndFile) {
  EXPECT_THAT(option_error({"x", "--prompt-file", "/nowhere/p"}),
              StartsWith("--prompt-file: /nowhere/p: cannot open"));
  const std::string broken = write("work/bad.txt", "\xff\xfe");
  EXPECT_THAT(option_error({"x", "--system-file", broken}), HasSubstr("not valid UTF-8"));
}

class DatabasePathTest : public AppTest {};

TEST_F(DatabasePathTest, OnlyDatabaseOfTheDirectoryIsTaken) {
  write("work/a.jsonl.llmbatch.db", "");
  write("work/a.jsonl.llmbatch.db-wal", "");
  const auto parsed = parse({"status"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*database_of(*parsed, environment_), "a.jsonl.llmbatch.db");
}

TEST_F(DatabasePathTest, NoneAndSeveralAreUsageErrorsThatListThem) {
  const auto parsed = parse({"status"});
  ASSERT_TRUE(parsed);
  auto found = database_of(*parsed, environment_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::usage);
  EXPECT_THAT(found.error().message, HasSubstr("no *.llmbatch.db here"));
  write("work/b.llmbatch.db", "");
  write("work/a.llmbatch.db", "");
  found = database_of(*parsed, environment_);
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::usage);
  EXPECT_THAT(found.error().message, HasSubstr("\n  a.llmbatch.db\n  b.llmbatch.db"));
}

TEST_F(DatabasePathTest, NamedDatabaseWinsOverTheConfiguredOne) {
  write("work/llmbatch.toml", "db = 'jobs/all.db'\n");
  EXPECT_EQ(*database_of(*parse({"status"}), environment_), work() + "/jobs/all.db");
  EXPECT_EQ(*database_of(*parse({"status", "x.db"}), environment_), "x.db");
  EXPECT_FALSE(database_of(*parse({"status", "x.db", "--db", "y.db"}), environment_));
}

}  // namespace
}  // namespace llmbatch
