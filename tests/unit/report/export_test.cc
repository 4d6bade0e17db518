#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "llmbatch/report/csv_export.h"
#include "llmbatch/report/json_text.h"
#include "llmbatch/report/jsonl_export.h"
#include "llmbatch/report/status_report.h"

namespace llmbatch {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Export : public ::testing::Test {
 protected:
  Export() {
    std::string pattern = ::testing::TempDir() + "llmbatch-export-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~Export() override { std::filesystem::remove_all(directory_); }

  std::string path() const { return directory_ + "/out"; }
  std::string content() const {
    std::ifstream file(path());
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  std::size_t file_count() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(directory_))
      ++count;
    return count;
  }
  std::string csv(const ItemResult& result, const ExportExtras& extras, const std::string& fields,
                  const std::string& with = "", bool guard = false) const {
    CsvExport sink(*OutputFile::open(path()), *ExportFields::parse(fields, with),
                   {.guard_formulas = guard});
    EXPECT_TRUE(sink.add(result, extras));
    EXPECT_TRUE(sink.finish());
    return content();
  }
  std::string jsonl(const ItemResult& result, const ExportExtras& extras, const std::string& fields,
                    const std::string& with = "") const {
    JsonlExport sink(*OutputFile::open(path()), *ExportFields::parse(fields, with));
    EXPECT_TRUE(sink.add(result, extras));
    EXPECT_TRUE(sink.finish());
    return content();
  }

  std::string directory_;
};

ItemResult succeeded() {
  ItemResult result;
  result.id = "t-1";
  result.state = ItemState::succeeded;
  result.output = "billing";
  result.model = "gpt-4o-mini-2024-07-18";
  result.usage = Usage{};
  result.usage->input = 412;
  result.usage->output = 3;
  result.cost = Money::parse_dollars("0.0000636");
  result.attempts = 1;
  result.latency_ms = 812;
  result.finish_reason = "stop";
  result.provider_request_id = "req_1";
  result.finished_at = parse_rfc3339("2026-11-23T02:14:07.123Z");
  return result;
}

// RFC 4180 as a reader understands it.
std::vector<std::vector<std::string>> parse_csv(const std::string& text) {
  std::vector<std::vector<std::string>> rows{{""}};
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    std::string& cell = rows.back().back();
    if (quoted) {
      if (c != '"') {
        cell += c;
      } else if (i + 1 < text.size() && text[i + 1] == '"') {
        cell += text[++i];
      } else {
        quoted = false;
      }
    } else if (c == '"') {
      quoted = true;
    } else if (c == ',') {
      rows.back().emplace_back();
    } else if (c == '\n') {
      rows.push_back({""});
    } else {
      cell += c;
    }
  }
  rows.pop_back();
  return rows;
}

TEST_F(Export, CsvHasAHeaderAndFlattenedColumns) {
  EXPECT_EQ(
      csv(succeeded(), {}, ""),
      "id,state,output,error.class,error.http_status,error.message,model,usage.input_tokens,"
      "usage.cached_input_tokens,usage.cache_write_tokens,usage.output_tokens,"
      "usage.reasoning_tokens,usage.estimated,cost_usd,attempts,latency_ms,finish_reason,"
      "provider_request_id,cached,finished_at\n"
      "t-1,succeeded,billing,,,,gpt-4o-mini-2024-07-18,412,0,0,3,0,false,0.0000636,1,812,stop,"
      "req_1,false,2026-11-23T02:14:07.123Z\n");
}

TEST_F(Export, CsvRoundTripsEveryText) {
  for (const std::string text : {"plain", "a,b", "say \"hi\"", "two\nlines", "cr\r\nlf", " spaces ",
                                 "東京 🎉", "\"", "", "=1+1", "tab\there"}) {
    ItemResult result = succeeded();
    result.output = text;
    const auto rows = parse_csv(csv(result, {}, "id,output,state"));
    ASSERT_EQ(rows.size(), 2U) << text;
    EXPECT_THAT(rows[1], ElementsAre("t-1", text, "succeeded"));
  }
}

TEST_F(Export, CsvTellsNullFromEmptyText) {
  ItemResult result = succeeded();
  result.output = "";
  EXPECT_EQ(csv(result, {}, "id,output"), "id,output\nt-1,\"\"\n");
  result.output.reset();
  EXPECT_EQ(csv(result, {}, "id,output"), "id,output\nt-1,\n");
  EXPECT_EQ(csv(result, {}, "output"), "output\n\"\"\n");
}

TEST_F(Export, CsvGuardsFormulasOnRequestOnly) {
  for (const std::string start : {"=", "+", "-", "@", "\t", "\r"}) {
    ItemResult result = succeeded();
    result.output = start + "cmd|' /C calc'!A0";
    EXPECT_EQ(parse_csv(csv(result, {}, "output,attempts", "", true))[1][0], "'" + *result.output);
    EXPECT_EQ(parse_csv(csv(result, {}, "output,attempts"))[1][0], *result.output);
  }
}

TEST_F(Export, CsvReplacesWhatNoReaderTakes) {
  ItemResult result = succeeded();
  result.output = std::string("a\0b\xff", 4);
  EXPECT_EQ(parse_csv(csv(result, {}, "output"))[1][0],
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
}

TEST_F(Export, CsvWritesJsonOutputAsCompactText) {
  ItemResult result = succeeded();
  result.output = "{ \"n\": 12345678901234567890.10,\n \"s\": \"a b\\\" c\" }";
  result.output_is_json = true;
  EXPECT_EQ(parse_csv(csv(result, {}, "output"))[1][0],
            R"({"n":12345678901234567890.10,"s":"a b\" c"})");
}

TEST_F(Export, CsvWithoutResultsStillHasItsHeader) {
  CsvExport sink(*OutputFile::open(path()), *ExportFields::parse("id,usage", ""), {});
  ASSERT_TRUE(sink.finish());
  EXPECT_THAT(content(), HasSubstr("id,usage.input_tokens,"));
}

TEST_F(Export, JsonlIsTheLineOfTheContract) {
  ItemResult result = succeeded();
  EXPECT_EQ(jsonl(result, {}, ""), to_json(result) + "\n");
}

TEST_F(Export, JsonlTakesMembersAndFlattenedNamesInTheOrderGiven) {
  EXPECT_EQ(jsonl(succeeded(), {}, "usage.input_tokens,state, id ,error.class,state"),
            "{\"usage.input_tokens\":412,\"state\":\"succeeded\",\"id\":\"t-1\","
            "\"error.class\":null}\n");
}

TEST_F(Export, JsonlAddsExtrasAsJsonOrElseAsText) {
  ExportExtras extras;
  extras.input = "{\"id\": \"t-1\",\t\"x\": 1.50}";
  extras.response = "<html>502 \xff</html>";
  EXPECT_EQ(jsonl(succeeded(), extras, "id", "input,request,response"),
            "{\"id\":\"t-1\",\"input\":{\"id\":\"t-1\",\"x\":1.50},\"request\":null,"
            "\"response\":\"<html>502 \xEF\xBF\xBD</html>\"}\n");
  const json all = json::parse(jsonl(succeeded(), extras, "", "input"));
  EXPECT_EQ(all.at("input").at("x"), 1.5);
  EXPECT_EQ(all.at("usage").at("input_tokens"), 412);
}

TEST_F(Export, JsonlOfAnInvalidLineHasANullId) {
  ItemResult result;
  result.has_id = false;
  result.state = ItemState::invalid;
  result.error = ErrorClass::invalid_input;
  result.error_message = "not a JSON object";
  const json line = json::parse(jsonl(result, {}, "id,state,error"));
  EXPECT_TRUE(line.at("id").is_null());
  EXPECT_EQ(line.at("error").at("class"), "invalid_input");
}

TEST(ExportFields, UnknownNamesGetASuggestion) {
  const auto fields = ExportFields::parse("id,usage.input_token", "");
  ASSERT_FALSE(fields);
  EXPECT_EQ(fields.error().kind, ErrorKind::usage);
  EXPECT_EQ(fields.error().message,
            "--fields: unknown field 'usage.input_token' (did you mean 'usage.input_tokens'?)");
  const auto with = ExportFields::parse("", "zzzzzzzz");
  ASSERT_FALSE(with);
  EXPECT_EQ(with.error().message,
            "--with: unknown field 'zzzzzzzz' (known: input, request, response)");
}

TEST(ExportFields, KnowWhichExtrasAreWanted) {
  const auto fields = ExportFields::parse("id,response", "input");
  ASSERT_TRUE(fields);
  EXPECT_TRUE(fields->wants("response"));
  EXPECT_TRUE(fields->wants("input"));
  EXPECT_FALSE(fields->wants("request"));
}

TEST(CompactJson, KeepsValuesAndRejectsWhatIsNoJson) {
  EXPECT_EQ(compact_json(" [1e300 , -0.0, \"\\\\ \\\" x\" ] "), "[1e300,-0.0,\"\\\\ \\\" x\"]");
  EXPECT_EQ(compact_json("\xEF\xBB\xBF{}"), "{}");
  EXPECT_FALSE(compact_json(""));
  EXPECT_FALSE(compact_json("{\"a\":1"));
  EXPECT_FALSE(compact_json("\"\xff\""));
}

TEST_F(Export, FileAppearsOnlyWhenFinished) {
  std::ofstream(path()) << "old";
  {
    auto file = OutputFile::open(path());
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write("new"));
    EXPECT_EQ(content(), "old");
  }
  EXPECT_EQ(content(), "old");
  EXPECT_EQ(file_count(), 1U);
  auto file = OutputFile::open(path());
  ASSERT_TRUE(file->write("new"));
  ASSERT_TRUE(file->finish());
  EXPECT_EQ(content(), "new");
  EXPECT_EQ(file_count(), 1U);
}

TEST_F(Export, ReplacedFileKeepsItsModeAndALinkStaysALink) {
  std::ofstream(directory_ + "/real") << "old";
  ASSERT_EQ(::chmod((directory_ + "/real").c_str(), 0600), 0);
  std::filesystem::create_symlink("real", path());
  auto file = OutputFile::open(path());
  ASSERT_TRUE(file->write("new"));
  ASSERT_TRUE(file->finish());
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  EXPECT_EQ(content(), "new");
  struct stat info {};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
}

TEST(OutputFile, WritesDirectlyToWhatIsNoFile) {
  auto file = OutputFile::open("/dev/null");
  ASSERT_TRUE(file);
  EXPECT_TRUE(file->write("x"));
  EXPECT_TRUE(file->finish());
  EXPECT_FALSE(std::filesystem::is_regular_file("/dev/null"));
}

TEST(OutputFile, NamesThePathThatCannotBeWritten) {
  const auto file = OutputFile::open("/nonexistent/out.csv");
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("/nonexistent/out.csv: cannot be written ("));
  EXPECT_EQ(file.error().kind, ErrorKind::usage);
}

TEST(OutputFile, AReaderThatIsGoneIsAQuietEnd) {
  std::signal(SIGPIPE, SIG_IGN);
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const UniqueFd writer(ends[1]);
  ::close(ends[0]);
  auto file = OutputFile::borrow(writer.get(), "standard output");
  const std::string megabyte(1024 * 1024, 'x');
  EXPECT_TRUE(file.write(megabyte));
  EXPECT_TRUE(file.reader_gone());
  EXPECT_TRUE(file.write(megabyte));
  EXPECT_TRUE(file.finish());
}

TEST(OutputFile, AFullDiskIsAnError) {
  auto file = OutputFile::open("/dev/full");
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->write("x"));
  const auto finished = file->finish();
  ASSERT_FALSE(finished);
  EXPECT_THAT(finished.error().message, HasSubstr("/dev/full: cannot write ("));
}

const WallTime kStatusTime = from_unix_nanos(1'800'000'000'000'000'000);

TEST(StatusReport, ShowsARunOnOneScreen) {
  RunStatus status;
  status.database = "tickets.jsonl.llmbatch.db";
  status.input = "tickets.jsonl";
  status.model = "gpt-4o-mini";
  status.running = true;
  status.pid = 4711;
  status.items[ItemState::succeeded] = 23832;
  status.items[ItemState::failed] = 15;
  status.items[ItemState::in_flight] = 64;
  status.items[ItemState::pending] = 26089;
  status.attempts = 24078;
  status.retries = 231;
  status.usage.input = 11923500;
  status.usage.output = 4769400;
  status.spent = Money::parse_dollars("107.31");
  status.projected = Money::parse_dollars("225");
  status.requests_per_minute = 481;
  status.tokens_per_minute = 336700;
  status.eta_seconds = 3240;
  status.waiting_for = "tpm limit, 12 s";
  status.error_rate = 0.005;
  status.errors = {{"server_error", "The server had\x1b[31m an error", 15}};
  const WallTime now = from_unix_nanos(1'800'000'000'000'000'000);
  status.updated_at = now;
  EXPECT_EQ(format_status(status, now),
            "database    tickets.jsonl.llmbatch.db\n"
            "input       tickets.jsonl\n"
            "model       gpt-4o-mini\n"
            "run         running (pid 4711)\n"
            "\n"
            "done        23,847 of 50,000 (47.7 %)\n"
            "            23,832 succeeded, 15 failed\n"
            "open        64 in flight, 26,089 pending\n"
            "rate        481 req/min, 337k tokens/min\n"
            "waiting for tpm limit, 12 s\n"
            "ETA         54m\n"
            "error rate  0.5 %\n"
            "\n"
            "attempts    24,078, 231 of them retries\n"
            "tokens      11,923,500 in, 4,769,400 out\n"
            "cost        $107.31 so far, about $225.00 in all\n"
            "\n"
            "errors      15 server_error: The server had\xEF\xBF\xBD[31m an error\n");
}

RunStatus in_batches(std::size_t count) {
  RunStatus status;
  status.items[ItemState::submitted] = 10;
  for (std::size_t i = 0; i < count; ++i) {
    BatchProgress batch;
    batch.number = static_cast<std::int64_t>(i) + 1;
    batch.provider_id = "msgbatch_x";
    batch.state = "in_progress";
    batch.requests = 10;
    batch.done = 4;
    status.batches.push_back(batch);
  }
  return status;
}

TEST(StatusReport, OpenBatchesHaveASectionAlsoWithoutARun) {
  EXPECT_EQ(format_status(in_batches(2), kStatusTime),
            "run         not running, batches are open\n"
            "\n"
            "done        0 of 10 (0.0 %)\n"
            "open        10 submitted\n"
            "\n"
            "batches     1  msgbatch_x  in_progress  4/10\n"
            "            2  msgbatch_x  in_progress  4/10\n");
}

TEST(StatusReport, ManyBatchesDoNotFillTheScreen) {
  const std::string text = format_status(in_batches(15), kStatusTime);
  EXPECT_THAT(text, HasSubstr("            12  msgbatch_x"));
  EXPECT_THAT(text, Not(HasSubstr("            13  msgbatch_x")));
  EXPECT_THAT(text, HasSubstr("            and 3 more\n"));
}

TEST(StatusReport, SaysWhenARunIsSilentOrPaused) {
  RunStatus status;
  const WallTime now = from_unix_nanos(1'800'000'000'000'000'000);
  status.running = true;
  status.pid = 7;
  status.updated_at = now - std::chrono::minutes(20);
  EXPECT_THAT(format_status(status, now), HasSubstr("running (pid 7), but silent for 20m"));
  EXPECT_THAT(format_status(status, now), Not(HasSubstr("\n\n\n")));
  status.running = false;
  status.pause_reason = "quota exhausted";
  EXPECT_THAT(format_status(status, now),
              HasSubstr("paused: quota exhausted, last active 20m ago"));
}

}  // namespace
}  // namespace llmbatch
