#include "llmbatch/input/prompt_template.h"

#include <optional>

#include "json_text.h"
#include "llmbatch/base/text.h"
#include "template_parser.h"

namespace llmbatch {
namespace {

std::optional<std::string_view> look_up(const std::vector<std::string>& path,
                                        const std::vector<std::string_view>& context) {
  if (path.empty()) return context.back();
  std::optional<std::string_view> value;
  for (std::size_t level = context.size(); level-- > 0 && !value;) {
    if (context[level].starts_with('{')) value = find_member(context[level], path.front());
  }
  for (std::size_t part = 1; value && part < path.size(); ++part) {
    if (!value->starts_with('{')) return std::nullopt;
    value = find_member(*value, path[part]);
  }
  return value;
}

bool is_empty_array(std::string_view value) {
  std::string_view name;
  std::string_view element;
  return value.starts_with('[') && !JsonCursor(value).next(name, element);
}

bool is_true(const std::optional<std::string_view>& value) {
  return value && *value != "null" && *value != "false" && *value != "\"\"" &&
         !is_empty_array(*value);
}

}  // namespace

Result<PromptTemplate> PromptTemplate::parse(std::string_view text, const std::string& name) {
  return TemplateParser(text, name).parse();
}

Status PromptTemplate::render(std::string_view record, std::string& out) const {
  out.assign(1, '"');
  Context context{record};
  if (auto rendered = render_nodes(0, nodes_.size(), context, out); !rendered) return rendered;
  out.push_back('"');
  return {};
}

Status PromptTemplate::render_nodes(std::size_t from, std::size_t to, Context& context,
                                    std::string& out) const {
  for (std::size_t i = from; i < to;) {
    const Node& node = nodes_[i];
    switch (node.kind) {
      case Kind::text:
        out.append(node.text);
        ++i;
        break;
      case Kind::variable:
        if (auto rendered = render_variable(node, context, out); !rendered) return rendered;
        ++i;
        break;
      case Kind::section:
      case Kind::inverted:
        if (auto rendered = render_section(i, context, out); !rendered) return rendered;
        i = node.end;
        break;
    }
  }
  return {};
}

Status PromptTemplate::render_variable(const Node& node, const Context& context,
                                       std::string& out) const {
  const auto value = look_up(node.path, context);
  if (!value || *value == "null") {
    return usage_error("template field '" + node.text + "' is missing");
  }
  if (value->starts_with('"')) {
    // What is escaped in the line is escaped as it has to be in the prompt.
    out.append(value->substr(1, value->size() - 2));
  } else if (value->starts_with('{') || value->starts_with('[')) {
    std::string compact;
    append_compact(compact, *value);
    std::string quoted;
    append_json_string(quoted, compact);
    out.append(quoted, 1, quoted.size() - 2);
  } else {
    out.append(*value);
  }
  return {};
}

Status PromptTemplate::render_section(std::size_t index, Context& context, std::string& out) const {
  const Node& node = nodes_[index];
  const auto value = look_up(node.path, context);
  if (node.kind == Kind::inverted) {
    return is_true(value) ? Status() : render_nodes(index + 1, node.end, context, out);
  }
  if (!is_true(value)) return {};
  if (!value->starts_with('[')) {
    context.push_back(*value);
    auto rendered = render_nodes(index + 1, node.end, context, out);
    context.pop_back();
    return rendered;
  }
  std::string_view name;
  std::string_view element;
  for (JsonCursor cursor(*value); cursor.next(name, element);) {
    context.push_back(element);
    auto rendered = render_nodes(index + 1, node.end, context, out);
    context.pop_back();
    if (!rendered) return rendered;
  }
  return {};
}

}  // namespace llmbatch
