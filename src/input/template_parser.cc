#include "template_parser.h"

#include <algorithm>
#include <utility>

#include "llmbatch/base/text.h"

namespace llmbatch {

Result<PromptTemplate> TemplateParser::parse() {
  for (;;) {
    const std::size_t start = text_.find(open_, position_);
    if (start == std::string_view::npos) break;
    if (auto taken = take_tag(start); !taken) return forward_error(taken);
  }
  add_text(text_.substr(text_start_));
  if (!sections_.empty()) {
    const auto& open = sections_.back();
    return fail("section '" + result_.nodes_[open.node].text + "' has no end", open.position);
  }
  return std::move(result_);
}

Status TemplateParser::take_tag(std::size_t start) {
  std::size_t content_start = start + open_.size();
  char sigil = content_start < text_.size() ? text_[content_start] : '\0';
  if (std::string_view("#^/!>&={").find(sigil) == std::string_view::npos || sigil == '\0') {
    sigil = ' ';
  } else {
    ++content_start;
  }
  std::string close = close_;
  if (sigil == '{') close.insert(0, "}");
  if (sigil == '=') close.insert(0, "=");
  const std::size_t end = text_.find(close, content_start);
  if (end == std::string_view::npos) return fail("tag has no '" + close + "'", start);
  add_text(text_.substr(text_start_, start - text_start_));
  position_ = end + close.size();
  text_start_ = position_;
  return add_tag(sigil, trim(text_.substr(content_start, end - content_start)), start);
}

Status TemplateParser::add_tag(char sigil, std::string_view content, std::size_t start) {
  switch (sigil) {
    case '!':
      drop_own_line(start);
      return {};
    case '>':
      return fail("partials are not supported", start);
    case '=':
      drop_own_line(start);
      return change_delimiters(content, start);
    case '/':
      drop_own_line(start);
      return close_section(content, start);
    case '#':
      drop_own_line(start);
      return add_named(Kind::section, content, start);
    case '^':
      drop_own_line(start);
      return add_named(Kind::inverted, content, start);
    default:
      return add_named(Kind::variable, content, start);
  }
}

Status TemplateParser::add_named(Kind kind, std::string_view content, std::size_t start) {
  if (content.empty()) return fail("tag without a name", start);
  PromptTemplate::Node node;
  node.kind = kind;
  node.text = std::string(content);
  for (std::size_t from = 0; content != "." && from <= content.size();) {
    const std::size_t dot = std::min(content.find('.', from), content.size());
    if (dot == from) return fail("bad name '" + node.text + "'", start);
    node.path.emplace_back(content.substr(from, dot - from));
    from = dot + 1;
  }
  if (kind != Kind::variable) sections_.push_back({result_.nodes_.size(), start});
  result_.nodes_.push_back(std::move(node));
  return {};
}

Status TemplateParser::close_section(std::string_view section, std::size_t start) {
  const std::string name(section);
  if (sections_.empty()) return fail("'" + name + "' ends here, but was never opened", start);
  const std::size_t node = sections_.back().node;
  if (result_.nodes_[node].text != name) {
    return fail("'" + name + "' ends here, but '" + result_.nodes_[node].text + "' is open", start);
  }
  result_.nodes_[node].end = result_.nodes_.size();
  sections_.pop_back();
  return {};
}

Status TemplateParser::change_delimiters(std::string_view content, std::size_t start) {
  const std::size_t gap = content.find_first_of(" \t\r\n");
  const std::string_view open = trim(content.substr(0, gap));
  const std::string_view close =
      gap == std::string_view::npos ? std::string_view() : trim(content.substr(gap));
  if (open.empty() || close.empty() || close.find_first_of(" \t\r\n=") != std::string_view::npos ||
      open.find('=') != std::string_view::npos) {
    return fail("bad delimiters '" + std::string(content) + "'", start);
  }
  open_ = std::string(open);
  close_ = std::string(close);
  return {};
}

void TemplateParser::add_text(std::string_view text) {
  if (text.empty()) return;
  std::string quoted;
  append_json_string(quoted, text);
  const std::string_view escaped = std::string_view(quoted).substr(1, quoted.size() - 2);
  auto& nodes = result_.nodes_;
  // Text on both sides of a comment stays two nodes: a section between them may end here.
  PromptTemplate::Node node;
  node.text = std::string(escaped);
  nodes.push_back(std::move(node));
}

/// A tag that outputs nothing and stands alone on its line takes the whole line with it.
void TemplateParser::drop_own_line(std::size_t start) {
  const std::size_t before = start == 0 ? std::string_view::npos : text_.rfind('\n', start - 1);
  const std::size_t line = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view left = text_.substr(line, start - line);
  const std::size_t next = std::min(text_.find('\n', position_), text_.size());
  const std::string_view right = text_.substr(position_, next - position_);
  if (!trim(left).empty() || !trim(right).empty()) return;
  position_ = std::min(next + 1, text_.size());
  text_start_ = position_;
  auto& nodes = result_.nodes_;
  // The indentation before the tag is already there as (part of) the last text.
  if (left.empty() || nodes.empty() || nodes.back().kind != Kind::text) return;
  std::string escaped;
  append_json_string(escaped, left);
  auto& text = nodes.back().text;
  text.resize(text.size() - std::min(text.size(), escaped.size() - 2));
}

tl::unexpected<Error> TemplateParser::fail(const std::string& what, std::size_t position) const {
  const std::string_view before = text_.substr(0, position);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return usage_error(name_ + ": " + what + " (line " + std::to_string(line) + ", column " +
                     std::to_string(position - start + 1) + ")");
}

}  // namespace llmbatch
