#include "answer_text.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"
#include "llmbatch/check/answer_rules.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;

struct TooDeep {};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '+';
}

/// Beyond this a double does not hold every whole number.
constexpr double kMaxExact = 9007199254740992.0;

bool on_event(int depth, Json::parse_event_t event, Json& value) {
  if (depth > kMaxDepth) throw TooDeep{};
  if (event != Json::parse_event_t::value || !value.is_number_float()) return true;
  const double number = value.get<double>();
  if (std::trunc(number) == number && std::abs(number) < kMaxExact) {
    value = static_cast<std::int64_t>(number);
  }
  return true;
}

}  // namespace

std::string_view without_fence(std::string_view text) {
  constexpr std::string_view kFence = "```";
  text = trim(text);
  if (!text.starts_with(kFence) || !text.ends_with(kFence) || text.size() < 2 * kFence.size()) {
    return text;
  }
  std::string_view inner = text.substr(kFence.size(), text.size() - 2 * kFence.size());
  while (!inner.empty() && is_word(inner.front())) inner.remove_prefix(1);
  return trim(inner);
}

std::optional<Json> parse_answer(std::string_view text, std::string& error) {
  try {
    Json value = Json::parse(text.begin(), text.end(), on_event);
    return value;
  } catch (const TooDeep&) {
    error = "nested deeper than " + std::to_string(kMaxDepth) + " levels";
  } catch (const Json::exception&) {
    error = describe_json_error(text);
    if (error.empty()) error = "not JSON";
  }
  return std::nullopt;
}

std::string describe_json_error(std::string_view text) {
  try {
    // Only walks: the tree of an arbitrarily deep text is never built.
    struct Walker : nlohmann::json_sax<Json> {
      bool null() override { return true; }
      bool boolean(bool) override { return true; }
      bool number_integer(number_integer_t) override { return true; }
      bool number_unsigned(number_unsigned_t) override { return true; }
      bool number_float(number_float_t, const string_t&) override { return true; }
      bool string(string_t&) override { return true; }
      bool binary(binary_t&) override { return true; }
      bool start_object(std::size_t) override { return true; }
      bool key(string_t&) override { return true; }
      bool end_object() override { return true; }
      bool start_array(std::size_t) override { return true; }
      bool end_array() override { return true; }
      bool parse_error(std::size_t position, const std::string&,
                       const nlohmann::detail::exception& exception) override {
        at = position;
        reason = exception.what();
        return false;
      }
      std::size_t at = 0;
      std::string reason;
    } walker;
    if (Json::sax_parse(text.begin(), text.end(), &walker)) return {};
    const std::size_t end = std::min(walker.at == 0 ? 0 : walker.at - 1, text.size());
    std::size_t line = 1;
    std::size_t column = 1;
    for (std::size_t i = 0; i < end; ++i) {
      const auto byte = static_cast<unsigned char>(text[i]);
      if (byte == '\n') {
        ++line;
        column = 1;
      } else if ((byte & 0xC0U) != 0x80U) {
        ++column;
      }
    }
    if (end >= text.size()) return "not JSON (it ends too early)";
    return "not JSON (line " + std::to_string(line) + ", column " + std::to_string(column) + ")";
  } catch (const std::exception&) {
    return "not JSON";
  }
}

}  // namespace llmbatch
