#include "json_members.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>

#include "llmbatch/base/text.h"

namespace llmbatch {

void append_json_integer(std::string& out, std::int64_t value) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_json_integer(std::string& out, std::optional<std::int64_t> value) {
  if (value) {
    append_json_integer(out, *value);
  } else {
    out += "null";
  }
}

void append_json_number(std::string& out, std::optional<double> value) {
  if (!value || !std::isfinite(*value)) {
    out += "null";
  } else {
    fmt::format_to(std::back_inserter(out), "{}", *value);
  }
}

void append_json_text(std::string& out, std::string_view text) {
  if (text.empty()) {
    out += "null";
  } else {
    append_json_string(out, text);
  }
}

void append_json_money(std::string& out, const std::optional<Money>& money) {
  out += money ? money->to_decimal() : "null";
}

void append_json_time(std::string& out, const std::optional<WallTime>& time) {
  if (!time) {
    out += "null";
    return;
  }
  out += '"';
  out += format_rfc3339(*time);
  out += '"';
}

void append_json_usage(std::string& out, const Usage& usage) {
  out += R"({"input_tokens":)";
  append_json_integer(out, usage.input);
  out += R"(,"cached_input_tokens":)";
  append_json_integer(out, usage.cached_input);
  out += R"(,"cache_write_tokens":)";
  append_json_integer(out, usage.cache_write);
  out += R"(,"output_tokens":)";
  append_json_integer(out, usage.output);
  out += R"(,"reasoning_tokens":)";
  append_json_integer(out, usage.reasoning);
  out += usage.estimated ? R"(,"estimated":true})" : R"(,"estimated":false})";
}

}  // namespace llmbatch
