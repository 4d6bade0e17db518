#include "decimal_json.h"

#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;
using Kind = DecimalJson::Kind;

constexpr std::size_t kDeepest = 32;
constexpr std::size_t kShownChars = 40;

/// Builds the document from the events of the parser. The value that is being filled last is on
/// top; a parent's elements may move, so that the stack owns the values until they are complete.
class Builder {
 public:
  bool null() { return add(Kind::null, "null"); }
  bool boolean(bool value) { return add(Kind::boolean, value ? "true" : "false"); }
  bool number_integer(Json::number_integer_t value) {
    return add(Kind::number, std::to_string(value));
  }
  bool number_unsigned(Json::number_unsigned_t value) {
    return add(Kind::number, std::to_string(value));
  }
  bool number_float(Json::number_float_t /*value*/, const std::string& digits) {
    return add(Kind::number, digits);
  }
  bool string(std::string& value) { return add(Kind::string, value); }
  bool binary(Json::binary_t& /*value*/) { return false; }
  bool start_object(std::size_t /*count*/) { return open(Kind::object); }
  bool start_array(std::size_t /*count*/) { return open(Kind::array); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }
  bool key(std::string& name) {
    names_.back() = name;
    return true;
  }
  bool parse_error(std::size_t /*place*/, const std::string& /*token*/,
                   const Json::exception& error) {
    std::string_view what = error.what();
    if (const auto end = what.find("] "); end != std::string_view::npos)
      what.remove_prefix(end + 2);
    error_ = what;
    return false;
  }

  DecimalJson take() { return std::move(root_); }
  const std::string& error() const { return error_; }

 private:
  bool add(Kind kind, std::string text) {
    DecimalJson value;
    value.kind = kind;
    value.text = std::move(text);
    put(std::move(value));
    return true;
  }
  bool open(Kind kind) {
    if (open_.size() == kDeepest) {
      error_ = "nested too deeply";
      return false;
    }
    open_.emplace_back();
    open_.back().kind = kind;
    names_.emplace_back();
    return true;
  }
  bool close() {
    DecimalJson value = std::move(open_.back());
    open_.pop_back();
    names_.pop_back();
    put(std::move(value));
    return true;
  }
  void put(DecimalJson value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (open_.back().is(Kind::object)) {
      open_.back().members.push_back({names_.back(), std::move(value)});
    } else {
      open_.back().elements.push_back(std::move(value));
    }
  }

  DecimalJson root_;
  std::vector<DecimalJson> open_;
  std::vector<std::string> names_;  ///< of the member that comes next, one per open value
  std::string error_;
};

}  // namespace

const DecimalJson* DecimalJson::find(std::string_view name) const {
  const DecimalJson* found = nullptr;
  for (const auto& [member, value] : members) {
    if (member == name) found = &value;
  }
  return found;
}

std::string DecimalJson::describe() const {
  switch (kind) {
    case Kind::null:
    case Kind::boolean:
    case Kind::number:
      return truncate_chars(text, kShownChars);
    case Kind::string:
      return '"' + truncate_chars(sanitize_for_terminal(text), kShownChars) + '"';
    case Kind::array:
      return "[...]";
    case Kind::object:
      return "{...}";
  }
  return {};
}

Result<DecimalJson> parse_decimal_json(std::string_view text) {
  Builder builder;
  if (!Json::sax_parse(text, &builder)) return usage_error("not JSON: " + builder.error());
  return builder.take();
}

}  // namespace llmbatch
