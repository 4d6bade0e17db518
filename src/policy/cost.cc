// The price of one request and the cost of one call.
#include <algorithm>
#include <chrono>

#include "llmbatch/policy/pricing.h"

namespace llmbatch {
namespace {

__extension__ using Wide = __int128;

constexpr Wide kMillion = 1'000'000;
/// Nothing costs more; sums stay far from the end of 64 bits.
constexpr std::int64_t kMostPico = Money::kPicoPerDollar * 1'000'000;

Money rounded(Wide numerator, Wide denominator) {
  const Wide quotient = (numerator + denominator / 2) / denominator;
  return Money::from_pico(static_cast<std::int64_t>(std::min<Wide>(quotient, kMostPico)));
}

/// Prices have twelve decimals per million tokens, so nothing is lost here in practice.
Money scaled(Money price, Factor factor) {
  if (factor == Factor{}) return price;
  return rounded(Wide{price.pico()} * factor.millionths, Factor::kOne);
}

Money halved(Money price) { return scaled(price, Factor{Factor::kOne / 2}); }

bool is_peak(const PeakHours& peak, WallTime at) {
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::weekday weekday(day);
  if (peak.weekdays_only && (weekday == std::chrono::Saturday || weekday == std::chrono::Sunday)) {
    return false;
  }
  const auto minute = std::chrono::floor<std::chrono::minutes>(at - day).count();
  return std::any_of(peak.spans.begin(), peak.spans.end(), [&](const PeakHours::Span& span) {
    return minute >= span.begin_minute && minute < span.end_minute;
  });
}

struct BasePrices {
  Money input;
  Money cached_input;
  Money output;
};

std::optional<BasePrices> batch_base(const TokenRates& rates, CachedInBatch rule) {
  if (!rates.batch_input || !rates.batch_output) return std::nullopt;
  BasePrices base{*rates.batch_input, *rates.batch_input, *rates.batch_output};
  if (!rates.cached_input || rule == CachedInBatch::no_discount) return base;
  const Money cached =
      rule == CachedInBatch::halved ? halved(*rates.cached_input) : *rates.cached_input;
  base.cached_input = std::min(base.input, cached);
  return base;
}

/// A tier with prices of its own names none for batches: these keep their discount.
TokenRates tier_rates(const TokenRates& tier, const TokenRates& usual) {
  TokenRates rates = tier;
  const auto discounted = [](Money own, std::optional<Money> batch, Money real_time) {
    if (!batch || real_time == Money()) return batch;
    return std::optional(rounded(Wide{own.pico()} * batch->pico(), real_time.pico()));
  };
  rates.batch_input = discounted(tier.input, usual.batch_input, usual.input);
  rates.batch_output = discounted(tier.output, usual.batch_output, usual.output);
  return rates;
}

}  // namespace

std::optional<EffectivePrices> effective_prices(const ModelPrice& price, TokenCount input_tokens,
                                                WallTime at, BillingMode mode) {
  const bool changed = price.change && at >= price.change->from;
  TokenRates rates = changed ? price.change->rates : price.rates;
  const bool is_long = price.long_context && input_tokens > price.long_context->over_input_tokens;
  if (is_long && price.long_context->rates) rates = tier_rates(*price.long_context->rates, rates);
  BasePrices base{rates.input, rates.cached_input.value_or(rates.input), rates.output};
  if (mode == BillingMode::batch) {
    const auto batch = batch_base(rates, price.cached_in_batch);
    if (!batch) return std::nullopt;
    base = *batch;
  }
  if (is_long && !price.long_context->rates) {
    base.input = scaled(base.input, price.long_context->input);
    base.cached_input = scaled(base.cached_input, price.long_context->cached_input);
    base.output = scaled(base.output, price.long_context->output);
  }
  if (price.peak && is_peak(*price.peak, at)) {
    base.input = scaled(base.input, price.peak->factor);
    base.cached_input = scaled(base.cached_input, price.peak->factor);
    base.output = scaled(base.output, price.peak->factor);
  }
  return EffectivePrices{base.input, base.cached_input, base.output,
                         scaled(base.input, price.cache_writes.five_minutes),
                         scaled(base.input, price.cache_writes.one_hour)};
}

Money charge(TokenCount tokens, Money per_million) {
  return rounded(Wide{tokens} * per_million.pico(), kMillion);
}

std::optional<Money> cost(const ModelPrice& price, const Usage& usage, WallTime at,
                          BillingMode mode) {
  const auto prices = effective_prices(price, usage.input, at, mode);
  if (!prices) return std::nullopt;
  const TokenCount one_hour = std::min(usage.cache_write_one_hour, usage.cache_write);
  const TokenCount fresh =
      std::max<TokenCount>(0, usage.input - usage.cached_input - usage.cache_write);
  const Wide sum = Wide{fresh} * prices->input.pico() +
                   Wide{usage.cached_input} * prices->cached_input.pico() +
                   Wide{usage.cache_write - one_hour} * prices->cache_write.pico() +
                   Wide{one_hour} * prices->cache_write_one_hour.pico() +
                   Wide{usage.output} * prices->output.pico();
  return rounded(sum, kMillion);
}

}  // namespace llmbatch
