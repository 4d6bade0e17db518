// `llmbatch report`: the HTML page of a job.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"
#include "llmbatch/app/job_status.h"
#include "llmbatch/app/output_target.h"
#include "llmbatch/app/sample_inputs.h"
#include "llmbatch/app/version.h"
#include "llmbatch/report/html_report.h"
#include "llmbatch/report/output_file.h"
#include "llmbatch/store/review_reader.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {
namespace {

constexpr std::size_t kShownRuns = 20;
constexpr std::size_t kProblemsPerKind = 3;
constexpr std::size_t kMostProblems = 40;

constexpr std::size_t kReviewNotes = 20;

Status read_review(const std::string& database, JobReport& report) {
  const auto reader = ReviewReader::open(database);
  if (!reader) return forward_error(reader);
  const auto tallies = (*reader)->tally();
  if (!tallies) return forward_error(tallies);
  for (const ReviewTally& tally : *tallies) {
    report.reviewed.push_back({tally.state, tally.items, tally.good, tally.bad});
  }
  const auto notes = (*reader)->notes(kReviewNotes);
  if (!notes) return forward_error(notes);
  for (const VerdictNote& note : *notes) {
    report.review_notes.push_back(
        {note.id, std::string(to_string(note.verdict)), note.note, note.reviewer});
  }
  return {};
}

/// Beside the database, or beside the input where the database stands elsewhere. A damaged one is
/// no reason to make no report.
std::optional<CompareResult> read_comparison(const RunStatus& status) {
  for (const std::string& path : {status.database, status.input}) {
    auto found = find_compare_result(path);
    if (!found) fmt::print(stderr, "llmbatch: warning: {}\n", found.error().message);
    if (found && *found) return std::move(*found);
  }
  return std::nullopt;
}

Status read_history(StoreReader& reader, JobReport& report) {
  auto history = reader.history();
  if (!history) return forward_error(history);
  auto job = reader.job();
  if (!job) return forward_error(job);
  report.job = std::move(*job);
  auto status = read_status(reader, report.status.database, report.made_at);
  if (!status) return forward_error(status);
  report.status = std::move(*status);
  const auto count = history->run_count();
  if (!count) return forward_error(count);
  report.run_count = *count;
  auto runs = history->last_runs(kShownRuns);
  if (!runs) return forward_error(runs);
  report.last_runs = std::move(*runs);
  const auto limit = history->highest_request_limit();
  if (!limit) return forward_error(limit);
  report.request_limit = *limit;
  const auto batches = reader.batches();
  if (!batches) return forward_error(batches);
  report.batch_count =
      std::count_if(batches->begin(), batches->end(), [](const BatchRecord& batch) {
        return batch.stage == BatchStage::submitted || batch.stage == BatchStage::collected;
      });
  JobTally& tally = report.tally;
  Status added = history->for_each_attempt(
      [&tally](const AttemptFacts& attempt) { tally.add_attempt(attempt); });
  if (!added) return added;
  added = history->for_each_item([&tally](const ItemFacts& item) { tally.add_item(item); });
  if (!added) return added;
  tally.finish();
  const auto reviewed = history->has_verdicts();
  if (!reviewed) return forward_error(reviewed);
  if (*reviewed) {
    if (const Status read = read_review(report.status.database, report); !read) return read;
  }
  auto problems = history->problem_samples(kProblemsPerKind, kMostProblems);
  if (!problems) return forward_error(problems);
  report.problems = std::move(*problems);
  const auto input = reader.last_input();
  if (!input) return forward_error(input);
  if (*input && report.job) {
    add_input_lines((*input)->identity.path, *report.job, report.problems);
  }
  return {};
}

Status make_report(const std::string& database, const Settings& settings) {
  const std::string target = settings.text("output");
  const bool by_default = settings.origin("output").kind == OriginKind::default_value;
  if (by_default && ::isatty(STDOUT_FILENO) == 1) {
    return usage_error("a page of HTML does not go to a terminal; name a file: -o report.html");
  }
  const auto reader = StoreReader::open(database);
  if (!reader) return forward_error(reader);
  if (const Status free = check_output_target("--output", target, database, **reader); !free)
    return free;
  JobReport report;
  report.version = kVersion;
  report.made_at = SystemClock().wall_now();
  report.status.database = database;
  if (const Status read = read_history(**reader, report); !read) return read;
  report.comparison = read_comparison(report.status);
  auto output = OutputFile::open(target);
  if (!output) return forward_error(output);
  if (const Status written = output->write(render_html_report(report)); !written) return written;
  return output->finish();
}

}  // namespace

int report_command(const ParsedCommand& parsed, const Environment& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  const Result<std::string> database = database_of(parsed, environment);
  if (!database) return report_error(database.error());
  const Status done = make_report(*database, parsed.settings);
  return done ? static_cast<int>(ExitCode::ok) : report_error(done.error());
}

}  // namespace llmbatch
