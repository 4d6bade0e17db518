#include "llmbatch/sim/latency.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numbers>
#include <utility>

#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

constexpr std::array<std::pair<std::string_view, double>, 6> kUnits{
    {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1.0}, {"m", 60.0}, {"h", 3600.0}, {"", 0.0}}};

/// A number and what follows it.
struct Quantity {
  double value = 0;
  std::string_view unit;
};

std::optional<Quantity> split_quantity(std::string_view text) {
  Quantity quantity;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), quantity.value,
                                           std::chars_format::fixed);
  if (code != std::errc() || quantity.value < 0) return std::nullopt;
  quantity.unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return quantity;
}

tl::unexpected<Error> bad_delay(std::string_view text) {
  return usage_error("'" + std::string(text) + "': not a duration (expected e.g. 250ms, 1.5s, 2m)");
}

Result<Latency> parse_lognormal(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) {
    return usage_error("'lognormal:" + std::string(text) +
                       "': the 95th percentile is missing (expected lognormal:MEDIAN:P95)");
  }
  const Result<Duration> median = parse_delay(text.substr(0, colon));
  if (!median) return forward_error(median);
  const Result<Duration> p95 = parse_delay(text.substr(colon + 1));
  if (!p95) return forward_error(p95);
  if (*median <= Duration::zero() || *p95 < *median) {
    return usage_error("'lognormal:" + std::string(text) +
                       "': the median must be above 0 and not above the 95th percentile");
  }
  return Latency{Latency::Shape::lognormal, *median, *p95};
}

Result<Latency> parse_uniform(std::string_view first, std::string_view second) {
  const Result<Duration> high = parse_delay(second);
  if (!high) return forward_error(high);
  std::string low_text(first);
  // `100-300ms`: the unit of the second number holds for both.
  if (const auto quantity = split_quantity(first); quantity && quantity->unit.empty()) {
    if (const auto other = split_quantity(second)) low_text += other->unit;
  }
  const Result<Duration> low = parse_delay(low_text);
  if (!low) return forward_error(low);
  if (*low > *high) {
    return usage_error("'" + std::string(first) + "-" + std::string(second) +
                       "': the smallest is above the largest");
  }
  return Latency{Latency::Shape::uniform, *low, *high};
}

}  // namespace

Duration Latency::sample(double first, double second) const {
  switch (shape) {
    case Shape::fixed:
      return low;
    case Shape::uniform:
      return low + Duration(std::llround(first * static_cast<double>((high - low).count())));
    case Shape::lognormal:
      break;
  }
  constexpr double kNormal95 = 1.6448536269514722;  // the 95th percentile of a standard normal
  const double sigma =
      std::log(static_cast<double>(high.count()) / static_cast<double>(low.count())) / kNormal95;
  const double normal =
      std::sqrt(-2.0 * std::log(1.0 - first)) * std::cos(2.0 * std::numbers::pi * second);
  const double value = static_cast<double>(low.count()) * std::exp(sigma * normal);
  return Duration(std::llround(std::min(value, 10.0 * static_cast<double>(high.count()))));
}

Result<Duration> parse_delay(std::string_view text) {
  text = trim(text);
  const auto quantity = split_quantity(text);
  if (!quantity) return bad_delay(text);
  for (const auto& [unit, seconds] : kUnits) {
    if (quantity->unit != unit) continue;
    if (unit.empty() && quantity->value > 0) return bad_delay(text);
    const double total = quantity->value * seconds;
    if (total > 7 * 86400.0) {
      return usage_error("'" + std::string(text) + "': longer than a week");
    }
    return Duration(std::llround(total * 1e9));
  }
  return bad_delay(text);
}

Result<Latency> parse_latency(std::string_view text) {
  text = trim(text);
  constexpr std::string_view kLognormal = "lognormal:";
  if (text.substr(0, kLognormal.size()) == kLognormal) {
    return parse_lognormal(text.substr(kLognormal.size()));
  }
  const std::size_t dash = text.find('-');
  if (dash != std::string_view::npos && dash > 0) {
    return parse_uniform(trim(text.substr(0, dash)), trim(text.substr(dash + 1)));
  }
  const Result<Duration> fixed = parse_delay(text);
  if (!fixed) return forward_error(fixed);
  return Latency{Latency::Shape::fixed, *fixed, *fixed};
}

}  // namespace llmbatch::sim
