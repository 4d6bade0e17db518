#include "llmbatch/model/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

// From this rate on people think in requests per second.
constexpr double kFastRequestsPerMinute = 600;
// A forecast beyond this says no more than "not soon".
constexpr double kLongestSpanSeconds = 999.0 * 86400;

std::string format_number(double number) {
  if (number < 10 && number != std::floor(number)) return fmt::format("{:.1f}", number);
  if (number < 10'000) return group_digits(std::llround(number));
  return format_compact(number);
}

}  // namespace

std::string format_percent(std::int64_t part, std::int64_t whole) {
  if (whole <= 0) return "0.0 %";
  const double share = static_cast<double>(part) / static_cast<double>(whole);
  const auto tenths = part >= whole ? 1000 : std::min(999L, std::lround(share * 1000));
  return fmt::format("{}.{} %", tenths / 10, tenths % 10);
}

std::string format_share(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string format_compact(double number) {
  struct Unit {
    double size;
    const char* suffix;
  };
  for (const Unit unit : {Unit{1e9, "G"}, Unit{1e6, "M"}, Unit{1e3, "k"}}) {
    // 999,950 would be written as 1000k.
    if (number < unit.size * 0.9995) continue;
    const double scaled = number / unit.size;
    const int digits = scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f}{}", scaled, digits, unit.suffix);
  }
  return fmt::format("{:.0f}", number);
}

std::vector<std::string> format_rates(const RunStatus& status) {
  const bool fast = status.requests_per_minute.value_or(0) >= kFastRequestsPerMinute;
  const double divisor = fast ? 60 : 1;
  const char* unit = fast ? "s" : "min";
  std::vector<std::string> rates;
  if (status.requests_per_minute) {
    rates.push_back(
        fmt::format("{} req/{}", format_number(*status.requests_per_minute / divisor), unit));
  }
  if (status.tokens_per_minute) {
    rates.push_back(
        fmt::format("{} tokens/{}", format_number(*status.tokens_per_minute / divisor), unit));
  }
  return rates;
}

std::string format_span(double seconds) {
  if (!(seconds > 0)) return "0s";
  const auto total = std::llround(std::ceil(std::min(seconds, kLongestSpanSeconds)));
  const auto minutes = total / 60;
  const auto hours = total / 3600;
  if (total < 60) return fmt::format("{}s", total);
  if (minutes < 10) return fmt::format("{}m{:02}s", minutes, total % 60);
  if (hours < 1) return fmt::format("{}m", minutes);
  if (hours < 24) return fmt::format("{}h{:02}m", hours, minutes % 60);
  return fmt::format("{}d{:02}h", hours / 24, hours % 24);
}

const std::vector<ItemState>& problem_states() {
  static const std::vector<ItemState> kStates{ItemState::filtered, ItemState::flagged,
                                              ItemState::failed, ItemState::invalid};
  return kStates;
}

std::vector<std::string> format_costs(const RunStatus& status) {
  if (!status.spent) {
    if (status.attempts == 0) return {};
    if (status.known_cost == Money()) return {"unknown"};
    return {"unknown, at least " + status.known_cost.to_display()};
  }
  std::vector<std::string> parts{status.spent->to_display() + " so far"};
  if (status.usage.estimated) parts.back() += " (partly estimated)";
  if (status.projected && status.items.finished() < status.items.total()) {
    parts.push_back("about " + status.projected->to_display() + " in all");
  }
  if (status.per_item) parts.push_back(status.per_item->to_display() + " per item");
  if (status.saved && *status.saved > Money()) {
    parts.push_back(status.saved->to_display() + " saved");
  }
  return parts;
}

std::string format_status_line(const RunStatus& status) {
  const std::int64_t total = status.items.total();
  const std::int64_t finished = status.items.finished();
  std::string line = fmt::format("{}/{} done ({})", group_digits(finished), group_digits(total),
                                 format_percent(finished, total));
  for (const ItemState state : problem_states()) {
    const std::int64_t count = status.items[state];
    if (count > 0) line += fmt::format(", {} {}", group_digits(count), to_string(state));
  }
  const auto rates = format_rates(status);
  if (status.requests_per_minute && !rates.empty()) line += ", " + rates.front();
  const auto costs = format_costs(status);
  if (!costs.empty()) {
    line += fmt::format(", {}{}", status.spent ? "" : "cost ", fmt::join(costs, ", "));
  }
  if (status.eta_seconds && finished < total) {
    line += ", ETA " + format_span(*status.eta_seconds);
  }
  if (!status.waiting_for.empty()) {
    line += ", waiting for: " + sanitize_for_terminal(status.waiting_for);
  }
  return line;
}

}  // namespace llmbatch
