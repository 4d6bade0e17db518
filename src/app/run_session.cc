#include "run_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/version.h"
#include "llmbatch/base/text.h"
#include "llmbatch/input/scan.h"
#include "llmbatch/ui/monitors.h"
#include "monitor_choice.h"
#include "preflight_estimate.h"

namespace llmbatch {
namespace {

constexpr std::size_t kInvalidLinesShown = 10;

}  // namespace

void RunSession::tell(const std::string& text) {
  monitor_->message(text);
  log_.info(text);
}

Result<int> RunSession::run() {
  if (const Status done = open_surroundings(); !done) return forward_error(done);
  if (const Status done = resolve_job(); !done) return forward_error(done);
  if (const Status done = open_database(); !done) return forward_error(done);
  const Result<bool> job_changed = compare_job();
  if (!job_changed) return forward_error(job_changed);
  const Result<bool> planned = make_plan(*job_changed);
  if (!planned) {
    if (planned.error().message != kScanCancelled) return forward_error(planned);
    tell("interrupted while reading the input; nothing was sent");
    return 128 + interrupts_->poll().stop_signal;
  }
  if (!*planned) return static_cast<int>(ExitCode::usage);
  if (!estimate_line_.empty()) tell("estimate: " + estimate_line_);
  if (const Status begun = begin(); !begun) {
    if (begun.error().message != kScanCancelled) return forward_error(begun);
    tell("interrupted while judging the stored answers; nothing was changed");
    return 128 + interrupts_->poll().stop_signal;
  }
  if (options_.checks.recheck) return conclude_recheck();
  const Result<RunResult> result = execute();
  if (!result) return forward_error(result);
  return conclude(*result);
}

Status RunSession::open_surroundings() {
  auto interrupts = SignalInterrupts::create();
  if (!interrupts) return forward_error(interrupts);
  interrupts_ = std::move(*interrupts);
  auto log = Log::open(options_.output.log_file, options_.output.log_format == LogFormat::json);
  if (!log) return forward_error(log);
  log_ = *log;
  monitor_ = choose_monitor({progress_mode(options_.output.progress), options_.output.quiet,
                             options_.output.progress_items, color_mode(options_.output.color)},
                            STDERR_FILENO, clock_);
  return {};
}

Status RunSession::resolve_job() {
  if (options_.network.rehearse) {
    auto rehearsal = Rehearsal::start(options_.input.path);
    if (!rehearsal) return forward_error(rehearsal);
    rehearsal_ = std::move(*rehearsal);
    options_.input.database = rehearsal_->database();
    tell(
        "rehearsal: a simulated provider, a throwaway database; nothing is sent and nothing is "
        "kept");
  }
  auto target = resolve_target(options_, environment_, rehearsal_ ? rehearsal_->origin() : "");
  if (!target) return forward_error(target);
  target_ = std::move(*target);
  auto prices = read_job_prices(options_.cost.prices, target_.identity.profile,
                                target_.identity.model, options_.cost.max_cost.has_value());
  if (!prices) return forward_error(prices);
  prices_ = std::move(*prices);
  for (const std::string& warning : target_.warnings) tell(warning);
  for (const std::string& warning : check_warnings(options_.checks)) tell(warning);
  auto check = answer_check(options_.checks, target_.provider.wire_format);
  if (!check) return forward_error(check);
  answer_check_ = std::move(*check);
  const auto& prompt = options_.input.prompt;
  if (prompt && prompt->text.find("{{") == std::string::npos) {
    tell("warning: the prompt template names no field: every item sends the same request");
  }
  auto provider = make_provider(target_.provider);
  if (!provider) return forward_error(provider);
  provider_ = std::move(*provider);
  auto tokens = make_token_counter(options_.tokenizer);
  if (!tokens) return forward_error(tokens);
  tokens_ = std::move(*tokens);
  if (tokens_.exact) log_.info("tokens are counted with " + tokens_.description);
  return {};
}

Status RunSession::open_database() {
  const std::filesystem::path parent = std::filesystem::path(options_.input.database).parent_path();
  // Reading a pipe may take for ever, and nothing is at stake yet: a signal simply ends the
  // program.
  SignalInterrupts::unblock_signals();
  auto input = InputFile::open(options_.input.path, parent.empty() ? "." : parent.string());
  SignalInterrupts::block_signals();
  if (!input) return forward_error(input);
  input_ = std::move(*input);
  auto store = Store::open(options_.input.database, options_.command, clock_.wall_now());
  if (!store) return forward_error(store);
  store_ = std::move(*store);
  const auto reviewed = store_->apply_decisions();
  if (!reviewed) return forward_error(reviewed);
  if (reviewed->requeued + reviewed->accepted > 0) {
    tell(fmt::format("by review: {} items requeued, {} accepted", reviewed->requeued,
                     reviewed->accepted));
  }
  auto reader = StoreReader::open(options_.input.database);
  if (!reader) return forward_error(reader);
  reader_ = std::move(*reader);
  if (options_.reuse.cache.empty()) return {};
  auto cache = AnswerCache::open(options_.reuse.cache, target_.shared_endpoint);
  if (!cache) return forward_error(cache);
  cache_ = std::move(*cache);
  return {};
}

/// True when the job is another one than the database had so far. It is adopted with the plan, in
/// one transaction, so that a run that stops before leaves the old job in place.
Result<bool> RunSession::compare_job() {
  const Result<std::optional<JobIdentity>> stored = store_->job();
  if (!stored) return forward_error(stored);
  if (!*stored) {
    if (!options_.checks.recheck) return true;
    return failure(options_.input.database + ": there are no answers to judge", ErrorKind::usage);
  }
  const std::vector<JobDifference> different = differences(**stored, target_.identity);
  checks_change_ = (*stored)->checks != target_.identity.checks;
  const bool only_checks = different.size() == (checks_change_ ? 1U : 0U);
  if (options_.checks.recheck && only_checks) {
    // The plan is that of the stored job: what it has done is judged.
    auto before = provider_for_recheck(**stored, target_);
    if (!before) return forward_error(before);
    provider_before_ = std::move(*before);
    return true;
  }
  if (different.empty()) return false;
  std::vector<std::string> changes;
  changes.reserve(different.size());
  for (const JobDifference& difference : different) {
    changes.push_back(fmt::format("{}: was '{}', is '{}'", difference.what,
                                  truncate_chars(sanitize_for_terminal(difference.stored), 60),
                                  truncate_chars(sanitize_for_terminal(difference.current), 60)));
  }
  if (!options_.errors.rerun_changed) {
    return failure(
        fmt::format("{} belongs to another job; nothing was sent\n  {}\n"
                    "either keep both: --db OTHER.db, or change this job and run again every item "
                    "whose request differs: --rerun changed{}",
                    options_.input.database, fmt::join(changes, "\n  "),
                    only_checks ? "; or judge the stored answers by the new checks, without a "
                                  "call: --recheck"
                                : ""),
        ErrorKind::mismatch);
  }
  if (const Status stays = refuse_moving_batches(**stored); !stays) return forward_error(stays);
  for (const std::string& change : changes) tell("the job changes: " + change);
  return true;
}

/// False when --strict forbids the run.
Result<bool> RunSession::make_plan(bool job_changed) {
  SteadyTime next_notice = clock_.now() + std::chrono::seconds(2);
  const auto on_progress = [this, &next_notice](std::uint64_t done, std::uint64_t total) {
    if (clock_.now() < next_notice || total == 0) return;
    next_notice = clock_.now() + std::chrono::seconds(2);
    tell(fmt::format("reading {}: {} %", input_->name(), done * 100 / total));
  };
  const Provider& provider = provider_before_ ? *provider_before_ : *provider_;
  PreflightEstimate estimate(prices_, input_->size_bytes(), input_->compressed());
  ScanHooks hooks{on_progress, nullptr};
  const bool telling = !options_.output.quiet && !options_.checks.recheck;
  if (telling) hooks.on_request = estimate.hook();
  auto plan = make_run_plan(options_, *input_, provider, *reader_, job_changed, hooks);
  if (!plan) return forward_error(plan);
  plan_ = std::move(*plan);
  const Result<std::string> line =
      estimate.line(options_, target_, plan_, *reader_, clock_.wall_now());
  if (!line) return forward_error(line);
  estimate_line_ = *line;
  if (plan_.unchanged || plan_.counts.invalid == 0) return true;
  const auto texts = describe_invalid_lines(*plan_.invalid, input_->name(), plan_.counts.invalid,
                                            kInvalidLinesShown);
  if (!texts) return forward_error(texts);
  for (const std::string& text : *texts) tell("warning: " + text);
  if (const Status back = plan_.invalid->rewind(); !back) return forward_error(back);
  if (!options_.input.strict) return true;
  tell(fmt::format("error: --strict: {} of {} lines cannot be used; nothing was sent",
                   plan_.counts.invalid, plan_.counts.lines));
  return false;
}

Status RunSession::begin() {
  RunStart start;
  start.job = &target_.identity;
  start.input = plan_.identity;
  start.keep_stored_plan = plan_.unchanged;
  if (!plan_.unchanged) {
    start.plan = plan_.lines.get();
    start.invalid_lines = plan_.invalid.get();
    start.repeats = plan_.repeats.get();
    start.counts = plan_.counts;
  }
  start.endpoint = target_.endpoint;
  start.command = command_line_;
  start.version = kVersion;
  start.pid = ::getpid();
  start.started_at = clock_.wall_now();
  start.requests_per_minute = options_.limits.rpm;
  start.tokens_per_minute = options_.limits.tpm;
  // Answers to the same requests are judged by the new checks with the job's change.
  if (options_.checks.recheck || (checks_change_ && !plan_.unchanged)) {
    auto recheck =
        Recheck::open(options_, *input_, *provider_, *reader_, plan_, answer_check_.get());
    if (!recheck) return forward_error(recheck);
    recheck_ = std::move(*recheck);
    start.rechecked = recheck_.get();
  }
  if (const Status chosen = choose_way(); !chosen) return chosen;
  const Result<JobTotals> totals = reader_->totals();
  if (!totals) return forward_error(totals);
  initial_status_ = initial_status(*totals);
  start.progress.status = initial_status_;
  start.progress.items = plan_.items;
  start.progress.cost_ceiling = totals->cost_ceiling;
  held_ = totals->cost_ceiling - totals->cost;
  start.progress.done_below_line = plan_.unchanged ? plan_.start.line : 1;
  const Result<std::int64_t> number = store_->begin_run(start);
  if (!number) return forward_error(number);
  run_number_ = *number;
  if (recheck_) {
    recheck_->move_counts(initial_status_.items);
    if (recheck_->tally().judged() > 0 || options_.checks.recheck) {
      tell(recheck_->summary() + (options_.checks.recheck ? "; nothing was sent" : ""));
    }
    recheck_.reset();
  }
  return {};
}

Result<int> RunSession::conclude_recheck() {
  RunStatus status = initial_status_;
  status.running = false;
  status.run_number = run_number_;
  const bool all_good = status.items[ItemState::succeeded] == status.items.total();
  const int code = all_good ? 0 : static_cast<int>(ExitCode::problems);
  const Status stored =
      store_->finish_run({"rechecked", code, clock_.wall_now(), status, std::nullopt});
  if (!stored) return forward_error(stored);
  log_.info(fmt::format("run {} rechecked (exit {})", run_number_, code));
  return code;
}

RunStatus RunSession::initial_status(const JobTotals& totals) const {
  RunStatus status;
  if (!rehearsal_) status.database = options_.input.database;
  status.input = options_.input.path;
  status.model = target_.display_model;
  status.pid = ::getpid();
  status.running = true;
  status.started_at = clock_.wall_now();
  status.updated_at = status.started_at;
  status.items = plan_.items;
  status.duplicates = static_cast<std::int64_t>(plan_.counts.duplicates);
  status.attempts = totals.attempts;
  status.retries = totals.retries;
  status.cached = totals.cached;
  status.reuse = totals.saved;
  status.usage = totals.usage;
  status.known_cost = totals.cost;
  status.unpriced = totals.unpriced;
  status.done_before = plan_.items.finished();
  return status;
}

}  // namespace llmbatch
