#include "raw_json.h"

#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

void skip_space(std::string_view text, std::size_t& at) {
  while (at < text.size() && is_space(text[at])) ++at;
}

/// `at` stands on the opening quote and ends after the closing one.
bool skip_string(std::string_view text, std::size_t& at) {
  std::size_t from = at + 1;
  while (from < text.size()) {
    const void* found = std::memchr(text.data() + from, '"', text.size() - from);
    if (found == nullptr) return false;
    const auto quote = static_cast<std::size_t>(static_cast<const char*>(found) - text.data());
    std::size_t slash = quote;
    while (slash > at + 1 && text[slash - 1] == '\\') --slash;
    from = quote + 1;
    if ((quote - slash) % 2 == 0) {
      at = from;
      return true;
    }
  }
  return false;
}

bool skip_container(std::string_view text, std::size_t& at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      if (!skip_string(text, at)) return false;
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') {
      if (--depth == 0) return true;
    }
  }
  return false;
}

/// The code unit of a `\uXXXX` escape at `at`; -1 when there is none.
int escaped_unit(std::string_view text, std::size_t at) {
  if (at + 6 > text.size() || text[at] != '\\' || text[at + 1] != 'u') return -1;
  int unit = 0;
  const char* start = text.data() + at + 2;
  const auto [end, error] = std::from_chars(start, start + 4, unit, 16);
  return error == std::errc{} && end == start + 4 ? unit : -1;
}

bool is_high_surrogate(int unit) { return unit >= 0xD800 && unit < 0xDC00; }
bool is_low_surrogate(int unit) { return unit >= 0xDC00 && unit < 0xE000; }

}  // namespace

std::string mend_surrogates(std::string_view json) {
  std::string mended;
  mended.reserve(json.size());
  std::size_t at = 0;
  while (at < json.size()) {
    const int unit = escaped_unit(json, at);
    std::size_t length = json[at] == '\\' ? 2 : 1;
    if (unit >= 0) length = 6;
    if (is_high_surrogate(unit) && is_low_surrogate(escaped_unit(json, at + 6))) {
      length = 12;
    } else if (is_high_surrogate(unit) || is_low_surrogate(unit)) {
      mended += "\\ufffd";
      at += length;
      continue;
    }
    mended += json.substr(at, length);
    at += length;
  }
  return mended;
}

bool skip_json_value(std::string_view text, std::size_t& at) {
  if (at >= text.size()) return false;
  const char first = text[at];
  if (first == '"') return skip_string(text, at);
  if (first == '{' || first == '[') return skip_container(text, at);
  const std::size_t start = at;
  while (at < text.size() && !is_space(text[at]) && text[at] != ',' && text[at] != '}' &&
         text[at] != ']') {
    ++at;
  }
  return at > start;
}

RawObject::RawObject(std::string_view text) : text_(text) {
  skip_space(text_, at_);
  ok_ = at_ < text_.size() && text_[at_] == '{';
  ++at_;
}

bool RawObject::fail() {
  ok_ = false;
  return false;
}

bool RawObject::next() {
  if (!ok_) return false;
  skip_space(text_, at_);
  if (at_ >= text_.size()) return fail();
  if (text_[at_] == '}') return false;
  if (!first_) {
    if (text_[at_] != ',') return fail();
    ++at_;
    skip_space(text_, at_);
  }
  first_ = false;
  const std::size_t key_start = at_;
  if (at_ >= text_.size() || text_[at_] != '"' || !skip_string(text_, at_)) return fail();
  key_ = text_.substr(key_start + 1, at_ - key_start - 2);
  if (key_.find('\\') != std::string_view::npos) {
    // An escaped key must not hide a field from us that the server would read.
    auto decoded = decode_json_string(text_.substr(key_start, at_ - key_start));
    if (!decoded) return fail();
    decoded_ = std::move(*decoded);
    key_ = decoded_;
  }
  skip_space(text_, at_);
  if (at_ >= text_.size() || text_[at_] != ':') return fail();
  ++at_;
  skip_space(text_, at_);
  const std::size_t value_start = at_;
  if (!skip_json_value(text_, at_)) return fail();
  value_ = text_.substr(value_start, at_ - value_start);
  return true;
}

bool RawObject::is_alone() const {
  if (!ok_ || at_ >= text_.size() || text_[at_] != '}') return false;
  std::size_t rest = at_ + 1;
  skip_space(text_, rest);
  return rest == text_.size();
}

RawArray::RawArray(std::string_view text) : text_(text) {
  skip_space(text_, at_);
  ok_ = at_ < text_.size() && text_[at_] == '[';
  ++at_;
}

bool RawArray::next() {
  if (!ok_) return false;
  skip_space(text_, at_);
  if (at_ < text_.size() && text_[at_] == ']') return false;
  if (!first_ && at_ < text_.size()) {
    if (text_[at_] != ',') {
      ok_ = false;
      return false;
    }
    ++at_;
    skip_space(text_, at_);
  }
  first_ = false;
  const std::size_t start = at_;
  if (!skip_json_value(text_, at_)) {
    ok_ = false;
    return false;
  }
  value_ = text_.substr(start, at_ - start);
  return true;
}

std::string_view raw_member(std::string_view object, std::string_view name) {
  std::string_view found;
  RawObject members(object);
  while (members.next()) {
    if (members.key() == name) found = members.value();
  }
  return found;
}

std::string_view inner_json(std::string_view raw) {
  if (raw.size() < 2) return {};
  const auto inner = raw.substr(1, raw.size() - 2);
  return raw.front() == '"' ? inner : trim(inner);
}

std::optional<std::string> decode_json_string(std::string_view raw) {
  if (!is_json_string(raw)) return std::nullopt;
  const auto inner = raw.substr(1, raw.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return std::string(inner);
  auto json = nlohmann::json::parse(raw, nullptr, false);
  if (!json.is_string()) return std::nullopt;
  return std::move(json.get_ref<std::string&>());
}

std::optional<std::int64_t> raw_integer(std::string_view raw) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (error != std::errc{} || end != raw.data() + raw.size()) return std::nullopt;
  return value;
}

}  // namespace llmbatch
