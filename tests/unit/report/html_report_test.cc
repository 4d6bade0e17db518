#include "llmbatch/report/html_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "llmbatch/report/html_text.h"

namespace llmbatch {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::int64_t kStartMs = 1'795'399'440'000;

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

AttemptFacts answer(std::int64_t started_ms, std::int64_t latency_us = 300'000) {
  AttemptFacts attempt;
  attempt.run = 1;
  attempt.started_ms = started_ms;
  attempt.latency_us = latency_us;
  attempt.http_status = 200;
  attempt.usage = Usage{.input = 400, .cached_input = 100, .output = 20, .reasoning = 5};
  attempt.cost = Money::parse_dollars("0.01");
  attempt.model = "gpt-4o-mini-2024-07-18";
  return attempt;
}

AttemptFacts error(std::int64_t started_ms, ErrorClass error_class, std::string_view message) {
  AttemptFacts attempt = answer(started_ms);
  attempt.error = error_class;
  attempt.error_message = message;
  attempt.usage.reset();
  attempt.cost.reset();
  attempt.model = "";
  return attempt;
}

ItemFacts done(std::int64_t finished_ms, ItemState state = ItemState::succeeded) {
  ItemFacts item;
  item.state = state;
  item.attempts = 1;
  item.finished_ms = finished_ms;
  return item;
}

JobReport sample_report() {
  JobReport report;
  report.version = "0.1.0";
  report.status.database = "t.jsonl.llmbatch.db";
  report.status.input = "t.jsonl";
  report.status.items[ItemState::succeeded] = 3;
  report.status.items[ItemState::failed] = 1;
  report.job =
      JobIdentity{"openai-chat", "openai", "gpt-4o-mini", "Classify: {{text}}", "", "id", "{}"};
  for (int i = 0; i < 3; ++i) {
    report.tally.add_attempt(answer(kStartMs + i * 1000));
    report.tally.add_item(done(kStartMs + i * 1000 + 300));
  }
  report.tally.add_attempt(error(kStartMs + 4000, ErrorClass::server_error, "it broke"));
  ItemFacts failed = done(kStartMs + 4300, ItemState::failed);
  failed.error = ErrorClass::server_error;
  report.tally.add_item(failed);
  report.tally.finish();
  report.run_count = 1;
  RunRecord run;
  run.number = 1;
  run.started_at = from_unix_nanos(kStartMs * 1'000'000);
  report.last_runs.push_back(run);
  return report;
}

TEST(HtmlText, EscapesWhatWouldBeMarkup) {
  EXPECT_EQ(escape_html(R"(<b a="1" c='2'>&amp;)"),
            "&lt;b a=&quot;1&quot; c=&#39;2&#39;&gt;&amp;amp;");
}

TEST(HtmlText, MakesControlAndBidiCharactersHarmless) {
  EXPECT_EQ(escape_html(std::string_view("a\0b\x1b[31m", 8)), "a\uFFFDb\uFFFD[31m");
  EXPECT_EQ(escape_html("user\u202Egpj.exe\u2066x"), "user\uFFFDgpj.exe\uFFFDx");
  EXPECT_EQ(escape_html("\xff\xfe ok \xc3"), "\uFFFD\uFFFD ok \uFFFD");
}

TEST(HtmlText, KeepsLinesTabsAndForeignScripts) {
  EXPECT_EQ(escape_html("a\r\nb\tc\nd"), "a\nb\tc\nd");
  EXPECT_EQ(escape_html("東京 🎉 שלום"), "東京 🎉 שלום");
}

TEST(HtmlText, CutsBetweenCharactersBeforeItEscapes) {
  EXPECT_EQ(escape_excerpt("<<<<", 2), "&lt;&lt;…");
  EXPECT_EQ(escape_excerpt("äöü", 3), "äöü");
}

TEST(HtmlReport, IsSelfContainedAndForbidsScripts) {
  const std::string page = render_html_report(sample_report());
  EXPECT_THAT(page, HasSubstr("default-src 'none'; style-src 'unsafe-inline'"));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("http://")));
  EXPECT_THAT(page, Not(HasSubstr("https://")));
  EXPECT_THAT(page, Not(HasSubstr("<link")));
  EXPECT_THAT(page, Not(HasSubstr(" src=")));
  EXPECT_THAT(page, Not(HasSubstr("url(")));
  EXPECT_THAT(page, HasSubstr("prefers-color-scheme:dark"));
}

TEST(HtmlReport, SaysWhatHappened) {
  const std::string page = render_html_report(sample_report());
  EXPECT_THAT(page, HasSubstr("<span class=\"pill complete\">complete</span>"));
  EXPECT_THAT(page, HasSubstr("4 of 4 items"));
  EXPECT_THAT(page, HasSubstr("1 failed"));
  EXPECT_THAT(page, HasSubstr("<div class=\"v\">$0.03</div>"));
  EXPECT_THAT(page, HasSubstr("gpt-4o-mini"));
  EXPECT_THAT(page, HasSubstr("it broke"));
  EXPECT_THAT(page, HasSubstr("1,200"));  // input tokens
}

TEST(HtmlReport, EveryChartHasATextAlternativeAndItsNumbers) {
  const std::string page = render_html_report(sample_report());
  const std::size_t charts = count_of(page, "<svg ");
  EXPECT_GE(charts, 6U);
  EXPECT_EQ(count_of(page, "role=\"img\" aria-label=\"") - 1, charts);  // and the bar of states
  EXPECT_EQ(count_of(page, "<details class=\"data\">"), charts);
}

TEST(HtmlReport, AnUnknownPriceIsUnknownAndNotZero) {
  JobReport report = sample_report();
  report.tally = JobTally();
  AttemptFacts attempt = answer(kStartMs);
  attempt.cost.reset();
  report.tally.add_attempt(attempt);
  report.tally.finish();
  EXPECT_THAT(render_html_report(report), HasSubstr("<div class=\"v\">unknown</div>"));
  EXPECT_THAT(render_html_report(report), Not(HasSubstr("$0.00")));
}

TEST(HtmlReport, APartlyKnownCostIsALowerBound) {
  JobReport report = sample_report();
  report.tally = JobTally();
  report.tally.add_attempt(answer(kStartMs));
  AttemptFacts attempt = answer(kStartMs);
  attempt.cost.reset();
  report.tally.add_attempt(attempt);
  report.tally.finish();
  EXPECT_THAT(render_html_report(report), HasSubstr("at least $0.01"));
}

TEST(HtmlReport, ShowsAJobWithoutAnyItem) {
  JobReport report;
  report.status.database = "empty.llmbatch.db";
  report.tally.finish();
  const std::string page = render_html_report(report);
  EXPECT_THAT(page, HasSubstr("pill empty"));
  EXPECT_THAT(page, HasSubstr("</html>"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
  EXPECT_THAT(page, Not(HasSubstr("<svg ")));
}

TEST(HtmlReport, EstimatesTheQualityOnlyWhereAnswersWereJudged) {
  JobReport report = sample_report();
  report.reviewed = {{ItemState::succeeded, 1000, 0, 0}};
  EXPECT_THAT(render_html_report(report), Not(HasSubstr("id=\"review\"")));
  report.reviewed = {{ItemState::succeeded, 1000, 90, 10}};
  report.review_notes = {{"t-7", "bad", "wrong <label>", "ann"}};
  const std::string page = render_html_report(report);
  EXPECT_THAT(page, HasSubstr("<b>90.0\u00A0%</b> of the answers are good"));
  EXPECT_THAT(page, HasSubstr("82.6 to 94.5\u00A0%"));  // Wilson, 90 of 100
  EXPECT_THAT(page, HasSubstr("wrong &lt;label&gt;"));
}

TEST(HtmlReport, ShowsLinesThatCannotBeUsedAmongTheErrors) {
  JobReport report = sample_report();
  report.status.items[ItemState::invalid] = 7;
  EXPECT_THAT(render_html_report(report),
              HasSubstr("invalid_input</th><td class=\"num\" data-k=\"calls\">0</td><td "
                        "class=\"num\" data-k=\"items\">7</td>"));
}

TEST(HtmlReport, SaysWhatIdenticalRequestsSaved) {
  JobReport report = sample_report();
  report.status.cached = 12;
  report.status.saved = Money::parse_dollars("0.5");
  EXPECT_THAT(
      render_html_report(report),
      HasSubstr("12 items were answered from earlier identical requests, which saved $0.50"));
}

/// Of a batch that took three hours and came at once.
AttemptFacts batch_answer() {
  AttemptFacts attempt = answer(kStartMs, std::int64_t{3} * 3600 * 1'000'000);
  attempt.batch = 1;
  return attempt;
}

ItemFacts done_in_batch() {
  ItemFacts item = done(kStartMs + 3 * 3600 * 1000);
  item.in_batch = true;
  return item;
}

TEST(JobTally, ABatchHasNoLatencyNoRateAndNoWorkingTime) {
  JobTally tally;
  tally.add_attempt(answer(kStartMs));
  for (int i = 0; i < 50; ++i) {
    tally.add_attempt(batch_answer());
    tally.add_item(done_in_batch());
  }
  tally.add_attempt(answer(kStartMs + 1000));
  tally.finish();
  EXPECT_EQ(tally.latency().count(), 2);
  EXPECT_EQ(tally.latency().largest(), 300'000);
  EXPECT_EQ(tally.active_ms(), 1300);
  EXPECT_EQ(tally.activity().busiest_minute(), 2);
  EXPECT_EQ(tally.total().attempts, 52);
  EXPECT_EQ(tally.in_batches().attempts, 50);
  EXPECT_EQ(tally.in_batches().cost, *Money::parse_dollars("0.5"));
  std::int64_t requests = 0;
  std::int64_t tokens = 0;
  std::int64_t in_batches = 0;
  Money cost;
  for (const ActivitySlice& slice : tally.activity().slices()) {
    requests += slice.requests;
    tokens += slice.input_tokens;
    in_batches += slice.done_in_batches;
    cost += slice.cost;
    EXPECT_EQ(slice.latency.count() > 0 ? slice.latency.largest() : 300'000, 300'000);
  }
  EXPECT_EQ(requests, 2);
  EXPECT_EQ(tokens, 800);
  EXPECT_EQ(in_batches, 50);
  EXPECT_EQ(cost, *Money::parse_dollars("0.52"));
}

TEST(HtmlReport, TellsWhatCameWithBatches) {
  JobReport report = sample_report();
  report.tally = JobTally();
  report.tally.add_attempt(answer(kStartMs));
  report.tally.add_item(done(kStartMs + 300));
  for (int i = 0; i < 3; ++i) {
    report.tally.add_attempt(batch_answer());
    report.tally.add_item(done_in_batch());
  }
  report.tally.finish();
  report.batch_count = 2;
  const std::string page = render_html_report(report);
  EXPECT_THAT(page, HasSubstr("<div class=\"k\">Provider batches</div><div class=\"v\">2</div>"
                              "<div class=\"s\">3 answers, 75.0 % of the cost</div>"));
  EXPECT_THAT(page, HasSubstr("3 answers came with 2 provider batches, for $0.03, 75.0 % of the "
                              "cost."));
  EXPECT_THAT(page, HasSubstr("; without the items of provider batches."));
  EXPECT_THAT(page, HasSubstr("400 tokens in and 20 out, retries included; without those of "
                              "provider batches."));
}

TEST(HtmlReport, AJobOfBatchesAloneShowsNoRatesAndNoLatency) {
  JobReport report = sample_report();
  report.tally = JobTally();
  report.tally.add_attempt(batch_answer());
  report.tally.add_item(done_in_batch());
  report.tally.finish();
  report.batch_count = 1;
  const std::string page = render_html_report(report);
  EXPECT_THAT(page, HasSubstr("1 answer, 100.0 % of the cost"));
  for (const char* absent : {"id=\"latency\"", "id=\"limits\"", "Items per ", "Tokens per minute",
                             "Working time", "on average", "nan"}) {
    EXPECT_THAT(page, Not(HasSubstr(absent)));
  }
  EXPECT_THAT(render_html_report(sample_report()), Not(HasSubstr("Provider batches")));
}

TEST(HtmlReport, EscapesTextFromEverywhere) {
  const std::string evil = "</style><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
  JobReport report = sample_report();
  report.version = evil;
  report.status.database = evil;
  report.status.input = evil;
  report.status.pause_reason = evil;
  report.status.items[ItemState::pending] = 1;
  report.job = JobIdentity{evil, evil, evil, evil, evil, evil, evil};
  report.last_runs[0].command = evil;
  report.last_runs[0].end_reason = evil;
  report.last_runs[0].finished_at = report.last_runs[0].started_at;
  AttemptFacts attempt = answer(kStartMs);
  attempt.model = evil;
  report.tally.add_attempt(attempt);
  report.tally.add_attempt(error(kStartMs, ErrorClass::malformed, evil));
  ProblemSample sample;
  sample.id = sample.message = sample.finish_reason = evil;
  sample.output = sample.input = sample.response = evil;
  report.problems.push_back(sample);
  const std::string page = render_html_report(report);
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_EQ(count_of(page, "</style>"), 1U);
  EXPECT_GE(count_of(page, "&lt;script&gt;alert(1)"), 10U);
}

}  // namespace
}  // namespace llmbatch
