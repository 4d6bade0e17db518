#include "llmbatch/sim/settings.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

template <typename Value, std::size_t count>
Result<Value> parse_word(std::string_view text,
                         const std::array<std::pair<std::string_view, Value>, count>& words,
                         std::string_view what) {
  std::string known;
  for (const auto& [word, value] : words) {
    if (word == text) return value;
    known += known.empty() ? "" : ", ";
    known += word;
  }
  return usage_error("'" + std::string(text) + "': not a " + std::string(what) + " (expected " +
                     known + ")");
}

constexpr std::array<std::string_view, 15> kBatchFaults{
    "lost-upload", "lost-create", "refuse-create", "reject-create", "fail-validation",
    "queue-full",  "no-output",   "all-expired",   "cut-download",  "reset-download",
    "redirect",    "gone",        "unknown-batch", "poll-500",      "poll-429"};

}  // namespace

Result<std::vector<std::string>> parse_batch_faults(std::string_view text) {
  std::vector<std::string> faults;
  while (!trim(text).empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t star = std::min(part.find('*'), part.size());
    const std::string_view name = part.substr(0, star);
    int times = 1;
    if (star < part.size()) {
      const auto [end, code] =
          std::from_chars(part.data() + star + 1, part.data() + part.size(), times);
      if (code != std::errc() || end != part.data() + part.size() || times < 1 || times > 10'000) {
        return usage_error("'" + std::string(part) + "': not a count from 1 to 10000 behind the *");
      }
    }
    if (std::find(kBatchFaults.begin(), kBatchFaults.end(), name) == kBatchFaults.end()) {
      std::string known;
      for (const std::string_view fault : kBatchFaults) {
        known.append(known.empty() ? "" : ", ").append(fault);
      }
      return usage_error("'" + std::string(name) + "': not a fault of batches (" + known + ")");
    }
    faults.insert(faults.end(), static_cast<std::size_t>(times), std::string(name));
  }
  return faults;
}

Result<HeaderStyle> parse_header_style(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, HeaderStyle>, 7> kWords{{
      {"by-path", HeaderStyle::by_path},
      {"openai", HeaderStyle::openai},
      {"azure", HeaderStyle::azure},
      {"groq", HeaderStyle::groq},
      {"mistral", HeaderStyle::mistral},
      {"anthropic", HeaderStyle::anthropic},
      {"none", HeaderStyle::none},
  }};
  return parse_word(text, kWords, "header style");
}

Result<RetryHint> parse_retry_hint(std::string_view text) {
  constexpr std::array<std::pair<std::string_view, RetryHint>, 5> kWords{{
      {"auto", RetryHint::automatic},
      {"seconds", RetryHint::seconds},
      {"milliseconds", RetryHint::milliseconds},
      {"http-date", RetryHint::http_date},
      {"none", RetryHint::none},
  }};
  return parse_word(text, kWords, "retry hint");
}

}  // namespace llmbatch::sim
