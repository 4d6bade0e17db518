#include "json_structure.h"

#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "json_text.h"
#include "llmbatch/input/line_reader.h"

namespace llmbatch {
namespace {

static_assert(kLinePaddingBytes >= simdjson::SIMDJSON_PADDING);

constexpr std::size_t kMaxDepth = 1024;
constexpr std::size_t kUsualLineBytes = 64 * 1024;

/// The columns a text editor shows: characters, not bytes.
std::size_t column_of(std::string_view text, std::size_t position) {
  const auto before = text.substr(0, position);
  return 1 + static_cast<std::size_t>(std::count_if(before.begin(), before.end(), [](char c) {
           return (static_cast<unsigned char>(c) & 0xc0U) != 0x80U;
         }));
}

/// Where the first character that is not UTF-8 stands.
std::size_t first_bad_utf8(std::string_view text) {
  std::size_t good = 0;
  while (good < text.size()) {
    const auto byte = static_cast<unsigned char>(text[good]);
    const std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    if (good + length > text.size() || !simdjson::validate_utf8(text.data() + good, length)) break;
    good += length;
  }
  return good;
}

}  // namespace

JsonStructure::JsonStructure() {
  // Out of memory while the program sets up its parsers leaves tokens_ empty: every line fails.
  static_cast<void>(simdjson::get_active_implementation()->create_dom_parser_implementation(
      kUsualLineBytes, 1, tokens_));
}

JsonStructure::~JsonStructure() = default;

bool JsonStructure::parse(std::string_view text) {
  text_ = text;
  members_.clear();
  containers_.clear();
  const std::size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos || text[first] != '{') {
    const std::size_t position = first == std::string_view::npos ? text.size() : first;
    error_ = "not a JSON object (expected '{' at column " +
             std::to_string(column_of(text, position)) + ")";
    return false;
  }
  return find_tokens() && walk();
}

bool JsonStructure::find_tokens() {
  if (tokens_ == nullptr) return fail("out of memory", 0);
  // Room for long lines is given back as soon as the usual ones come again.
  const std::size_t needed = std::max(text_.size(), kUsualLineBytes);
  if (tokens_->capacity() < needed ||
      (tokens_->capacity() > kUsualLineBytes && needed == kUsualLineBytes)) {
    if (tokens_->allocate(needed, 1) != simdjson::SUCCESS) return fail("out of memory", 0);
  }
  const auto code = tokens_->stage1(reinterpret_cast<const std::uint8_t*>(text_.data()),
                                    text_.size(), simdjson::stage1_mode::regular);
  if (code == simdjson::SUCCESS) return true;
  return fail_tokens(code == simdjson::UTF8_ERROR);
}

bool JsonStructure::walk() {
  const std::size_t count = tokens_->n_structural_indexes;
  const std::uint32_t* indexes = tokens_->structural_indexes.get();
  expect_ = Expect::value;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t position = indexes[i];
    if (i > 0 && containers_.empty()) return fail("something follows the object", position);
    const std::size_t end = i + 1 < count ? indexes[i + 1] : text_.size();
    bool good = false;
    switch (text_[position]) {
      case '{':
        good = open(position, true);
        break;
      case '[':
        good = open(position, false);
        break;
      case '}':
        good = close(position, true);
        break;
      case ']':
        good = close(position, false);
        break;
      case ':':
        good = take_colon(position);
        break;
      case ',':
        good = take_comma(position);
        break;
      case '"':
        good = take_string(position, end);
        break;
      default:
        good = take_scalar(position, end);
        break;
    }
    if (!good) return false;
  }
  if (!containers_.empty()) return fail("ends too early", text_.size());
  return true;
}

bool JsonStructure::open(std::size_t position, bool object) {
  if (expect_ != Expect::value && expect_ != Expect::value_or_end) return fail_expected(position);
  if (containers_.size() >= kMaxDepth) return fail("nested too deep", position);
  if (containers_.size() == 1) value_start_ = position;
  containers_.push_back(object);
  expect_ = object ? Expect::name_or_end : Expect::value_or_end;
  return true;
}

bool JsonStructure::close(std::size_t position, bool object) {
  const Expect empty = object ? Expect::name_or_end : Expect::value_or_end;
  if (expect_ != Expect::comma_or_end && expect_ != empty) return fail_expected(position);
  if (containers_.empty() || containers_.back() != object) return fail_expected(position);
  containers_.pop_back();
  value_ended(position + 1);
  return true;
}

bool JsonStructure::take_colon(std::size_t position) {
  if (expect_ != Expect::colon) return fail_expected(position);
  expect_ = Expect::value;
  return true;
}

bool JsonStructure::take_comma(std::size_t position) {
  if (expect_ != Expect::comma_or_end) return fail_expected(position);
  expect_ = containers_.back() ? Expect::name : Expect::value;
  return true;
}

bool JsonStructure::take_string(std::size_t position, std::size_t end) {
  // Between a string's first quote and the next token there is its last quote and white space only.
  while (end > position + 1 && is_json_space(text_[end - 1])) --end;
  if (end < position + 2 || text_[end - 1] != '"') return fail("expected ','", end);
  const std::string_view inner = text_.substr(position + 1, end - position - 2);
  if (const std::size_t bad = first_bad_escape(inner); bad != inner.size()) {
    return fail("bad escape in a string", position + 1 + bad);
  }
  if (expect_ == Expect::name || expect_ == Expect::name_or_end) {
    if (containers_.size() == 1) members_.push_back({text_.substr(position, end - position), {}});
    expect_ = Expect::colon;
    return true;
  }
  if (expect_ != Expect::value && expect_ != Expect::value_or_end) return fail_expected(position);
  if (containers_.size() == 1) value_start_ = position;
  value_ended(end);
  return true;
}

bool JsonStructure::take_scalar(std::size_t position, std::size_t end) {
  if (expect_ != Expect::value && expect_ != Expect::value_or_end) return fail_expected(position);
  while (end > position && is_json_space(text_[end - 1])) --end;
  const std::string_view scalar = text_.substr(position, end - position);
  if (scalar != "true" && scalar != "false" && scalar != "null" && !is_json_number(scalar)) {
    return fail("expected a value", position);
  }
  if (containers_.size() == 1) value_start_ = position;
  value_ended(end);
  return true;
}

void JsonStructure::value_ended(std::size_t end) {
  expect_ = Expect::comma_or_end;
  if (containers_.size() == 1) {
    members_.back().value = text_.substr(value_start_, end - value_start_);
  }
}

bool JsonStructure::fail_expected(std::size_t position) {
  switch (expect_) {
    case Expect::value:
      return fail("expected a value", position);
    case Expect::value_or_end:
      return fail("expected a value or ']'", position);
    case Expect::name:
      return fail("expected a name in quotes", position);
    case Expect::name_or_end:
      return fail("expected a name in quotes or '}'", position);
    case Expect::colon:
      return fail("expected ':'", position);
    case Expect::comma_or_end:
      return fail(!containers_.empty() && containers_.back() ? "expected ',' or '}'"
                                                             : "expected ',' or ']'",
                  position);
  }
  return fail("unexpected", position);
}

/// The first stage says what is wrong, but not where.
bool JsonStructure::fail_tokens(bool utf8_is_bad) {
  if (utf8_is_bad || !simdjson::validate_utf8(text_.data(), text_.size())) {
    const std::size_t position = first_bad_utf8(text_);
    error_ = "not UTF-8 (at column " + std::to_string(column_of(text_, position)) + ")";
    return false;
  }
  std::size_t quote = std::string_view::npos;
  for (std::size_t i = 0; i < text_.size(); ++i) {
    const char c = text_[i];
    if (c == '"') {
      quote = quote == std::string_view::npos ? i : std::string_view::npos;
    } else if (quote != std::string_view::npos && c == '\\') {
      ++i;
    } else if (quote != std::string_view::npos && static_cast<unsigned char>(c) < 0x20) {
      return fail("control character in a string", i);
    }
  }
  if (quote != std::string_view::npos) return fail("string without an end", quote);
  return fail("unreadable", 0);
}

bool JsonStructure::fail(std::string_view what, std::size_t position) {
  error_ = "not valid JSON (" + std::string(what) + " at column " +
           std::to_string(column_of(text_, position)) + ")";
  return false;
}

}  // namespace llmbatch
