// The part of a session that goes through provider batches: which way is taken, and the wiring of
// the BatchRunner.
#include <fmt/format.h>

#include <algorithm>
#include <random>

#include "llmbatch/base/text.h"
#include "llmbatch/net/curl_client.h"
#include "llmbatch/provider/make_batch_api.h"
#include "run_session.h"
#include "shared_answers.h"

namespace llmbatch {
namespace {

/// A batch that is cancelled takes up to ten minutes to end.
constexpr Duration kCancelTime = std::chrono::minutes(10);
/// Less time than this for a batch is not worth the try.
constexpr Duration kShortestBatch = std::chrono::minutes(30);
/// What a call takes when nothing is known of it, and how many of them are made at a time.
constexpr double kSecondsPerCall = 3;
constexpr double kUsualConcurrency = 16;

/// Those whose files were handed to the user are the user's to look after.
bool is_at_provider(const BatchRecord& batch) {
  return is_open(batch.stage) && batch.stage != BatchStage::written;
}

}  // namespace

bool RunSession::open_batches() const {
  return std::any_of(batches_.begin(), batches_.end(),
                     [](const BatchRecord& batch) { return is_open(batch.stage); });
}

bool RunSession::batches_at_provider() const {
  return std::any_of(batches_.begin(), batches_.end(), is_at_provider);
}

/// What is open at one provider cannot be looked after at another one.
Status RunSession::refuse_moving_batches(const JobIdentity& stored) {
  if (stored.profile == target_.identity.profile &&
      stored.wire_format == target_.identity.wire_format) {
    return {};
  }
  const auto batches = reader_->batches();
  if (!batches) return forward_error(batches);
  for (const BatchRecord& batch : *batches) {
    if (!is_at_provider(batch)) continue;
    return failure(fmt::format("batch {} is open at {}, and the job cannot move before it is done: "
                               "collect it with the same command as before, or `llmbatch batches "
                               "cancel all` or `forget all`; nothing was sent",
                               batch.number, sanitize_for_terminal(stored.profile)),
                   ErrorKind::mismatch);
  }
  return {};
}

/// With --max-cost.
Status RunSession::need_batch_price() {
  const ModelPrice* price = prices_.find(target_.identity.model);
  if (!options_.cost.max_cost || price == nullptr) return {};
  if (cost(*price, Usage{}, clock_.wall_now(), BillingMode::batch)) return {};
  return usage_error(
      fmt::format("--max-cost: what {}/{} costs in provider batches is unknown; give "
                  "batch_input and batch_output with --price-file",
                  sanitize_for_terminal(target_.identity.profile),
                  sanitize_for_terminal(target_.identity.model)));
}

/// How long so many calls take, generously.
Duration RunSession::time_for_calls(std::int64_t items) const {
  const double per_second = options_.limits.rpm
                                ? static_cast<double>(*options_.limits.rpm) / 60
                                : static_cast<double>(options_.limits.concurrency.value_or(
                                      static_cast<std::int64_t>(kUsualConcurrency))) /
                                      kSecondsPerCall;
  constexpr double kRetries = 1.2;
  return from_seconds(static_cast<double>(items) / per_second * kRetries);
}

/// Settles --via before anything is stored.
Status RunSession::choose_way() {
  auto batches = reader_->batches();
  if (!batches) return forward_error(batches);
  batches_ = std::move(*batches);
  const bool wanted = options_.batches.via != Via::realtime;
  if (!wanted && !open_batches()) return {};
  offline_ = writes_files() || (!wanted && !batches_at_provider());
  Result<std::unique_ptr<BatchApi>> api =
      offline_ ? offline_batch_api(target_.provider) : make_batch_api(target_.provider);
  via_batch_ = wanted;
  Status usable = api ? Status() : Status(forward_error(api));
  if (usable && wanted && !writes_files()) usable = need_batch_price();
  if (!usable) {
    const bool automatic = options_.batches.via == Via::automatic && !batches_at_provider();
    if (!automatic) return usable;
    tell(fmt::format("--via auto: real time ({})", usable.error().message));
    via_batch_ = false;
    offline_ = true;
    api = offline_batch_api(target_.provider);
  }
  batch_api_ = std::move(*api);
  if (!via_batch_ || !options_.batches.finish_by) return {};
  const Duration left = *options_.batches.finish_by - clock_.wall_now();
  const Duration needed =
      kCancelTime + time_for_calls(static_cast<std::int64_t>(items_to_do(plan_.items)));
  if (options_.batches.via == Via::automatic && left < needed + kShortestBatch) {
    tell(fmt::format("--via auto: real time, for a batch there is no time until {}",
                     format_rfc3339(*options_.batches.finish_by)));
    via_batch_ = false;
  }
  return {};
}

BatchRunnerSettings RunSession::batch_settings(std::string limiter_state) const {
  const RunBatchOptions& options = options_.batches;
  BatchRunnerSettings settings;
  settings.batch_size = options.batch_size;
  settings.poll_interval = options.poll_interval;
  settings.wait = options.wait && via_batch_;
  settings.submit = via_batch_;
  settings.resubmit = !options.then_realtime;
  settings.cancel_on_interrupt = options.cancel_on_interrupt;
  if (options.finish_by && via_batch_) {
    settings.give_up_at = *options.finish_by - kCancelTime -
                          time_for_calls(static_cast<std::int64_t>(items_to_do(plan_.items)));
  }
  settings.drain_timeout = options_.network.drain_timeout;
  settings.retries.max_retries = options_.errors.max_retries;
  settings.retries.retry_truncated = options_.errors.retry_truncated;
  settings.max_error_rate = options_.errors.max_error_rate.value_or(1);
  settings.pause_on_error_rate = !options_.errors.warn_on_error_rate;
  settings.reask = options_.checks.reask;
  settings.max_items = options_.cost.max_items;
  settings.max_duration = options_.cost.max_duration;
  Money reserved;
  for (const BatchRecord& batch : batches_) {
    if (is_open(batch.stage)) reserved += batch.reserved;
  }
  settings.spending = {prices_, target_.identity.model, options_.cost.max_cost,
                       std::max(Money(), held_ - reserved)};
  settings.limiter_state = std::move(limiter_state);
  settings.token_counter = tokens_.exact ? tokens_.counter.get() : nullptr;
  settings.spool_prefix = options_.input.database + ".batch-";
  settings.key_secret = target_.provider.key;
  settings.knows_key = !offline_;
  settings.write_directory = options_.batches.write_directory;
  std::random_device random;
  settings.random_seed = (std::uint64_t{random()} << 32U) | random();
  return settings;
}

Result<RunResult> RunSession::run_batches() {
  Result<std::string> limiter_state = reader_->limiter_state();
  if (!limiter_state) return forward_error(limiter_state);
  concurrency_ = 1;
  auto client = CurlClient::create(transport_config(), clock_, *interrupts_);
  if (!client) return forward_error(client);
  const auto journal = store_->batch_journal();
  const auto answers = open_answers();
  BatchRunnerParts parts{.clock = clock_,
                         .provider = *provider_,
                         .api = *batch_api_,
                         .client = **client,
                         .journal = *journal,
                         .monitor = *monitor_,
                         .interrupts = *interrupts_,
                         .open_source =
                             [this] {
                               RunPlan rest = remaining_plan(plan_, *reader_);
                               return open_items(options_, *input_, *provider_, *reader_, rest,
                                                 Submitted::included);
                             },
                         .count_states = [this] { return reader_->count_states(); },
                         .answer_check = answer_check_.get(),
                         .answers = answers.get()};
  BatchRunner runner(std::move(parts), batch_settings(std::move(*limiter_state)), initial_status_);
  auto result = runner.run();
  rest_follows_ = runner.leaves_rest(result);
  return result;
}

/// What the calls that follow start from.
void RunSession::go_on_from(const RunResult& result) {
  const RunStatus before = initial_status_;
  initial_status_ = result.status;
  initial_status_.done_before = before.done_before;
  held_ = result.progress.cost_ceiling - result.status.known_cost;
  tell(fmt::format("{} items are called for in real time",
                   group_digits(result.status.items[ItemState::pending])));
}

}  // namespace llmbatch
