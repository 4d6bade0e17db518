// TemplateParser: Mustache text to the nodes of a PromptTemplate. Thread rule: one thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/input/prompt_template.h"

namespace llmbatch {

class TemplateParser {
 public:
  TemplateParser(std::string_view text, std::string name) : text_(text), name_(std::move(name)) {}

  Result<PromptTemplate> parse();

 private:
  using Kind = PromptTemplate::Kind;
  struct OpenSection {
    std::size_t node;
    std::size_t position;
  };

  Status take_tag(std::size_t start);
  Status add_tag(char sigil, std::string_view content, std::size_t start);
  Status close_section(std::string_view section, std::size_t start);
  Status change_delimiters(std::string_view content, std::size_t start);
  Status add_named(Kind kind, std::string_view content, std::size_t start);
  void add_text(std::string_view text);
  void drop_own_line(std::size_t start);
  tl::unexpected<Error> fail(const std::string& what, std::size_t position) const;

  std::string_view text_;
  std::string name_;
  std::string open_ = "{{";
  std::string close_ = "}}";
  std::size_t position_ = 0;
  std::size_t text_start_ = 0;
  std::vector<OpenSection> sections_;
  PromptTemplate result_;
};

}  // namespace llmbatch
