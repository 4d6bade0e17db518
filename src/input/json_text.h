// Pieces of JSON text that is known to be valid: reading strings, stepping through members.
// Pure functions; views point into their arguments.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace llmbatch {

inline bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// RFC 8259 section 6.
bool is_json_number(std::string_view text);

/// Position of the first escape that RFC 8259 section 7 does not know, or that stands for half a
/// surrogate pair (no text at all); `inner.size()` when all are good.
std::size_t first_bad_escape(std::string_view inner);

/// The text of a JSON string without its quotes. Points into `inner` when nothing is escaped, else
/// into `buffer`, which is overwritten.
std::string_view decode_json_string(std::string_view inner, std::string& buffer);

/// Steps through the members of a valid raw object, or the elements of a valid raw array.
class JsonCursor {
 public:
  explicit JsonCursor(std::string_view container) : text_(container) {}

  /// `name` includes its quotes and is empty in arrays.
  bool next(std::string_view& name, std::string_view& value);

 private:
  void skip_spaces();
  std::string_view take_value();

  std::string_view text_;
  std::size_t position_ = 1;
};

/// The value of a member of a valid raw object; of several of one name the last.
std::optional<std::string_view> find_member(std::string_view object, std::string_view name);

/// True when the quoted raw `name` of a member reads `wanted`.
bool name_equals(std::string_view name, std::string_view wanted, std::string& buffer);

/// A value without white space between its tokens.
void append_compact(std::string& out, std::string_view value);

}  // namespace llmbatch
