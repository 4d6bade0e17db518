// PromptTemplate: Mustache (mustache.github.io/mustache.5.html) over the fields of a line, written
// straight as a JSON string. Variables, dotted names, sections, inverted sections, comments and
// changed delimiters; no HTML escaping, no partials, no lambdas.
//
// Own code, because a variable without a value has to be an error that names it while a section
// without one is an ordinary question, which the library's context cannot tell apart; because
// numbers keep the text they were written with; and because it needs no tree per line.
// Thread rule: const and safe from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"

namespace llmbatch {

class PromptTemplate {
 public:
  /// Fails with ErrorKind::usage; the message names `name`, line and column.
  static Result<PromptTemplate> parse(std::string_view text, const std::string& name);

  /// Overwrites `out` with the JSON string for one record, a valid raw JSON object. A variable
  /// whose field is missing or null is an error that names it. Sections: missing, null, false, ""
  /// and [] are false; arrays repeat; objects open their fields; `{{.}}` is the current element.
  Status render(std::string_view record, std::string& out) const;

  /// What every prompt begins with, escaped for JSON; may be empty.
  std::string_view leading_text() const {
    const bool text = !nodes_.empty() && nodes_.front().kind == Kind::text;
    return text ? std::string_view(nodes_.front().text) : std::string_view();
  }
  /// True when nothing depends on the record.
  bool is_constant() const {
    return nodes_.empty() || (nodes_.size() == 1 && nodes_.front().kind == Kind::text);
  }

 private:
  friend class TemplateParser;

  enum class Kind : std::uint8_t { text, variable, section, inverted };
  struct Node {
    Kind kind = Kind::text;
    std::string text;               ///< text: escaped for JSON; else the name as written
    std::vector<std::string> path;  ///< parts of a dotted name; empty for `.`
    std::size_t end = 0;            ///< sections: first node behind them
  };
  using Context = std::vector<std::string_view>;

  PromptTemplate() = default;
  Status render_nodes(std::size_t from, std::size_t to, Context& context, std::string& out) const;
  Status render_variable(const Node& node, const Context& context, std::string& out) const;
  Status render_section(std::size_t index, Context& context, std::string& out) const;

  std::vector<Node> nodes_;
};

}  // namespace llmbatch
