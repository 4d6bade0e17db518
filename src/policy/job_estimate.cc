#include "llmbatch/policy/job_estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <vector>

namespace llmbatch {
namespace {

__extension__ using Wide = __int128;

constexpr TokenCount kLeastCachedPrefix = 1024;

TokenCount rounded(double tokens) {
  constexpr double kMost = 9e18;
  return static_cast<TokenCount>(std::llround(std::min(tokens, kMost)));
}

/// charge() without its limit of a million dollars: a whole job may cost more.
Money charge_all(TokenCount tokens, Money per_million) {
  constexpr Wide kMillion = 1'000'000;
  const Wide sum = (Wide{tokens} * per_million.pico() + kMillion / 2) / kMillion;
  const Wide most = std::numeric_limits<std::int64_t>::max();
  return Money::from_pico(static_cast<std::int64_t>(std::min(sum, most)));
}

void add(TokenInterval& sum, const TokenInterval& part) {
  sum.low += part.low;
  if (sum.expected && part.expected) *sum.expected += *part.expected;
  if (sum.high && part.high) *sum.high += *part.high;
  if (!part.expected) sum.expected.reset();
  if (!part.high) sum.high.reset();
}

void add(MoneyInterval& sum, const MoneyInterval& part) {
  sum.low += part.low;
  if (sum.expected && part.expected) *sum.expected += *part.expected;
  if (sum.high && part.high) *sum.high += *part.high;
  if (!part.expected) sum.expected.reset();
  if (!part.high) sum.high.reset();
}

template <typename Interval, typename Amount>
Interval nothing() {
  Interval zero;
  zero.expected = Amount();
  zero.high = Amount();
  return zero;
}

TokenInterval input_of(const RequestGroup& group, const EstimateBasis& basis) {
  const auto counted = static_cast<double>(group.input);
  if (const auto& ratio = basis.input_ratio) {
    return {rounded(counted * ratio->low), rounded(counted * ratio->value),
            rounded(counted * ratio->high)};
  }
  return {rounded(counted * (1 - basis.count_margin)), group.input,
          rounded(counted * (1 + basis.count_margin))};
}

TokenInterval output_of(const RequestGroup& group, const EstimateBasis& basis) {
  if (basis.no_output) return nothing<TokenInterval, TokenCount>();
  if (const auto& mean = basis.output) {
    const auto items = static_cast<double>(group.items);
    return {rounded(items * mean->low), rounded(items * mean->value), rounded(items * mean->high)};
  }
  TokenInterval assumed;
  assumed.low = group.least_output;
  if (group.uncapped() == 0) assumed.high = group.caps;
  return assumed;
}

struct PriceBounds {
  EffectivePrices low;
  EffectivePrices now;
  EffectivePrices high;
};

void widen(PriceBounds& bounds, const EffectivePrices& prices) {
  bounds.low.input = std::min(bounds.low.input, prices.input);
  bounds.low.output = std::min(bounds.low.output, prices.output);
  bounds.high.input = std::max(bounds.high.input, prices.input);
  bounds.high.output = std::max(bounds.high.output, prices.output);
}

/// Every hour of a week is looked at: spans of peak hours begin and end on whole hours, and an
/// announced change may lie within.
std::optional<PriceBounds> price_bounds(const RequestGroup& group, WallTime now, BillingMode mode) {
  if (group.price == nullptr) return std::nullopt;
  const ModelPrice& price = *group.price;
  const TokenCount tokens = group.long_context ? price.long_context->over_input_tokens + 1 : 0;
  const auto present = effective_prices(price, tokens, now, mode);
  if (!present) return std::nullopt;
  PriceBounds bounds{*present, *present, *present};
  if (!price.peak && !price.change) return bounds;
  constexpr int kHoursOfWeek = 7 * 24;
  const auto hour = std::chrono::floor<std::chrono::hours>(now);
  for (int i = 1; i <= kHoursOfWeek; ++i) {
    const auto later = effective_prices(price, tokens, hour + std::chrono::hours(i), mode);
    if (later) widen(bounds, *later);
  }
  return bounds;
}

MoneyInterval priced(const TokenInterval& tokens, Money low, Money now, Money high) {
  MoneyInterval cost;
  cost.low = charge_all(tokens.low, low);
  if (tokens.expected) cost.expected = charge_all(*tokens.expected, now);
  if (tokens.high) cost.high = charge_all(*tokens.high, high);
  return cost;
}

std::optional<CostEstimate> cost_of(std::span<const RequestGroup> groups,
                                    const EstimateBasis& basis, WallTime now, BillingMode mode) {
  CostEstimate cost;
  cost.input = cost.output = cost.total = nothing<MoneyInterval, Money>();
  for (const RequestGroup& group : groups) {
    const auto prices = price_bounds(group, now, mode);
    if (!prices) return std::nullopt;
    const MoneyInterval input =
        priced(input_of(group, basis), prices->low.input, prices->now.input, prices->high.input);
    const MoneyInterval output = priced(output_of(group, basis), prices->low.output,
                                        prices->now.output, prices->high.output);
    add(cost.input, input);
    add(cost.output, output);
    add(cost.total, input);
    add(cost.total, output);
  }
  return cost;
}

/// What one limit demands.
struct Demand {
  std::string_view name;
  double low = 0;
  std::optional<double> high;
};

constexpr double kMinute = 60;
constexpr double kDay = 86400;

void demand_tokens(std::vector<Demand>& demands, std::string_view name,
                   const std::optional<std::int64_t>& limit, const TokenInterval& tokens) {
  if (!limit) return;
  const double pace = kMinute / static_cast<double>(*limit);
  Demand demand{name, static_cast<double>(tokens.low) * pace, std::nullopt};
  if (tokens.high) demand.high = static_cast<double>(*tokens.high) * pace;
  demands.push_back(demand);
}

std::vector<Demand> demands_of(const JobEstimate& job, const PaceLimits& limits) {
  std::vector<Demand> demands;
  const auto items = static_cast<double>(job.items);
  const auto fixed = [&](std::string_view name, double seconds) {
    demands.push_back({name, seconds, seconds});
  };
  if (limits.rpm) fixed("rpm", items * kMinute / static_cast<double>(*limits.rpm));
  TokenInterval both = job.input;
  add(both, job.output);
  demand_tokens(demands, "tpm", limits.tpm, both);
  demand_tokens(demands, "itpm", limits.itpm, job.input);
  demand_tokens(demands, "otpm", limits.otpm, job.output);
  if (limits.rpd) {
    // The first day's requests may all go at once.
    fixed("rpd", std::max(0.0, std::ceil(items / static_cast<double>(*limits.rpd)) - 1) * kDay);
  }
  if (limits.latency_seconds) {
    fixed("latency", items * *limits.latency_seconds /
                         static_cast<double>(
                             std::max<std::int64_t>(1, std::min(limits.concurrency, job.items))));
  }
  return demands;
}

}  // namespace

JobEstimate estimate_job(std::span<const RequestGroup> groups, const EstimateBasis& basis,
                         WallTime now) {
  JobEstimate estimate;
  estimate.input = estimate.output = nothing<TokenInterval, TokenCount>();
  for (const RequestGroup& group : groups) {
    estimate.items += group.items;
    estimate.counted_input += group.input;
    add(estimate.input, input_of(group, basis));
    add(estimate.output, output_of(group, basis));
  }
  estimate.real_time = cost_of(groups, basis, now, BillingMode::real_time);
  estimate.batch = cost_of(groups, basis, now, BillingMode::batch);
  return estimate;
}

std::optional<DurationEstimate> estimate_duration(const JobEstimate& job,
                                                  const PaceLimits& limits) {
  const std::vector<Demand> demands = demands_of(job, limits);
  if (demands.empty()) return std::nullopt;
  DurationEstimate duration;
  duration.high_seconds = 0;
  double longest = -1;
  for (const Demand& demand : demands) {
    duration.low_seconds = std::max(duration.low_seconds, demand.low);
    if (demand.high && duration.high_seconds) {
      duration.high_seconds = std::max(*duration.high_seconds, *demand.high);
    } else {
      duration.high_seconds.reset();
    }
    if (demand.high.value_or(demand.low) > longest) {
      longest = demand.high.value_or(demand.low);
      duration.bound_by = demand.name;
    }
  }
  duration.latency_known = limits.latency_seconds.has_value();
  return duration;
}

std::optional<Money> prompt_cache_saving(const ModelPrice& price, TokenCount prefix,
                                         std::int64_t items, WallTime now) {
  if (prefix < kLeastCachedPrefix || items < 2) return std::nullopt;
  const auto prices = effective_prices(price, prefix, now, BillingMode::real_time);
  if (!prices || prices->cached_input >= prices->input) return std::nullopt;
  const Money read = charge_all(prefix, prices->input - prices->cached_input);
  const Money write = charge_all(prefix, prices->cache_write - prices->input);
  const Wide saved = Wide{read.pico()} * (items - 1) - write.pico();
  const Wide most = std::numeric_limits<std::int64_t>::max();
  if (saved <= 0) return std::nullopt;
  return Money::from_pico(static_cast<std::int64_t>(std::min(saved, most)));
}

}  // namespace llmbatch
