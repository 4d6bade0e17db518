// Raw JSON: walks members and elements of JSON text without building anything, so that values are
// spliced as they were written. Input is expected to be valid; anything else ends the walk with
// ok() == false and never reads out of bounds. Thread rule: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace llmbatch {

/// Advances `at` past the JSON value that starts there; false when the text ends before.
bool skip_json_value(std::string_view text, std::size_t& at);

class RawObject {
 public:
  explicit RawObject(std::string_view text);
  /// The next member; false at the end. `key()` is decoded, `value()` raw.
  bool next();
  std::string_view key() const { return key_; }
  std::string_view value() const { return value_; }
  bool ok() const { return ok_; }
  /// After the last member: nothing but white space stands behind the object.
  bool is_alone() const;

 private:
  bool fail();
  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view key_;
  std::string_view value_;
  std::string decoded_;
  bool first_ = true;
  bool ok_ = true;
};

class RawArray {
 public:
  explicit RawArray(std::string_view text);
  bool next();
  std::string_view value() const { return value_; }
  bool ok() const { return ok_; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  std::string_view value_;
  bool first_ = true;
  bool ok_ = true;
};

/// The raw value of a member; empty when there is none. Of equal names the last one counts.
std::string_view raw_member(std::string_view object, std::string_view name);

inline bool is_json_string(std::string_view raw) { return raw.size() >= 2 && raw.front() == '"'; }
inline bool is_json_object(std::string_view raw) { return raw.size() >= 2 && raw.front() == '{'; }
inline bool is_json_array(std::string_view raw) { return raw.size() >= 2 && raw.front() == '['; }

/// What stands between the outer quotes, braces or brackets, trimmed of white space for the latter.
std::string_view inner_json(std::string_view raw);

/// The text of a raw JSON string.
std::optional<std::string> decode_json_string(std::string_view raw);

/// JSON text in which every `\u` escape that is half of a surrogate pair has become `\ufffd`; such
/// halves come from models that were cut off inside a character, and parsers refuse them.
std::string mend_surrogates(std::string_view json);

/// A raw integer; absent for everything else.
std::optional<std::int64_t> raw_integer(std::string_view raw);

}  // namespace llmbatch
