// DecimalJson: a JSON document whose numbers keep the digits they were written with, so that a
// price never goes through a double. Thread rule: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"

namespace llmbatch {

struct DecimalJson {
  enum class Kind : std::uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  std::string text;  ///< number: its digits; string: decoded; boolean: true or false
  std::vector<DecimalJson> elements;
  struct Member;
  std::vector<Member> members;

  bool is(Kind wanted) const { return kind == wanted; }
  /// Null when there is none. Of equal names the last one counts.
  const DecimalJson* find(std::string_view name) const;
  /// For messages: the value as JSON, shortened.
  std::string describe() const;
};

struct DecimalJson::Member {
  std::string name;
  DecimalJson value;
};

/// The message of a failure names line and column.
Result<DecimalJson> parse_decimal_json(std::string_view text);

}  // namespace llmbatch
