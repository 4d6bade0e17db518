#include "llmbatch/policy/token_bucket.h"

#include <algorithm>
#include <cmath>

#include "llmbatch/base/check.h"

namespace llmbatch {
namespace {

/// How far an admission may come early after a late one, so that late wake-ups are not lost.
Duration tolerance(Duration interval) {
  return std::clamp<Duration>(interval, std::chrono::milliseconds(10),
                              std::chrono::milliseconds(20));
}

/// Added to the window: tolerance, and jitter on the way to the server.
Duration slack(std::int64_t limit, Duration window) {
  return limit >= 1000 ? window * 35 / 10'000 : window * 70 / 10'000;
}

}  // namespace

PacedBucket::PacedBucket(std::int64_t limit, Duration window, SteadyTime now)
    : limit_(limit), window_(window), arrival_(now) {
  LLMBATCH_CHECK(limit > 0);
}

Duration PacedBucket::cost(std::int64_t amount) const {
  const double interval = static_cast<double>((window_ + slack(limit_, window_)).count()) /
                          static_cast<double>(limit_) * slowdown_;
  return Duration(static_cast<std::int64_t>(std::ceil(interval * static_cast<double>(amount))));
}

void PacedBucket::take(std::int64_t amount, SteadyTime now) {
  arrival_ = std::max(arrival_, now - tolerance(cost(1))) + cost(amount);
}

void PacedBucket::adjust(std::int64_t difference, SteadyTime now) {
  if (difference >= 0) {
    arrival_ = std::max(arrival_, now - tolerance(cost(1))) + cost(difference);
  } else {
    arrival_ = std::max(arrival_ - cost(-difference), std::min(arrival_, now));
  }
}

void PacedBucket::hold_until(SteadyTime time) { arrival_ = std::max(arrival_, time); }

void PacedBucket::set_limit(std::int64_t limit) {
  LLMBATCH_CHECK(limit > 0);
  limit_ = limit;
}

void WindowLog::expire(SteadyTime now) {
  const std::int64_t current = slice_of(now);
  if (current - newest_ >= kSlices) {
    amounts_.fill(0);
    sum_ = 0;
    newest_ = current;
    return;
  }
  while (newest_ < current) {
    ++newest_;
    sum_ -= at(newest_);
    at(newest_) = 0;
  }
}

SteadyTime WindowLog::fits_at(std::int64_t amount, std::int64_t limit, SteadyTime now) {
  expire(now);
  if (sum_ + amount <= limit) return now;
  std::int64_t left = sum_;
  for (std::int64_t slice = newest_ - kSlices + 1; slice <= newest_; ++slice) {
    left -= at(slice);
    if (left + amount <= limit) return SteadyTime((slice + kSlices) * kSlice);
  }
  return SteadyTime((newest_ + kSlices) * kSlice);
}

void WindowLog::add(std::int64_t amount, SteadyTime now) {
  expire(now);
  at(newest_) += amount;
  sum_ += amount;
}

void WindowLog::restore(std::int64_t amount, SteadyTime then, SteadyTime now) {
  expire(now);
  const std::int64_t slice = slice_of(then);
  if (slice <= newest_ - kSlices || slice > newest_) return;
  at(slice) += amount;
  sum_ += amount;
}

void WindowLog::adjust(std::int64_t difference, SteadyTime then, SteadyTime now) {
  expire(now);
  const std::int64_t slice = slice_of(then);
  // What was used beyond the reservation counts from now on: it may not hide in an old slice.
  const std::int64_t target = difference > 0 ? newest_ : slice;
  if (target <= newest_ - kSlices || target > newest_) return;
  const std::int64_t change = std::max(difference, -at(target));
  at(target) += change;
  sum_ += change;
}

}  // namespace llmbatch
