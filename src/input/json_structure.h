// JsonStructure: checks that a line is one valid JSON object and finds its top-level members.
//
// simdjson's first stage finds every token with vector instructions and checks UTF-8, control
// characters and string ends on the way; the grammar over these tokens is checked here. This costs
// less than half of a DOM parse, and unlike simdjson's lazy front end it leaves no value unchecked:
// slices of the line can be spliced into a request as they are.
// Thread rule: one thread; buffers are reused from line to line.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace simdjson::internal {
class dom_parser_implementation;
}

namespace llmbatch {

/// Slices of the line: `name` and a string `value` include their quotes.
struct JsonMember {
  std::string_view name;
  std::string_view value;
};

class JsonStructure {
 public:
  JsonStructure();
  ~JsonStructure();
  JsonStructure(const JsonStructure&) = delete;
  JsonStructure& operator=(const JsonStructure&) = delete;

  /// `text` is a line of a LineReader (padding behind it). False: error() says why and where.
  bool parse(std::string_view text);

  const std::vector<JsonMember>& members() const { return members_; }
  const std::string& error() const { return error_; }

 private:
  enum class Expect : std::uint8_t { value, value_or_end, name, name_or_end, colon, comma_or_end };

  bool find_tokens();
  bool walk();
  bool open(std::size_t position, bool object);
  bool close(std::size_t position, bool object);
  bool take_colon(std::size_t position);
  bool take_comma(std::size_t position);
  bool take_string(std::size_t position, std::size_t end);
  bool take_scalar(std::size_t position, std::size_t end);
  void value_ended(std::size_t end);
  bool fail_expected(std::size_t position);
  bool fail_tokens(bool utf8_is_bad);
  bool fail(std::string_view what, std::size_t position);

  std::unique_ptr<simdjson::internal::dom_parser_implementation> tokens_;
  std::string_view text_;
  std::vector<JsonMember> members_;
  std::vector<bool> containers_;  ///< true: object
  Expect expect_ = Expect::value;
  std::size_t value_start_ = 0;
  std::string error_;
};

}  // namespace llmbatch
