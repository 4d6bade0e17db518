#include "llmbatch/model/status_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

// From this rate on people think in requests per second.
constexpr double kFastRequestsPerMinute = 600;
// A forecast beyond this says no more than "not soon".
constexpr double kLongestSpanSeconds = 999.0 * 86400;

constexpr double kWeekdayFromSeconds = 20 * 3600;
constexpr double kDateFromSeconds = 6 * 86400;

/// `4,210/10,000`; the whole alone where nothing is known of the part.
std::string format_part(const std::optional<std::int64_t>& part, std::int64_t whole) {
  return part ? group_digits(*part) + "/" + group_digits(whole) : group_digits(whole);
}

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

std::string format_clock_time(WallTime time, WallTime now) {
  const auto seconds = static_cast<std::time_t>(to_unix_nanos(time) / 1'000'000'000);
  std::tm parts{};
  if (localtime_r(&seconds, &parts) == nullptr) return {};
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const std::string clock = fmt::format("{:02}:{:02}", parts.tm_hour, parts.tm_min);
  const double away = std::abs(to_seconds(time - now));
  if (away < kWeekdayFromSeconds) return clock;
  if (away < kDateFromSeconds) {
    return fmt::format("{} {}", kDays.at(static_cast<std::size_t>(parts.tm_wday)), clock);
  }
  return fmt::format("{}-{:02}-{:02} {}", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     clock);
}

std::string format_batch_progress(const RunStatus& status) {
  if (status.batches.empty()) return {};
  std::int64_t requests = 0;
  std::optional<std::int64_t> done;
  for (const BatchProgress& batch : status.batches) {
    requests += batch.requests;
    if (batch.done) done = done.value_or(0) + *batch.done;
  }
  return "in batches " + format_part(done, requests);
}

std::vector<std::string> format_batches(const RunStatus& status, WallTime now) {
  constexpr std::size_t kColumns = 4;
  std::vector<std::array<std::string, kColumns>> rows;
  std::array<int, kColumns> widths{};
  for (const BatchProgress& batch : status.batches) {
    const std::string id = sanitize_for_terminal(batch.provider_id);
    rows.push_back({std::to_string(batch.number), id.empty() ? "-" : id,
                    sanitize_for_terminal(batch.state), format_part(batch.done, batch.requests)});
    for (std::size_t i = 0; i < kColumns; ++i) {
      widths.at(i) = std::max(widths.at(i), display_width(rows.back().at(i)));
    }
  }
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [number, id, state, requests] = rows[i];
    std::string line = fmt::format("{:>{}}  {:<{}}  {:<{}}  {:>{}}", number, widths[0], id,
                                   widths[1], state, widths[2], requests, widths[3]);
    const BatchProgress& batch = status.batches[i];
    if (batch.submitted_at) line += "  submitted " + format_clock_time(*batch.submitted_at, now);
    if (batch.expires_at) {
      line += *batch.expires_at > now ? "  expires " : "  expired ";
      line += format_clock_time(*batch.expires_at, now);
    }
    lines.push_back(std::move(line));
  }
  return lines;
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
  if (const std::string batches = format_batch_progress(status); !batches.empty()) {
    line += ", " + batches;
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
