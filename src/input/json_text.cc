#include "json_text.h"

#include <cstdint>
#include <cstring>

namespace llmbatch {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t skip_digits(std::string_view text, std::size_t from) {
  while (from < text.size() && is_digit(text[from])) ++from;
  return from;
}

/// Four hexadecimal digits at `from`, -1 when there are none.
int read_hex4(std::string_view text, std::size_t from) {
  if (from + 4 > text.size()) return -1;
  int value = 0;
  for (std::size_t i = from; i < from + 4; ++i) {
    const char c = text[i];
    const char lower = static_cast<char>(c | 0x20);
    if (is_digit(c)) {
      value = value * 16 + (c - '0');
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + (lower - 'a' + 10);
    } else {
      return -1;
    }
  }
  return value;
}

bool is_high_surrogate(int unit) { return unit >= 0xd800 && unit < 0xdc00; }
bool is_low_surrogate(int unit) { return unit >= 0xdc00 && unit < 0xe000; }

/// Length of the good escape at `from`, 0 when it is bad.
std::size_t escape_length(std::string_view text, std::size_t from) {
  if (from + 1 >= text.size()) return 0;
  const char kind = text[from + 1];
  if (kind != 'u') return std::strchr("\"\\/bfnrt", kind) != nullptr && kind != '\0' ? 2 : 0;
  const int unit = read_hex4(text, from + 2);
  if (unit < 0 || is_low_surrogate(unit)) return 0;
  if (!is_high_surrogate(unit)) return 6;
  const bool pair = from + 12 <= text.size() && text[from + 6] == '\\' && text[from + 7] == 'u' &&
                    is_low_surrogate(read_hex4(text, from + 8));
  return pair ? 12 : 0;
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0U | (code >> 6U));
    put(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put(0xe0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  } else {
    put(0xf0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3fU));
    put(0x80U | ((code >> 6U) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  }
}

char simple_escape(char kind) {
  switch (kind) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return kind;
  }
}

/// Position behind the last quote of the string that starts at `from`.
std::size_t string_end(std::string_view text, std::size_t from) {
  for (std::size_t i = from + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return text.size();
}

}  // namespace

bool is_json_number(std::string_view text) {
  std::size_t i = !text.empty() && text[0] == '-' ? 1 : 0;
  if (i >= text.size()) return false;
  if (text[i] == '0') {
    ++i;
  } else {
    const std::size_t end = skip_digits(text, i);
    if (end == i) return false;
    i = end;
  }
  if (i < text.size() && text[i] == '.') {
    const std::size_t end = skip_digits(text, i + 1);
    if (end == i + 1) return false;
    i = end;
  }
  if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
    ++i;
    if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
    const std::size_t end = skip_digits(text, i);
    if (end == i) return false;
    i = end;
  }
  return i == text.size();
}

std::size_t first_bad_escape(std::string_view inner) {
  std::size_t position = 0;
  while (position < inner.size()) {
    const void* found = std::memchr(inner.data() + position, '\\', inner.size() - position);
    if (found == nullptr) return inner.size();
    position = static_cast<std::size_t>(static_cast<const char*>(found) - inner.data());
    const std::size_t length = escape_length(inner, position);
    if (length == 0) return position;
    position += length;
  }
  return inner.size();
}

std::string_view decode_json_string(std::string_view inner, std::string& buffer) {
  if (inner.find('\\') == std::string_view::npos) return inner;
  buffer.clear();
  for (std::size_t i = 0; i < inner.size();) {
    if (inner[i] != '\\') {
      buffer.push_back(inner[i++]);
      continue;
    }
    const std::size_t length = escape_length(inner, i);
    if (length <= 2) {
      buffer.push_back(simple_escape(inner[i + 1]));
      i += 2;
      continue;
    }
    auto code = static_cast<std::uint32_t>(read_hex4(inner, i + 2));
    if (length == 12) {
      const auto low = static_cast<std::uint32_t>(read_hex4(inner, i + 8));
      code = 0x10000U + ((code - 0xd800U) << 10U) + (low - 0xdc00U);
    }
    append_utf8(buffer, code);
    i += length;
  }
  return buffer;
}

void JsonCursor::skip_spaces() {
  while (position_ < text_.size() && is_json_space(text_[position_])) ++position_;
}

std::string_view JsonCursor::take_value() {
  const std::size_t start = position_;
  std::size_t depth = 0;
  while (position_ < text_.size()) {
    const char c = text_[position_];
    if (c == '"') {
      position_ = string_end(text_, position_);
      if (depth == 0) break;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']' || is_json_space(c))) break;
    ++position_;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return text_.substr(start, position_ - start);
}

bool JsonCursor::next(std::string_view& name, std::string_view& value) {
  skip_spaces();
  if (position_ < text_.size() && text_[position_] == ',') ++position_;
  skip_spaces();
  if (position_ >= text_.size() || text_[position_] == '}' || text_[position_] == ']') return false;
  name = {};
  if (text_[0] == '{') {
    const std::size_t end = string_end(text_, position_);
    name = text_.substr(position_, end - position_);
    position_ = end;
    skip_spaces();
    ++position_;  // the colon
    skip_spaces();
  }
  value = take_value();
  return true;
}

bool name_equals(std::string_view name, std::string_view wanted, std::string& buffer) {
  const std::string_view inner = name.substr(1, name.size() - 2);
  if (inner == wanted) return inner.find('\\') == std::string_view::npos;
  return inner.find('\\') != std::string_view::npos && decode_json_string(inner, buffer) == wanted;
}

std::optional<std::string_view> find_member(std::string_view object, std::string_view name) {
  std::optional<std::string_view> found;
  std::string buffer;
  std::string_view member_name;
  std::string_view value;
  for (JsonCursor cursor(object); cursor.next(member_name, value);) {
    if (name_equals(member_name, name, buffer)) found = value;
  }
  return found;
}

void append_compact(std::string& out, std::string_view value) {
  for (std::size_t i = 0; i < value.size();) {
    if (value[i] == '"') {
      const std::size_t end = string_end(value, i);
      out.append(value.substr(i, end - i));
      i = end;
    } else {
      if (!is_json_space(value[i])) out.push_back(value[i]);
      ++i;
    }
  }
}

}  // namespace llmbatch
