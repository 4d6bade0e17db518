#include "llmbatch/policy/rate_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace llmbatch {
namespace {

constexpr Duration kMinute = std::chrono::minutes(1);
constexpr Duration kDaySlice = std::chrono::minutes(5);
constexpr std::int64_t kDaySlices = 24 * 60 / 5;

std::int64_t day_slice(WallTime time) { return time.time_since_epoch() / kDaySlice; }

/// Reads space-separated words; every read fails once the text is used up or not a number.
class WordReader {
 public:
  explicit WordReader(std::string_view text) : text_(text) {}
  std::optional<std::int64_t> number() {
    const std::string_view word = next();
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
    return value;
  }
  std::string_view next() {
    while (!text_.empty() && text_.front() == ' ') text_.remove_prefix(1);
    const std::size_t end = std::min(text_.find(' '), text_.size());
    const std::string_view word = text_.substr(0, end);
    text_.remove_prefix(end);
    return word;
  }

 private:
  std::string_view text_;
};

}  // namespace

RateLimiter::RateLimiter(RateLimits limits, SteadyTime now) : limits_(limits) {
  if (limits_.requests_per_minute) requests_.emplace(*limits_.requests_per_minute, kMinute, now);
  tokens_[0] = {"tpm limit", limits_.tokens_per_minute, std::nullopt, {}};
  tokens_[1] = {"input tpm limit", limits_.input_tokens_per_minute, std::nullopt, {}};
  tokens_[2] = {"output tpm limit", limits_.output_tokens_per_minute, std::nullopt, {}};
  for (TokenLimit& limit : tokens_) {
    if (limit.user_limit) limit.bucket.emplace(*limit.user_limit, kMinute, now);
  }
}

TokenCount RateLimiter::amount_of(int index, TokenCount input, TokenCount output) {
  if (index == 1) return input;
  if (index == 2) return output;
  return input + output;
}

RateLimiter::Answer RateLimiter::ask(const TokenReservation& reservation, SteadyTime now) {
  Answer answer{now, {}, false};
  const auto later = [&answer](SteadyTime time, std::string_view reason) {
    if (time > answer.ready_at) answer = {time, reason, false};
  };
  if (requests_) later(requests_->ready_at(), "rpm limit");
  for (int index = 0; index < 3; ++index) {
    TokenLimit& limit = tokens_[static_cast<std::size_t>(index)];
    if (!limit.bucket) continue;
    const TokenCount amount = amount_of(index, reservation.input, reservation.output);
    if (amount > limit.bucket->limit()) return {now, limit.reason, true};
    later(limit.bucket->ready_at(), limit.reason);
    later(limit.log.fits_at(amount, limit.bucket->limit(), now), limit.reason);
  }
  later(paused_until_, pause_reason_);
  return answer;
}

TokenReservation RateLimiter::within_limits(TokenReservation reservation) const {
  if (tokens_[1].bucket)
    reservation.input = std::min(reservation.input, tokens_[1].bucket->limit());
  if (tokens_[2].bucket) {
    reservation.output = std::min(reservation.output, tokens_[2].bucket->limit());
  }
  if (tokens_[0].bucket) {
    const TokenCount limit = tokens_[0].bucket->limit();
    reservation.input = std::min(reservation.input, limit);
    reservation.output = std::min(reservation.output, limit - reservation.input);
  }
  return reservation;
}

void RateLimiter::take(const TokenReservation& reservation, SteadyTime now, WallTime wall_now) {
  if (requests_) requests_->take(1, now);
  for (int index = 0; index < 3; ++index) {
    TokenLimit& limit = tokens_[static_cast<std::size_t>(index)];
    const TokenCount amount = amount_of(index, reservation.input, reservation.output);
    if (!limit.bucket) continue;
    limit.bucket->take(amount, now);
    limit.log.add(amount, now);
  }
  // Counted without --rpd as well: a later run may have one.
  ++day_[day_slice(wall_now)];
  ++day_count_;
}

void RateLimiter::settle(const TokenReservation& reservation, const Usage& usage, SteadyTime then,
                         SteadyTime now) {
  for (int index = 0; index < 3; ++index) {
    TokenLimit& limit = tokens_[static_cast<std::size_t>(index)];
    if (!limit.bucket) continue;
    const TokenCount difference = amount_of(index, usage.input, usage.output) -
                                  amount_of(index, reservation.input, reservation.output);
    limit.bucket->adjust(difference, now);
    limit.log.adjust(difference, then, now);
  }
}

void RateLimiter::tighten(std::optional<PacedBucket>& bucket,
                          std::optional<std::int64_t> user_limit, const RateLimitBucketHint& hint,
                          SteadyTime now) {
  if (hint.limit && *hint.limit > 0) {
    const std::int64_t limit = user_limit ? std::min(*user_limit, *hint.limit) : *hint.limit;
    if (!bucket) bucket.emplace(limit, kMinute, now);
    if (bucket->limit() != limit) bucket->set_limit(limit);
  }
  if (!bucket || !hint.remaining) return;
  // Little is left although the pace is right: others use the account too, or the provider counts
  // more than it bills. Slow down in proportion, and wait for the next unit when nothing is left.
  // A bucket that is full again soon is merely small, whatever it says of what remains.
  double share = static_cast<double>(*hint.remaining) / static_cast<double>(bucket->limit());
  if (hint.reset) share = std::max(share, 1.0 - to_seconds(*hint.reset) / to_seconds(kMinute));
  bucket->set_slowdown(share < 0.1 ? 1.0 + 30.0 * (0.1 - std::max(share, 0.0)) : 1.0);
  if (*hint.remaining <= 0) bucket->hold_until(now + kMinute / bucket->limit());
}

void RateLimiter::apply(const RateLimitHints& hints, SteadyTime now, WallTime wall_now) {
  if (!hints.any) return;
  tighten(requests_, limits_.requests_per_minute, hints.requests_per_minute, now);
  tighten(tokens_[0].bucket, tokens_[0].user_limit, hints.tokens_per_minute, now);
  tighten(tokens_[1].bucket, tokens_[1].user_limit, hints.input_tokens_per_minute, now);
  tighten(tokens_[2].bucket, tokens_[2].user_limit, hints.output_tokens_per_minute, now);
  const RateLimitBucketHint& day = hints.requests_per_day;
  if (day.remaining && *day.remaining <= 0 && day.reset) day_blocked_until_ = wall_now + *day.reset;
}

void RateLimiter::pause_until(SteadyTime time, std::string_view reason) {
  if (time <= paused_until_) return;
  paused_until_ = time;
  pause_reason_ = reason;
}

void RateLimiter::expire_day(WallTime wall_now) {
  const std::int64_t current = day_slice(wall_now);
  while (!day_.empty() && day_.begin()->first < current - kDaySlices) {
    day_count_ -= day_.begin()->second;
    day_.erase(day_.begin());
  }
}

std::optional<WallTime> RateLimiter::day_exhausted_until(WallTime wall_now) {
  if (day_blocked_until_ && *day_blocked_until_ > wall_now) return day_blocked_until_;
  if (!limits_.requests_per_day) return std::nullopt;
  expire_day(wall_now);
  if (day_count_ < *limits_.requests_per_day) return std::nullopt;
  std::int64_t left = day_count_;
  for (const auto& [slice, count] : day_) {
    left -= count;
    if (left < *limits_.requests_per_day) return WallTime((slice + kDaySlices + 1) * kDaySlice);
  }
  return std::nullopt;
}

std::optional<std::int64_t> RateLimiter::requests_left_today(WallTime wall_now) {
  if (!limits_.requests_per_day) return std::nullopt;
  expire_day(wall_now);
  return std::max<std::int64_t>(*limits_.requests_per_day - day_count_, 0);
}

bool RateLimiter::limits_anything() const {
  return requests_ || limits_tokens() || limits_.requests_per_day;
}

bool RateLimiter::limits_tokens() const {
  return tokens_[0].bucket || tokens_[1].bucket || tokens_[2].bucket;
}

std::optional<std::int64_t> RateLimiter::requests_per_minute() const {
  if (!requests_) return std::nullopt;
  return requests_->limit();
}

std::string RateLimiter::serialize(SteadyTime now, WallTime wall_now, Duration valid_for,
                                   std::int64_t unknown_calls) {
  // All times are nanoseconds after the time of storing, so that only one wall time is involved.
  std::string out = fmt::format("1 {} {} ", to_unix_nanos(wall_now), valid_for.count());
  const auto offset = [now](SteadyTime time) { return std::max(time - now, Duration(0)).count(); };
  out += fmt::format("{} ", requests_ ? offset(requests_->ready_at()) : 0);
  out += fmt::format("{} ", offset(paused_until_));
  for (TokenLimit& limit : tokens_) {
    std::string slices;
    std::int64_t count = 0;
    if (limit.bucket) {
      limit.log.visit(now, [&](Duration age, std::int64_t amount) {
        slices += fmt::format("{} {} ", age.count(), amount);
        ++count;
      });
    }
    out +=
        fmt::format("{} {} {}", limit.bucket ? offset(limit.bucket->ready_at()) : 0, count, slices);
  }
  expire_day(wall_now);
  std::map<std::int64_t, std::int64_t> day = day_;
  if (limits_.requests_per_day && unknown_calls > 0) day[day_slice(wall_now)] += unknown_calls;
  out += fmt::format("{}", day.size());
  for (const auto& [slice, count] : day) out += fmt::format(" {} {}", slice, count);
  return out;
}

bool RateLimiter::restore(std::string_view state, SteadyTime now, WallTime wall_now) {
  WordReader words(state);
  if (words.number() != 1) return false;
  const auto stored_at = words.number();
  const auto valid_for = words.number();
  const auto requests = words.number();
  const auto paused = words.number();
  if (!stored_at || !valid_for || !requests || !paused) return false;
  const Duration age = std::max(wall_now - from_unix_nanos(*stored_at), Duration(0));
  const SteadyTime then = now - age;
  const Duration unsaved(*valid_for);
  if (requests_) requests_->hold_until(then + Duration(*requests) + unsaved);
  if (then + Duration(*paused) > now) pause_until(then + Duration(*paused), "retry-after");
  for (TokenLimit& limit : tokens_) {
    const auto offset = words.number();
    const auto count = words.number();
    if (!offset || !count) return false;
    if (limit.bucket) limit.bucket->hold_until(then + Duration(*offset) + unsaved);
    for (std::int64_t index = 0; index < *count; ++index) {
      const auto slice_age = words.number();
      const auto amount = words.number();
      if (!slice_age || !amount) return false;
      const Duration total_age = age + Duration(*slice_age);
      if (limit.bucket && total_age < kMinute + WindowLog::kSlice) {
        limit.log.restore(*amount, now - total_age - WindowLog::kSlice, now);
      }
    }
  }
  const auto days = words.number();
  if (!days) return false;
  for (std::int64_t index = 0; index < *days; ++index) {
    const auto slice = words.number();
    const auto count = words.number();
    if (!slice || !count) return false;
    day_[std::min(*slice, day_slice(wall_now))] += *count;
    day_count_ += *count;
  }
  expire_day(wall_now);
  return true;
}

}  // namespace llmbatch
