#include "llmbatch/policy/retry_policy.h"

#include <algorithm>

namespace llmbatch {
namespace {

/// What the README (Errors and retries) does with a class of errors.
enum class Treatment : std::uint8_t {
  success,
  free_retry,
  retry,
  retry_once,
  filtered,
  malformed,
  truncated,
  failed,
  pause,
  job_model,
  stays_pending
};

Treatment treatment(ErrorClass error) {
  switch (error) {
    case ErrorClass::none:
      return Treatment::success;
    case ErrorClass::rate_limited:
      return Treatment::free_retry;
    case ErrorClass::overloaded:
    case ErrorClass::server_error:
    case ErrorClass::connection:
    case ErrorClass::request_timeout:
      return Treatment::retry;
    case ErrorClass::timeout:
      return Treatment::retry_once;
    case ErrorClass::content_policy:
      return Treatment::filtered;
    case ErrorClass::malformed:
    case ErrorClass::check_failed:
      return Treatment::malformed;
    case ErrorClass::truncated:
      return Treatment::truncated;
    case ErrorClass::invalid_request:
    case ErrorClass::context_length:
    case ErrorClass::too_large:
    case ErrorClass::response_too_large:
    case ErrorClass::invalid_input:
      return Treatment::failed;
    case ErrorClass::quota_exhausted:
    case ErrorClass::authentication:
    case ErrorClass::permission:
      return Treatment::pause;
    case ErrorClass::model_not_found:
      return Treatment::job_model;
    case ErrorClass::interrupted:
      return Treatment::stays_pending;
  }
  return Treatment::failed;
}

/// A server that asks for more means another unit; a day is long enough to be seen by somebody.
constexpr Duration kLongestHint = std::chrono::hours(24);

Decision finish(ItemState state) { return {NextStep::finish, state, {}, {}}; }

}  // namespace

Duration RetryPolicy::backoff(const RetryHistory& history, double jitter) const {
  // Full jitter: uniform in [0, min(cap, base * 2^k)).
  const std::uint32_t exponent = std::min<std::uint32_t>(
      history.retries + history.rate_limited + history.malformed + history.timeouts, 20);
  const Duration ceiling =
      std::min(settings_.backoff_cap, settings_.initial_backoff * (std::int64_t{1} << exponent));
  return Duration(static_cast<std::int64_t>(static_cast<double>(ceiling.count()) * jitter));
}

Decision RetryPolicy::decide(const Outcome& outcome, RetryHistory& history, bool own_model,
                             bool provider_alive, double jitter) const {
  const Duration hint =
      std::clamp(outcome.retry_after.value_or(Duration(0)), Duration(0), kLongestHint);
  const auto retry = [&](std::uint32_t& counter, Duration shared) {
    const Duration delay = std::max(hint, backoff(history, jitter));
    ++counter;
    return Decision{NextStep::retry, ItemState::pending, delay, shared};
  };
  const std::uint32_t made =
      history.retries + history.timeouts + history.malformed + history.truncated;
  const bool exhausted = made >= settings_.max_retries;
  const bool forbidden = outcome.should_retry == false || settings_.max_retries == 0;

  switch (treatment(outcome.error)) {
    case Treatment::success:
      return finish(ItemState::succeeded);
    case Treatment::filtered:
      return finish(ItemState::filtered);
    case Treatment::pause:
      return {NextStep::pause_run, ItemState::pending, {}, {}};
    case Treatment::stays_pending:
      return finish(ItemState::pending);
    case Treatment::job_model:
      if (own_model) return finish(ItemState::failed);
      return {NextStep::pause_run, ItemState::pending, {}, {}};
    case Treatment::failed:
      if (outcome.should_retry == true && !forbidden && !exhausted)
        return retry(history.retries, hint);
      return finish(ItemState::failed);
    case Treatment::free_retry:
      if (forbidden) return finish(ItemState::failed);
      if (provider_alive) return retry(history.rate_limited, hint);
      if (exhausted) return finish(ItemState::failed);
      return retry(history.retries, hint);
    case Treatment::retry:
      if (forbidden || exhausted) return finish(ItemState::failed);
      return retry(history.retries, hint);
    case Treatment::retry_once:
      if (forbidden || exhausted || history.timeouts >= 1) return finish(ItemState::failed);
      return retry(history.timeouts, {});
    case Treatment::malformed:
      if (forbidden || exhausted || history.malformed >= 1) return finish(ItemState::flagged);
      return retry(history.malformed, {});
    case Treatment::truncated:
      if (!settings_.retry_truncated || forbidden || exhausted || history.truncated >= 1) {
        return finish(ItemState::flagged);
      }
      return retry(history.truncated, {});
  }
  return finish(ItemState::failed);
}

}  // namespace llmbatch
