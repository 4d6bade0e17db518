#include "llmbatch/report/answer_score.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using nlohmann::json;

constexpr double kRelativeTolerance = 1e-9;

json parse(std::string_view text) { return json::parse(text.begin(), text.end(), nullptr, false); }

std::string dump(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string plain_text(const json& value) {
  return value.is_string() ? value.get<std::string>() : dump(value);
}

std::string folded(std::string_view text) {
  // Quotes, emphasis and full stops that models put around a word.
  constexpr std::string_view kAround = " \t\r\n\"'`*.";
  const std::size_t first = text.find_first_not_of(kAround);
  if (first == std::string_view::npos) return fold_case(trim(text));
  text = text.substr(first, text.find_last_not_of(kAround) - first + 1);
  std::string out;
  for (const char c : fold_case(text)) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Commas that group thousands, and nothing else, are dropped.
std::optional<std::string> without_groups(std::string_view text) {
  std::string out;
  const std::size_t whole_end = std::min(text.find_first_not_of("0123456789,+-"), text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      out += text[i];
      continue;
    }
    const bool group = i < whole_end && i > 0 && is_digit(text[i - 1]) && i + 3 < text.size() &&
                       is_digit(text[i + 1]) && is_digit(text[i + 2]) && is_digit(text[i + 3]) &&
                       (i + 4 >= whole_end || text[i + 4] == ',');
    if (!group) return std::nullopt;
  }
  return out;
}

std::optional<double> number_of(const json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  const std::string whole = value.get<std::string>();
  std::string_view text = trim(whole);
  for (const std::string_view sign : {"$", "€", "£", "¥"}) {
    if (text.starts_with(sign)) text.remove_prefix(sign.size());
    if (text.ends_with(sign)) text.remove_suffix(sign.size());
  }
  if (text.ends_with('%')) text.remove_suffix(1);
  const auto digits = without_groups(trim(text));
  if (!digits) return std::nullopt;
  std::string_view rest = *digits;
  if (rest.starts_with('+')) rest.remove_prefix(1);
  double number = 0;
  const auto [end, code] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
  const bool whole_text = code == std::errc() && end == rest.data() + rest.size();
  return whole_text && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

bool equal_numbers(const json& a, const json& b) {
  const auto first = number_of(a);
  const auto second = number_of(b);
  if (!first || !second) return false;
  const double scale = std::max({1.0, std::abs(*first), std::abs(*second)});
  return std::abs(*first - *second) <= kRelativeTolerance * scale;
}

bool equal_exactly(const json& expected, const json& answer) {
  if (expected.is_string() && answer.is_string()) {
    return trim(expected.get_ref<const std::string&>()) ==
           trim(answer.get_ref<const std::string&>());
  }
  if (!expected.is_string() && answer.is_string()) {
    // A plain answer that spells the expected number, boolean, list or object.
    const json spelled = parse(answer.get_ref<const std::string&>());
    return !spelled.is_discarded() && spelled == expected;
  }
  if (expected.is_string()) return trim(plain_text(expected)) == plain_text(answer);
  return expected == answer;
}

const json* find_path(const json& line, std::string_view path) {
  if (!line.is_object()) return nullptr;
  if (const auto whole = line.find(std::string(path)); whole != line.end()) return &*whole;
  for (std::size_t dot = path.find('.'); dot != std::string_view::npos;
       dot = path.find('.', dot + 1)) {
    const auto head = line.find(std::string(path.substr(0, dot)));
    if (head == line.end()) continue;
    if (const json* found = find_path(*head, path.substr(dot + 1))) return found;
  }
  return nullptr;
}

}  // namespace

std::string_view to_string(MatchMode mode) {
  switch (mode) {
    case MatchMode::exact:
      return "exact";
    case MatchMode::casefold:
      return "casefold";
    case MatchMode::numeric:
      return "numeric";
  }
  return "";
}

std::optional<MatchMode> parse_match_mode(std::string_view name) {
  for (const MatchMode mode : {MatchMode::exact, MatchMode::casefold, MatchMode::numeric}) {
    if (name == to_string(mode)) return mode;
  }
  return std::nullopt;
}

Result<AnswerScorer> AnswerScorer::create(ScoreRule rule) {
  try {
    static_cast<void>(json::json_pointer(rule.answer_pointer));
  } catch (const json::exception&) {
    return usage_error(fmt::format("'{}' is not a JSON pointer (expected /name or /list/0/name)",
                                   rule.answer_pointer));
  }
  return AnswerScorer(std::move(rule));
}

std::optional<std::string> AnswerScorer::expected(std::string_view line) const {
  const json object = parse(line);
  const json* value = find_path(object, rule_.expected_field);
  if (value == nullptr || value->is_null()) return std::nullopt;
  return dump(*value);
}

std::optional<std::string> AnswerScorer::answer(std::string_view output,
                                                bool output_is_json) const {
  if (rule_.answer_pointer.empty() && !output_is_json) return dump(json(to_valid_utf8(output)));
  const json whole = parse(output);
  if (whole.is_discarded()) return std::nullopt;
  if (rule_.answer_pointer.empty()) return dump(whole);
  try {
    const json::json_pointer pointer(rule_.answer_pointer);
    if (whole.contains(pointer)) return dump(whole.at(pointer));
  } catch (const json::exception&) {
    // `/list/first` on a list: nothing is there.
  }
  return std::nullopt;
}

bool AnswerScorer::matches(const std::string& expected, const std::string& answer) const {
  return matches(expected, answer, rule_.mode);
}

bool AnswerScorer::matches(const std::string& expected, const std::string& answer, MatchMode mode) {
  const json first = parse(expected);
  const json second = parse(answer);
  if (first.is_discarded() || second.is_discarded()) return false;
  switch (mode) {
    case MatchMode::exact:
      return equal_exactly(first, second);
    case MatchMode::casefold:
      return equal_exactly(first, second) ||
             folded(plain_text(first)) == folded(plain_text(second));
    case MatchMode::numeric:
      return equal_numbers(first, second);
  }
  return false;
}

std::string value_text(const std::string& text) {
  const json value = parse(text);
  return value.is_discarded() ? text : plain_text(value);
}

std::optional<std::string> without_own_model(std::string_view line) {
  auto object = nlohmann::ordered_json::parse(line.begin(), line.end(), nullptr, false);
  if (!object.is_object()) return std::nullopt;
  bool changed = object.erase("model") > 0;
  if (const auto body = object.find("body"); body != object.end() && body->is_object()) {
    changed = body->erase("model") > 0 || changed;
  }
  if (!changed) return std::nullopt;
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace llmbatch
