// LineParser: one line of the input to its fields (the four forms of a line, the id rules).
// Every line it accepts is valid UTF-8 and valid JSON from end to end, so that its raw slices can
// be spliced into a request. Thread rule: one thread each; templates are shared.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/input/line_reader.h"
#include "llmbatch/input/prompt_template.h"
#include "llmbatch/model/item.h"

namespace llmbatch {

class JsonStructure;
struct JsonMember;

enum class IdRule : std::uint8_t {
  field,  ///< `id`, else `custom_id`, else LineParserOptions::id_field
  line,   ///< the line number
  hash,   ///< the hexadecimal request hash, which the caller of parse() fills in
};

struct LineParserOptions {
  IdRule id_rule = IdRule::field;
  std::string id_field;  ///< of --id-field; empty: none
  /// With one of these every line is a record for the template.
  std::shared_ptr<const PromptTemplate> prompt;
  std::shared_ptr<const PromptTemplate> system;
};

class LineParser {
 public:
  explicit LineParser(LineParserOptions options);
  ~LineParser();
  LineParser(const LineParser&) = delete;
  LineParser& operator=(const LineParser&) = delete;

  /// Fills `fields`; its views are valid until the next call and as long as the line's text. With
  /// IdRule::hash `fields.id` is empty. A line that cannot be used fails with the reason, without
  /// file and line; `fields.id` is then set if at least the id is usable.
  Status parse(const Line& line, LineFields& fields);

 private:
  struct Known;

  Status read_members(Known& known);
  std::string_view decode(std::string_view inner);
  Status read_id(const Known& known, LineFields& fields);
  Status id_from(std::string_view name, std::string_view value, LineFields& fields);
  Status read_form(const Line& line, const Known& known, LineFields& fields);
  Status read_record(const Line& line, LineFields& fields);
  Status read_batch_line(const Known& known, LineFields& fields);
  void read_other_fields(const Known& known, LineFields& fields);

  LineParserOptions options_;
  std::unique_ptr<JsonStructure> structure_;
  std::vector<RawField> members_;
  std::vector<RawField> fields_;
  std::deque<std::string> decoded_;  ///< names and strings with escapes, of this line
  std::string prompt_;
  std::string system_;
  std::string number_;
};

}  // namespace llmbatch
