#include "llmbatch/app/setting.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"
#include "llmbatch/model/money.h"

namespace llmbatch {
namespace {

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<bool> parse_boolean(std::string_view text) {
  for (const std::string_view word : {"true", "yes", "on", "1"}) {
    if (equals_ignore_case(text, word)) return true;
  }
  for (const std::string_view word : {"false", "no", "off", "0"}) {
    if (equals_ignore_case(text, word)) return false;
  }
  return std::nullopt;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    const std::string_view part = trim(text.substr(0, end));
    if (!part.empty()) parts.emplace_back(part);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::string join_choices(const std::vector<std::string>& choices) {
  std::string joined;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) joined += i + 1 == choices.size() ? " or " : ", ";
    joined += choices[i];
  }
  return joined;
}

tl::unexpected<Error> wrong(std::string_view value, std::string_view expected) {
  return usage_error(fmt::format("'{}' is not {}", sanitize_for_terminal(value), expected));
}

Status check_choice(const SettingSpec& spec, const std::string& word) {
  const std::vector<std::string> choices = spec.choice_list();
  if (choices.empty() || std::find(choices.begin(), choices.end(), word) != choices.end())
    return {};
  std::string message =
      fmt::format("'{}' is not one of {}", sanitize_for_terminal(word), join_choices(choices));
  if (const auto near = nearest_word(word, choices)) {
    message += fmt::format("; did you mean '{}'?", *near);
  }
  return usage_error(std::move(message));
}

Status check_parameter(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    return wrong(text, "NAME=JSON (expected for example top_k=40)");
  }
  const std::string value = text.substr(equals + 1);
  if (nlohmann::json::accept(value)) return {};
  return usage_error(
      fmt::format("'{}': the value is not JSON (a text needs its quotes: {}='\"{}\"')",
                  sanitize_for_terminal(text), sanitize_for_terminal(text.substr(0, equals)),
                  sanitize_for_terminal(value)));
}

Status check_url(const std::string& text) {
  // The text may hold a password, so it is not repeated in the messages.
  const bool http = text.starts_with("http://") || text.starts_with("https://");
  if (!http) return usage_error("not a URL (expected http:// or https://, a host and a path)");
  const std::string_view rest = std::string_view(text).substr(text.find("://") + 3);
  const std::string_view host = rest.substr(0, rest.find_first_of("/?#"));
  if (host.empty()) return usage_error("the URL has no host");
  if (host.find('@') != std::string_view::npos) {
    return usage_error("the URL contains a user name or password (use --api-key-file)");
  }
  const auto forbidden = [](unsigned char c) { return c <= ' ' || c == 0x7f || c == '\\'; };
  if (std::any_of(text.begin(), text.end(), forbidden)) {
    return usage_error("the URL contains a space, control character or backslash");
  }
  if (rest.find('#') != std::string_view::npos) return usage_error("the URL has a fragment (#)");
  return {};
}

std::string_view expected_words(ValueType type) {
  switch (type) {
    case ValueType::boolean:
      return "true or false";
    case ValueType::integer:
      return "a whole number";
    case ValueType::auto_or_integer:
      return "'auto' or a whole number";
    case ValueType::number:
      return "a number";
    case ValueType::count:
      return "a whole number (500, 1.5k, 2M)";
    case ValueType::size:
      return "a size (64MiB, 512K, 1048576)";
    case ValueType::duration:
      return "a duration (60, 500ms, 1m30s)";
    case ValueType::money:
      return "an amount in dollars (5, 0.15)";
    case ValueType::percent:
      return "a percentage (5 or 5%)";
    case ValueType::text:
    case ValueType::path:
    case ValueType::url:
    case ValueType::choice:
    case ValueType::words:
    case ValueType::texts:
    case ValueType::parameters:
      return "a text";
  }
  return "";
}

/// Fills the numeric member for the type; false when the text is not of it.
bool parse_numeric(const SettingSpec& spec, const std::string& text, SettingValue& value) {
  std::optional<std::int64_t> integer;
  if (spec.type == ValueType::number || spec.type == ValueType::percent) {
    const auto number = spec.type == ValueType::number ? parse_number(text) : parse_percent(text);
    if (number) value.number = *number;
    return number.has_value();
  }
  if (spec.type == ValueType::count) integer = parse_count(text);
  if (spec.type == ValueType::money) {
    std::string_view decimal = text;
    if (decimal.starts_with('$')) decimal.remove_prefix(1);
    if (const auto money = Money::parse_dollars(decimal)) integer = money->pico();
  }
  if (spec.type == ValueType::duration) integer = parse_duration_nanos(text);
  if (spec.type == ValueType::integer || spec.type == ValueType::auto_or_integer) {
    integer = parse_integer(text);
  }
  if (spec.type == ValueType::size) {
    const auto bytes = parse_size_bytes(text);
    if (bytes && *bytes <= std::uint64_t{std::numeric_limits<std::int64_t>::max()}) {
      integer = static_cast<std::int64_t>(*bytes);
    }
  }
  if (integer) value.integer = *integer;
  return integer.has_value();
}

/// Limits are in the unit that is typed: seconds for durations, percent for percentages.
Status check_range(const SettingSpec& spec, const SettingValue& value) {
  auto typed = static_cast<double>(value.integer);
  if (spec.type == ValueType::duration) typed /= 1e9;
  if (spec.type == ValueType::money) typed /= static_cast<double>(Money::kPicoPerDollar);
  if (spec.type == ValueType::number) typed = value.number;
  if (spec.type == ValueType::percent) typed = value.number * 100;
  if (typed < spec.min) {
    return usage_error(fmt::format("{} is too small (at least {})", value.texts[0], spec.min));
  }
  if (typed > spec.max) {
    return usage_error(fmt::format("{} is too large (at most {})", value.texts[0], spec.max));
  }
  return {};
}

Status parse_scalar(const SettingSpec& spec, SettingValue& value) {
  const std::string& text = value.texts[0];
  switch (spec.type) {
    case ValueType::boolean: {
      const auto boolean = parse_boolean(text);
      if (!boolean) return wrong(text, expected_words(spec.type));
      value.boolean = *boolean;
      return {};
    }
    case ValueType::path:
      if (text.empty()) return usage_error("the path is empty");
      return {};
    case ValueType::url:
      return check_url(text);
    case ValueType::choice:
      return check_choice(spec, text);
    case ValueType::auto_or_integer:
      if (text == "auto") return {};
      [[fallthrough]];
    case ValueType::integer:
    case ValueType::number:
    case ValueType::count:
    case ValueType::size:
    case ValueType::duration:
    case ValueType::money:
    case ValueType::percent:
      if (!parse_numeric(spec, text, value)) return wrong(text, expected_words(spec.type));
      return check_range(spec, value);
    case ValueType::text:
    case ValueType::words:
    case ValueType::texts:
    case ValueType::parameters:
      return {};
  }
  return {};
}

}  // namespace

std::string SettingSpec::flag() const { return fmt::format("--{}", name); }

std::string SettingSpec::environment() const {
  std::string variable = "LLMBATCH_";
  if (!section.empty() && section != "run") variable += fmt::format("{}_", section);
  variable += name;
  for (char& c : variable) {
    if (c == '-') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return variable;
}

std::string SettingSpec::file_key() const {
  if (section.empty() || section == "run") return std::string(name);
  return fmt::format("{}.{}", section, name);
}

std::string SettingSpec::placeholder() const {
  if (type == ValueType::boolean) return "";
  return std::string(value_name.empty() ? choices : value_name);
}

std::string SettingSpec::value_help() const {
  const std::string value = placeholder();
  if (value.empty()) return "";
  return bare.empty() ? " " + value : fmt::format("[={}]", value);
}

bool SettingSpec::is_list() const {
  return type == ValueType::words || type == ValueType::texts || type == ValueType::parameters;
}

std::vector<std::string> SettingSpec::choice_list() const { return split(choices, '|'); }

Result<SettingValue> parse_setting_value(const SettingSpec& spec, std::vector<std::string> texts) {
  SettingValue value;
  if (!spec.is_list()) {
    // A flag given twice: the last one counts, as everywhere.
    if (texts.size() > 1) texts.erase(texts.begin(), texts.end() - 1);
    value.texts = std::move(texts);
    if (const Status status = parse_scalar(spec, value); !status) return forward_error(status);
    return value;
  }
  for (std::string& text : texts) {
    if (spec.type == ValueType::words) {
      for (std::string& word : split(text, ',')) {
        if (const Status status = check_choice(spec, word); !status) return forward_error(status);
        value.texts.push_back(std::move(word));
      }
      continue;
    }
    if (spec.type == ValueType::parameters) {
      if (const Status status = check_parameter(text); !status) return forward_error(status);
    }
    value.texts.push_back(std::move(text));
  }
  if (spec.type == ValueType::words && value.texts.empty()) return usage_error("the list is empty");
  return value;
}

std::optional<std::int64_t> parse_duration_nanos(std::string_view text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"ms", 1e6}, {"us", 1e3}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}};
  if (text.empty()) return std::nullopt;
  double nanos = 0;
  bool only_part = true;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = parse_number(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    if (text.empty() && only_part) {
      nanos = *number * 1e9;
      break;
    }
    const auto unit =
        std::find_if(std::begin(kUnits), std::end(kUnits),
                     [&](const auto& candidate) { return text.starts_with(candidate.first); });
    if (unit == std::end(kUnits)) return std::nullopt;
    nanos += *number * unit->second;
    text.remove_prefix(unit->first.size());
    only_part = false;
  }
  // About 292 years fit into 64 bits of nanoseconds.
  if (nanos > 9.2e18) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(nanos));
}

std::optional<std::int64_t> parse_count(std::string_view text) {
  double factor = 1;
  if (!text.empty() && (text.back() == 'k' || text.back() == 'K')) factor = 1e3;
  if (!text.empty() && (text.back() == 'm' || text.back() == 'M')) factor = 1e6;
  if (factor == 1) return parse_integer(text);
  const auto number = parse_number(text.substr(0, text.size() - 1));
  if (!number) return std::nullopt;
  const double scaled = *number * factor;
  const double rounded = std::round(scaled);
  if (std::abs(rounded) > 9e18 || std::abs(scaled - rounded) > 1e-6) return std::nullopt;
  return static_cast<std::int64_t>(rounded);
}

std::optional<double> parse_percent(std::string_view text) {
  if (!text.empty() && text.back() == '%') text = trim(text.substr(0, text.size() - 1));
  const auto number = parse_number(text);
  if (!number) return std::nullopt;
  return *number / 100;
}

}  // namespace llmbatch
