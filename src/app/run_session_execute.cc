// The part of a session that sends: wires the runner, and gives its outcome the exit code.
#include <fmt/format.h>

#include <cstdlib>
#include <random>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/version.h"
#include "llmbatch/base/text.h"
#include "llmbatch/net/descriptor_limit.h"
#include "llmbatch/ui/summary.h"
#include "monitor_choice.h"
#include "run_session.h"
#include "shared_answers.h"

namespace llmbatch {

RunnerSettings RunSession::runner_settings(std::string limiter_state) const {
  RunnerSettings settings;
  settings.limits = {options_.limits.rpm, options_.limits.tpm, options_.limits.itpm,
                     options_.limits.otpm, options_.limits.rpd};
  settings.retries.max_retries = options_.errors.max_retries;
  settings.retries.retry_truncated = options_.errors.retry_truncated;
  if (options_.limits.concurrency) settings.concurrency = concurrency_;
  settings.max_concurrency = concurrency_;
  settings.max_error_rate = options_.errors.max_error_rate.value_or(1);
  settings.pause_on_error_rate = !options_.errors.warn_on_error_rate;
  settings.drain_timeout = options_.network.drain_timeout;
  settings.reask = options_.checks.reask;
  settings.warm_prompt_cache = options_.reuse.prompt_cache;
  settings.random_seed = std::random_device{}();
  settings.limiter_state = std::move(limiter_state);
  settings.spending = {prices_, target_.identity.model, options_.cost.max_cost, held_};
  settings.max_items = options_.cost.max_items;
  settings.max_duration = options_.cost.max_duration;
  settings.token_counter = tokens_.exact ? tokens_.counter.get() : nullptr;
  return settings;
}

TransportConfig RunSession::transport_config() const {
  TransportConfig config;
  config.headers = provider_->request_headers();
  config.max_concurrency = static_cast<std::size_t>(concurrency_);
  config.connect_timeout = options_.network.connect_timeout;
  config.total_timeout = options_.network.timeout;
  config.max_response_bytes = options_.network.max_response_bytes;
  config.http2 = options_.network.http2;
  config.ca_file = options_.network.ca_file;
  config.user_agent = fmt::format("llmbatch/{}", kVersion);
  apply_environment(config, [](const char* name) { return std::getenv(name); });
  return config;
}

Result<RunResult> RunSession::execute() {
  initial_status_.run_number = run_number_;
  if (!via_batch_ && !open_batches()) return call_for_rest();
  Result<RunResult> result = run_batches();
  if (!result || !rest_follows_ || writes_files()) return result;
  go_on_from(*result);
  return call_for_rest();
}

/// In real time; what is in a batch is left there.
Result<RunResult> RunSession::call_for_rest() {
  if (!batches_.empty()) {
    // A scan takes what is in a batch as still to be done.
    const auto counts = reader_->count_states();
    if (!counts) return forward_error(counts);
    initial_status_.items = *counts;
  }
  Result<RunResult> result = run_calls();
  if (result && result->end == RunEnding::completed &&
      result->status.items[ItemState::submitted] > 0) {
    result->end = RunEnding::in_batches;
  }
  return result;
}

Result<RunResult> RunSession::run_calls() {
  Result<std::string> limiter_state = reader_->limiter_state();
  if (!limiter_state) return forward_error(limiter_state);
  concurrency_ = options_.limits.concurrency.value_or(options_.limits.max_concurrency);
  const auto available = static_cast<std::int64_t>(raise_descriptor_limit());
  if (concurrency_ > available) {
    tell(fmt::format(
        "warning: concurrency {} needs more open files than the system allows; {} is used",
        concurrency_, available));
    concurrency_ = available;
  }
  auto transport = CurlTransport::create(transport_config(), clock_);
  if (!transport) return forward_error(transport);
  // After batches the plan of the scan is out of date.
  RunPlan rest = remaining_plan(plan_, *reader_);
  const bool after_batches = via_batch_ || open_batches();
  auto items = open_items(options_, *input_, *provider_, *reader_, after_batches ? rest : plan_);
  if (!items) return forward_error(items);
  const Result<UsageMeans> means = reader_->usage_means();
  if (!means) return forward_error(means);
  RunnerSettings settings = runner_settings(std::move(*limiter_state));
  settings.usage_means = *means;
  auto answers = open_answers();
  std::optional<CacheFillingStore> filling;
  if (cache_) filling.emplace(*store_, *cache_);
  ResultStore& store = filling ? static_cast<ResultStore&>(*filling) : *store_;
  Runner runner({clock_, **items, *provider_, **transport, store, *monitor_, *interrupts_,
                 answer_check_.get(), answers.get()},
                std::move(settings), initial_status_);
  return runner.run();
}

/// Null: every item is called for.
std::unique_ptr<KnownAnswers> RunSession::open_answers() {
  if (!options_.reuse.enabled) return nullptr;
  auto stored = reader_->answers(target_.endpoint);
  if (!cache_) return stored;
  return std::make_unique<SharedAnswers>(std::move(stored), *cache_,
                                         [this](const std::string& text) { tell(text); });
}

Result<int> RunSession::conclude(const RunResult& result) {
  if (cache_) {
    if (const std::string warning = cache_->warning(); !warning.empty())
      tell("warning: " + warning);
  }
  int code = 0;
  std::string reason = "finished";
  switch (result.end) {
    case RunEnding::completed:
      if (result.status.items.problems() > 0) code = static_cast<int>(ExitCode::problems);
      // Cannot be; but a success that leaves something undone would be the worst answer.
      if (options_.pilot == 0 && result.status.items.finished() < result.status.items.total()) {
        return failure(fmt::format(
            "{}: {} items are left without a result; run again after touching "
            "the input",
            options_.input.database, result.status.items.total() - result.status.items.finished()));
      }
      break;
    case RunEnding::in_batches:
      code = static_cast<int>(writes_files() ? ExitCode::ok : ExitCode::in_batches);
      reason = writes_files() ? "request files written" : "batches in progress";
      break;
    case RunEnding::paused:
      code = static_cast<int>(ExitCode::paused);
      reason = "paused: " + result.status.pause_reason;
      break;
    case RunEnding::interrupted:
      code = 128 + result.stop_signal;
      reason = "interrupted";
      break;
    case RunEnding::failed:
      code = result.error->kind == ErrorKind::failure ? static_cast<int>(ExitCode::failure)
                                                      : static_cast<int>(ExitCode::usage);
      reason = "error: " + result.error->message;
      break;
  }
  const Status stored =
      store_->finish_run({reason, code, clock_.wall_now(), result.status, result.progress});
  log_.info(fmt::format("run {} {} (exit {})", run_number_, reason, code));
  if (options_.output.summary && !options_.output.quiet &&
      options_.output.progress != ProgressStyle::json) {
    LinePrinter printer(STDERR_FILENO,
                        detect_terminal(STDERR_FILENO, color_mode(options_.output.color)));
    const std::string& model = target_.display_model;
    const bool no_price = !model.empty() && prices_.find(target_.identity.model) == nullptr;
    print_summary(printer, result.status,
                  {command_line_, code, no_price ? "no price for " + model : ""});
  }
  if (result.error) return failure(result.error->message, result.error->kind);
  if (!stored) return forward_error(stored);
  return code;
}

}  // namespace llmbatch
