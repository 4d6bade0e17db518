// `llmbatch compare`: one sample, one job per model, and what their answers say.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <set>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/compare_options.h"
#include "llmbatch/app/compare_sample.h"
#include "llmbatch/app/job_target.h"
#include "llmbatch/app/run_job.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"
#include "llmbatch/net/signal_interrupts.h"
#include "llmbatch/report/compare_answers.h"
#include "llmbatch/report/compare_summary.h"
#include "llmbatch/store/directory_lock.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {
namespace {

/// As many are kept with the result, for the report.
constexpr std::int64_t kStoredDisagreements = 50;
constexpr std::size_t kMaxSampleBytes = std::size_t{4} << 30U;

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

bool exists(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

class Comparison {
 public:
  Comparison(CompareOptions options, AnswerScorer scorer, const Environment& environment,
             std::string command_line)
      : options_(std::move(options)),
        scorer_(std::move(scorer)),
        environment_(environment),
        command_line_(std::move(command_line)) {}

  /// Everything that can be refused is refused before anything is sent.
  Status prepare();
  /// Runs the models one after another; the exit code of all of them together.
  Result<int> send();
  /// What is there now, also when not everything is done.
  Status report() const;

 private:
  Status describe_sample() const;
  Status keep_sample();
  Status check_jobs() const;
  Status check_job(const RunOptions& job) const;
  Result<ModelAnswers> answers_of(const RunOptions& job) const;
  Status write_answers(const std::vector<ModelAnswers>& models) const;
  void warn(const std::string& text) const { fmt::print(stderr, "llmbatch: {}\n", text); }

  CompareOptions options_;
  AnswerScorer scorer_;
  const Environment& environment_;
  std::string command_line_;
  std::optional<DirectoryLock> lock_;
  CompareSample sample_;
};

Status Comparison::prepare() {
  auto input = InputFile::open(options_.input, parent_of(options_.directory));
  if (!input) return forward_error(input);
  auto sample = draw_sample(*input, options_.jobs.front().input, scorer_, options_.sample,
                            options_.sample_seed);
  if (!sample) return forward_error(sample);
  sample_ = std::move(*sample);
  if (const Status usable = describe_sample(); !usable) return usable;
  if (const Status checked = check_jobs(); !checked) return checked;
  return keep_sample();
}

/// Says what is to be known of the draw.
Status Comparison::describe_sample() const {
  if (sample_.unusable > 0) {
    warn(fmt::format("warning: {} of the input cannot be used; the first is {}",
                     counted(sample_.unusable, "line"),
                     sanitize_for_terminal(sample_.first_unusable)));
  }
  const std::string& field = scorer_.rule().expected_field;
  if (sample_.items.empty()) {
    return usage_error(sample_.usable == 0
                           ? fmt::format("{}: no line can be used", options_.input)
                           : fmt::format("{}: none of {} lines has a field '{}' (--expect)",
                                         options_.input, group_digits(sample_.usable),
                                         sanitize_for_terminal(field)));
  }
  if (sample_.own_model > 0) {
    warn(
        fmt::format("note: {} of {} items name a model of their own; here the compared models "
                    "answer them",
                    group_digits(sample_.own_model), group_digits(std::ssize(sample_.items))));
  }
  const auto& prompt = options_.jobs.front().input.prompt;
  const bool leaks = prompt && !field.empty() &&
                     (prompt->text.find("{{" + field + "}}") != std::string::npos ||
                      prompt->text.find("{{ " + field + " }}") != std::string::npos);
  if (leaks) {
    warn(fmt::format("warning: the prompt tells the models the expected answer: {{{{{}}}}}",
                     sanitize_for_terminal(field)));
  }
  return {};
}

Status Comparison::check_job(const RunOptions& job) const {
  const auto target = resolve_target(job, environment_, "");
  if (!target) return forward_error(target);
  if (!exists(job.input.database) || job.errors.rerun_changed) return {};
  const auto reader = StoreReader::open(job.input.database);
  if (!reader) return forward_error(reader);
  const auto stored = (*reader)->job();
  if (!stored) return forward_error(stored);
  if (!*stored) return {};
  const std::vector<JobDifference> different = differences(**stored, target->identity);
  if (different.empty()) return {};
  std::string text;
  for (const JobDifference& difference : different) {
    text += fmt::format("\n  {}: was '{}', is '{}'", difference.what,
                        truncate_chars(sanitize_for_terminal(difference.stored), 60),
                        truncate_chars(sanitize_for_terminal(difference.current), 60));
  }
  return failure(
      fmt::format("{} holds another comparison; nothing was sent{}\neither keep both: --dir OTHER, "
                  "or change this one and run again every item whose request differs: --rerun "
                  "changed",
                  options_.directory, text),
      ErrorKind::mismatch);
}

Status Comparison::check_jobs() const {
  for (const RunOptions& job : options_.jobs) {
    const Status checked = check_job(job);
    if (checked) continue;
    if (checked.error().kind == ErrorKind::mismatch) return checked;
    return failure(
        fmt::format("{}: {}", sanitize_for_terminal(job.model.model), checked.error().message),
        checked.error().kind);
  }
  return {};
}

Status Comparison::keep_sample() {
  // The sample and the result hold lines of the input, as private as the databases.
  if (::mkdir(options_.directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return usage_error(
        fmt::format("{}: cannot be made: {}", options_.directory, errno_text(errno)));
  }
  auto lock =
      DirectoryLock::acquire(options_.directory, "llmbatch compare", SystemClock().wall_now());
  if (!lock) return forward_error(lock);
  lock_.emplace(std::move(*lock));
  // Left alone when it is the same, so that the jobs find their input unchanged.
  const std::string path = options_.sample_path();
  if (exists(path)) {
    const auto stored = read_file(path, kMaxSampleBytes);
    if (stored && *stored == sample_.text) return {};
  }
  return write_file_atomically(path, sample_.text);
}

Result<int> Comparison::send() {
  int worst = 0;
  for (const RunOptions& job : options_.jobs) {
    const Result<int> code = run_job(job, environment_, command_line_);
    if (!code) return code;
    if (*code >= 128) return code;
    worst = std::max(worst, *code);
  }
  return worst;
}

Result<ModelAnswers> Comparison::answers_of(const RunOptions& job) const {
  ModelAnswers answers;
  answers.model = job.model.model;
  answers.database = job.input.database;
  answers.results.resize(sample_.items.size());
  if (!exists(job.input.database)) return answers;
  const auto reader = StoreReader::open(job.input.database);
  if (!reader) return forward_error(reader);
  const auto stored = (*reader)->last_input();
  if (!stored) return forward_error(stored);
  const auto identity = identify_input(job.input.path);
  if (!identity) return forward_error(identity);
  // What was made of another sample stays out until the model has seen this one.
  if (!*stored || (*stored)->identity != *identity) return answers;
  const auto status = (*reader)->status();
  if (!status) return forward_error(status);
  if (*status) answers.pause_reason = (*status)->pause_reason;
  ResultFilter filter;
  filter.removed = false;
  const Status read =
      (*reader)->for_each_result(filter, [&answers](const ResultRow& row) -> Result<bool> {
        const std::uint64_t line = row.result.place.line;
        if (line > 0 && line <= answers.results.size()) answers.results[line - 1] = row.result;
        return true;
      });
  if (!read) return forward_error(read);
  return answers;
}

Status Comparison::write_answers(const std::vector<ModelAnswers>& models) const {
  if (options_.answers.empty()) return {};
  auto output = OutputFile::open(options_.answers);
  if (!output) return forward_error(output);
  return write_compare_answers(std::move(*output), options_.answers.ends_with(".csv"), scorer_,
                               sample_.items, models);
}

Status Comparison::report() const {
  CompareSetup setup;
  setup.input = options_.input;
  setup.directory = options_.directory;
  setup.eligible = sample_.eligible;
  setup.items = sample_.usable;
  setup.sample_seed = static_cast<std::int64_t>(options_.sample_seed);
  setup.tolerance = options_.tolerance;
  setup.disagreements_wanted = std::max(kStoredDisagreements, options_.disagreements);
  std::vector<ModelAnswers> models;
  for (const RunOptions& job : options_.jobs) {
    auto answers = answers_of(job);
    if (!answers) return forward_error(answers);
    models.push_back(std::move(*answers));
  }
  CompareResult result = summarize_comparison(setup, scorer_, sample_.items, models);
  const std::string stored = options_.directory + "/" + std::string(kCompareResultFile);
  if (const Status kept = write_file_atomically(stored, to_json(result) + "\n"); !kept) {
    return kept;
  }
  if (const Status written = write_answers(models); !written) return written;
  const auto wanted = static_cast<std::size_t>(options_.disagreements);
  if (result.disagreements.size() > wanted) result.disagreements.resize(wanted);
  fmt::print("{}", options_.json ? to_json(result) + "\n" : format_comparison(result));
  // A reader that has gone (`| head`) is no error.
  static_cast<void>(std::fflush(stdout));
  return {};
}

}  // namespace

int compare_command(const ParsedCommand& parsed, const Environment& environment,
                    const std::string& command_line) {
  std::signal(SIGPIPE, SIG_IGN);
  auto options = make_compare_options(parsed.positionals.at(0), parsed.settings);
  if (!options) return report_error(options.error());
  auto scorer = AnswerScorer::create(options->rule);
  if (!scorer) {
    return report_error({"--answer-pointer: " + scorer.error().message, scorer.error().kind});
  }
  Comparison comparison(std::move(*options), std::move(*scorer), environment, command_line);
  // Until here a signal simply ends the program: nothing is at stake yet.
  if (const Status ready = comparison.prepare(); !ready) return report_error(ready.error());
  SignalInterrupts::block_signals();
  const Result<int> code = comparison.send();
  const Status reported = comparison.report();
  if (!code) return report_error(code.error());
  if (!reported) return report_error(reported.error());
  return *code;
}

}  // namespace llmbatch
