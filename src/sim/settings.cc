#include "llmbatch/sim/settings.h"

#include <array>
#include <utility>

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

}  // namespace

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
