#include "llmbatch/app/settings.h"

#include <set>

#include "app_fixture.h"
#include "llmbatch/app/settings_table.h"

namespace llmbatch {
namespace {

class SettingsTest : public AppTest {};

TEST_F(SettingsTest, StrongerSourceWinsAndEveryOriginIsKept) {
  const std::string user = write("home/.config/llmbatch/config.toml",
                                 "rpm = 1\ntpm = 10\nmax-retries = 1\nmax-concurrency = 1\n");
  write("work/llmbatch.toml", "rpm = 2\n\n[run]\ntpm = 20\nmax-retries = 2\n");
  variables_["LLMBATCH_RPM"] = "3";
  variables_["LLMBATCH_TPM"] = "30";
  const auto parsed = parse({"run", "in.jsonl", "--rpm", "4"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const Settings& settings = parsed->settings;
  EXPECT_EQ(settings.integer("rpm"), 4);
  EXPECT_EQ(settings.origin("rpm").label(), "flag --rpm");
  EXPECT_EQ(settings.integer("tpm"), 30);
  EXPECT_EQ(settings.origin("tpm").label(), "env LLMBATCH_TPM");
  EXPECT_EQ(settings.integer("max-retries"), 2);
  EXPECT_EQ(settings.origin("max-retries").label(), "llmbatch.toml:5");
  EXPECT_EQ(settings.integer("max-concurrency"), 1);
  EXPECT_EQ(settings.origin("max-concurrency").label(), user + ":4");
  EXPECT_EQ(settings.duration("timeout"), std::chrono::seconds(60));
  EXPECT_EQ(settings.origin("timeout").label(), "default");
}

TEST_F(SettingsTest, SectionOfTheCommandWinsOverTheTopLevelOfTheSameFile) {
  write("work/llmbatch.toml", "rpm = 2\n[run]\nrpm = 7\n");
  const auto parsed = parse({"run", "in.jsonl"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->settings.integer("rpm"), 7);
}

TEST_F(SettingsTest, EmptyVariableCountsAsNotSet) {
  variables_["LLMBATCH_RPM"] = "";
  const auto parsed = parse({"run", "in.jsonl"});
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->settings.has("rpm"));
}

TEST_F(SettingsTest, RunAndSimulateDoNotShareTheirLimits) {
  variables_["LLMBATCH_RPM"] = "3";
  variables_["LLMBATCH_SIMULATE_TPM"] = "9";
  write("work/llmbatch.toml", "[simulate]\nseed = 5\n");
  const auto parsed = parse({"simulate"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_FALSE(parsed->settings.has("rpm"));
  EXPECT_EQ(parsed->settings.integer("tpm"), 9);
  EXPECT_EQ(parsed->settings.integer("seed"), 5);
}

TEST_F(SettingsTest, RelativeXdgConfigHomeIsIgnored) {
  write("home/.config/llmbatch/config.toml", "rpm = 8\n");
  variables_["XDG_CONFIG_HOME"] = "relative";
  const auto parsed = parse({"run", "in.jsonl"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->settings.integer("rpm"), 8);
}

TEST_F(SettingsTest, NamedConfigFileReplacesTheOthers) {
  write("home/.config/llmbatch/config.toml", "rpm = 1\n");
  write("work/llmbatch.toml", "tpm = 2\n");
  const std::string named = write("etc/cron.toml", "itpm = 3\nprompt-file = 'p.txt'\n");
  const auto parsed = parse({"run", "in.jsonl", "--config", named});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_FALSE(parsed->settings.has("rpm"));
  EXPECT_FALSE(parsed->settings.has("tpm"));
  EXPECT_EQ(parsed->settings.integer("itpm"), 3);
  EXPECT_EQ(parsed->settings.text("prompt-file"), root_ + "/etc/p.txt");
  EXPECT_THAT(error({"run", "in.jsonl", "--config", "/nowhere/x.toml"}),
              testing::StartsWith("/nowhere/x.toml: "));
}

TEST_F(SettingsTest, FileErrorsNameFileLineKeyAndSuggestion) {
  write("work/llmbatch.toml", "model = 'm'\nmax-retrys = 5\n");
  EXPECT_EQ(error({"run", "in.jsonl"}),
            "llmbatch.toml:2: unknown key 'max-retrys'; did you mean 'max-retries'?");
  write("work/llmbatch.toml", "\n[run]\nrpmm = 5\n");
  EXPECT_EQ(error({"status"}), "llmbatch.toml:3: unknown key 'run.rpmm'; did you mean 'rpm'?");
  write("work/llmbatch.toml", "[exprot]\nformat = 'csv'\n");
  EXPECT_EQ(error({"run", "in.jsonl"}),
            "llmbatch.toml:1: unknown section [exprot]; did you mean 'export'?");
  write("work/llmbatch.toml", "format = 'csv'\n");
  EXPECT_EQ(error({"run", "in.jsonl"}), "llmbatch.toml:1: format belongs in section [export]");
  write("work/llmbatch.toml", "retry = ['failed']\n");
  EXPECT_EQ(error({"run", "in.jsonl"}),
            "llmbatch.toml:1: retry cannot be set in a file (use --retry)");
}

TEST_F(SettingsTest, WrongValuesInFilesNameFileLineKeyAndValue) {
  write("work/llmbatch.toml", "\nrpm = 'fast'\n");
  EXPECT_EQ(error({"run", "in.jsonl"}),
            "llmbatch.toml:2: rpm: 'fast' is not a whole number (500, 1.5k, 2M)");
  write("work/llmbatch.toml", "model = 5\n");
  EXPECT_EQ(error({"run", "in.jsonl"}),
            "llmbatch.toml:1: model: 5 is not a string (put it in quotes)");
  write("work/llmbatch.toml", "strict = 'yes'\n");
  EXPECT_THAT(error({"run", "in.jsonl"}), testing::EndsWith("is not true or false"));
  write("work/llmbatch.toml", "max-retries = -1\n");
  EXPECT_EQ(error({"run", "in.jsonl"}),
            "llmbatch.toml:1: max-retries: -1 is too small (at least 0)");
  write("work/llmbatch.toml", "[export]\nformat = 'cvs'\n");
  EXPECT_EQ(
      error({"run", "in.jsonl"}),
      "llmbatch.toml:2: export.format: 'cvs' is not one of jsonl or csv; did you mean 'csv'?");
  write("work/llmbatch.toml", "rpm = 5\nrpm = \n");
  EXPECT_THAT(error({"run", "in.jsonl"}), testing::StartsWith("llmbatch.toml:2: "));
}

TEST_F(SettingsTest, AmountsKeepTheirDigits) {
  write("work/llmbatch.toml", "price-input = 0.15\nprice-output = '0.123456789012'\n");
  const auto parsed = parse({"run", "in.jsonl", "--max-cost", "$5.5"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->settings.optional_money("max-cost")->pico(), 5'500'000'000'000);
  EXPECT_EQ(parsed->settings.optional_money("price-input")->pico(), 150'000'000'000);
  EXPECT_EQ(parsed->settings.optional_money("price-output")->pico(), 123'456'789'012);
  EXPECT_EQ(parsed->settings.optional_money("price-cached-input"), std::nullopt);
  EXPECT_EQ(error({"run", "in.jsonl", "--max-cost", "five"}),
            "--max-cost: 'five' is not an amount in dollars (5, 0.15)");
  EXPECT_EQ(error({"run", "in.jsonl", "--max-cost", "-1"}),
            "--max-cost: -1 is too small (at least 0)");
}

TEST_F(SettingsTest, FilesHoldListsSizesAndParameters) {
  write("work/llmbatch.toml",
        "stop = ['a,b', 'c']\nmax-response-size = '1MiB'\ntimeout = '1m30s'\nrpm = '1.5k'\n"
        "temperature = 1\nmax-error-rate = 7.5\n"
        "param = {top_k = 40, flag = true, deep = {x = [1, 'z']}, word = 'w'}\n");
  const auto parsed = parse({"run", "in.jsonl"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const Settings& settings = parsed->settings;
  EXPECT_EQ(settings.list("stop"), (std::vector<std::string>{"a,b", "c"}));
  EXPECT_EQ(settings.integer("max-response-size"), 1048576);
  EXPECT_EQ(settings.duration("timeout"), std::chrono::seconds(90));
  EXPECT_EQ(settings.integer("rpm"), 1500);
  EXPECT_DOUBLE_EQ(settings.number("temperature"), 1);
  EXPECT_DOUBLE_EQ(settings.number("max-error-rate"), 0.075);
  EXPECT_EQ(settings.list("param").size(), 4U);
  EXPECT_THAT(settings.list("param"), testing::Contains("word=\"w\""));
  EXPECT_THAT(settings.list("param"), testing::Contains("top_k=40"));
  EXPECT_THAT(settings.list("param"), testing::Contains("flag=true"));
}

TEST_F(SettingsTest, ErrorsNameFlagOrVariable) {
  variables_["LLMBATCH_RPM"] = "abc";
  EXPECT_EQ(error({"run", "in.jsonl"}),
            "LLMBATCH_RPM: 'abc' is not a whole number (500, 1.5k, 2M)");
  EXPECT_EQ(error({"run", "in.jsonl", "--timeout", "5x"}),
            "--timeout: '5x' is not a duration (60, 500ms, 1m30s)");
  EXPECT_EQ(error({"run", "in.jsonl", "--retry", "faild"}),
            "--retry: 'faild' is not one of failed, filtered, flagged or invalid; did you mean "
            "'failed'?");
}

TEST_F(SettingsTest, UrlWithPasswordIsRefusedWithoutRepeatingIt) {
  const std::string message = error({"run", "x", "--base-url", "https://me:hunter2@host/v1"});
  EXPECT_THAT(message, testing::HasSubstr("password"));
  EXPECT_THAT(message, testing::Not(testing::HasSubstr("hunter2")));
}

TEST(SettingValue, Durations) {
  EXPECT_EQ(parse_duration_nanos("60"), 60'000'000'000);
  EXPECT_EQ(parse_duration_nanos("1.5"), 1'500'000'000);
  EXPECT_EQ(parse_duration_nanos("500ms"), 500'000'000);
  EXPECT_EQ(parse_duration_nanos("1h30m"), 5400'000'000'000);
  EXPECT_EQ(parse_duration_nanos("1d"), 86400'000'000'000);
  for (const char* wrong : {"", "s", "5x", "-5", "1h30", "1e400", "999999999999d", "1.2.3s"}) {
    EXPECT_FALSE(parse_duration_nanos(wrong)) << wrong;
  }
}

TEST(SettingValue, CountsAndPercentages) {
  EXPECT_EQ(parse_count("500"), 500);
  EXPECT_EQ(parse_count("1.5k"), 1500);
  EXPECT_EQ(parse_count("2M"), 2'000'000);
  for (const char* wrong : {"", "k", "1.5", "0.0001k", "1e30k", "5 k"}) {
    EXPECT_FALSE(parse_count(wrong)) << wrong;
  }
  EXPECT_DOUBLE_EQ(parse_percent("5").value_or(-1), 0.05);
  EXPECT_DOUBLE_EQ(parse_percent("5%").value_or(-1), 0.05);
  EXPECT_DOUBLE_EQ(parse_percent("2.5 %").value_or(-1), 0.025);
  EXPECT_FALSE(parse_percent("%"));
  EXPECT_FALSE(parse_percent("five"));
}

TEST(SettingsTable, NamesFlagsAndVariablesAreUniquePerCommand) {
  std::set<std::string> variables;
  for (const SettingSpec& spec : settings_table()) {
    EXPECT_TRUE(variables.insert(spec.environment()).second) << spec.environment();
    EXPECT_FALSE(spec.help.empty()) << spec.name;
    EXPECT_FALSE(spec.group.empty()) << spec.name;
    EXPECT_NE(spec.commands, 0U) << spec.name;
    EXPECT_EQ(spec.placeholder().empty(), spec.type == ValueType::boolean) << spec.name;
  }
  for (const CommandSpec& command : command_table()) {
    std::set<std::string> names;
    std::set<char> letters{'h'};
    for (const SettingSpec* spec : settings_of(command.command)) {
      if (!contains(spec->commands, command.command)) continue;
      EXPECT_TRUE(names.insert(spec->flag()).second) << spec->flag();
      if (spec->letter == 0) continue;
      EXPECT_TRUE(letters.insert(spec->letter).second) << spec->letter;
    }
  }
}

TEST(SettingsTable, DocumentedVariablesKeepTheirNames) {
  const auto* rpm = find_setting(Command::run, "rpm");
  const auto* format = find_setting(Command::export_results, "format");
  ASSERT_TRUE(rpm != nullptr && format != nullptr);
  EXPECT_EQ(rpm->environment(), "LLMBATCH_RPM");
  EXPECT_EQ(format->environment(), "LLMBATCH_EXPORT_FORMAT");
  EXPECT_EQ(format->file_key(), "export.format");
}

}  // namespace
}  // namespace llmbatch
