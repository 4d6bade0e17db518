#include "llmbatch/app/config_show.h"

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

#include "llmbatch/app/api_key.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// Where the comments begin, as long as the value is shorter.
constexpr std::size_t kCommentColumn = 40;

/// Some servers take a key in the query of their URL.
std::string masked(const SettingSpec& spec, const std::string& text) {
  if (spec.secret) return "***";
  const std::size_t query = text.find('?');
  if (spec.type != ValueType::url || query == std::string::npos) return text;
  return text.substr(0, query) + "?***";
}

std::string quoted_text(std::string_view text) {
  // The escapes of JSON strings are those of TOML basic strings.
  std::string out;
  append_json_string(out, text);
  return out;
}

bool is_bare(const SettingSpec& spec, const std::string& text) {
  const bool numeric = spec.type == ValueType::integer || spec.type == ValueType::count ||
                       spec.type == ValueType::auto_or_integer || spec.type == ValueType::duration;
  return spec.type == ValueType::boolean ||
         (numeric && !text.empty() && text.find_first_not_of("0123456789") == std::string::npos);
}

/// The value as TOML and JSON write it; both forms agree for what settings hold.
std::string value_text(const Settings::Entry& entry) {
  const SettingSpec& spec = *entry.spec;
  if (spec.type == ValueType::boolean) return entry.value.boolean ? "true" : "false";
  if (spec.type == ValueType::number) return fmt::format("{}", entry.value.number);
  if (!spec.is_list()) {
    const std::string text = entry.value.texts.empty() ? "" : entry.value.texts.front();
    return is_bare(spec, text) ? text : quoted_text(masked(spec, text));
  }
  std::string list = "[";
  for (const std::string& text : entry.value.texts) {
    list += (list.size() > 1 ? ", " : "") + quoted_text(text);
  }
  return list + "]";
}

std::string with_comment(std::string line, std::string_view comment) {
  if (line.size() < kCommentColumn) line.resize(kCommentColumn, ' ');
  return fmt::format("{}  # {}\n", line, sanitize_for_terminal(comment));
}

std::string table_line(const Settings::Entry& entry) {
  const SettingSpec& spec = *entry.spec;
  const bool in_file = spec.set_by == SetBy::anything;
  const bool boolean = spec.type == ValueType::boolean;
  if (!entry.is_set && !boolean) {
    return with_comment(fmt::format("# {} =", spec.name), "not set");
  }
  const std::string prefix = in_file ? "" : "# ";
  return with_comment(fmt::format("{}{} = {}", prefix, spec.name, value_text(entry)),
                      entry.origin.label());
}

bool shown(const Settings::Entry& entry) { return entry.spec->set_by != SetBy::flag; }

/// Settings of the top level are in the section "".
std::string_view shown_section(const SettingSpec& spec) {
  return spec.section == "run" ? std::string_view() : spec.section;
}

}  // namespace

std::string config_table(const Settings& settings, const std::vector<std::string>& key_variables,
                         const Environment& environment) {
  std::vector<std::string_view> sections{""};
  for (const Settings::Entry& entry : settings.entries()) {
    const std::string_view section = shown_section(*entry.spec);
    if (std::find(sections.begin(), sections.end(), section) == sections.end()) {
      sections.push_back(section);
    }
  }
  std::string out;
  for (const std::string_view section : sections) {
    if (!section.empty()) out += fmt::format("\n[{}]\n", section);
    std::string_view group;
    for (const Settings::Entry& entry : settings.entries()) {
      if (!shown(entry) || shown_section(*entry.spec) != section) continue;
      if (section.empty() && entry.spec->group != group) {
        group = entry.spec->group;
        out += fmt::format("{}# {}\n", out.empty() ? "" : "\n", group);
      }
      out += table_line(entry);
    }
  }
  if (!key_variables.empty()) out += "\n# API keys\n";
  for (const std::string& variable : key_variables) {
    out += fmt::format("# {}: {}\n", variable, describe_key_variable(variable, environment));
  }
  return out;
}

std::string config_json(const Settings& settings, const std::vector<std::string>& key_variables,
                        const Environment& environment) {
  std::string out = R"({"settings":[)";
  bool first = true;
  for (const Settings::Entry& entry : settings.entries()) {
    if (!shown(entry)) continue;
    const bool has_value = entry.is_set || entry.spec->type == ValueType::boolean;
    out += first ? "{" : ",{";
    first = false;
    out += fmt::format(R"("key":{},"value":{},"origin":{},"environment":{},"flag":{}}})",
                       quoted_text(entry.spec->file_key()), has_value ? value_text(entry) : "null",
                       quoted_text(entry.origin.label()), quoted_text(entry.spec->environment()),
                       quoted_text(entry.spec->flag()));
  }
  out += R"(],"keys":[)";
  for (std::size_t i = 0; i < key_variables.size(); ++i) {
    const bool is_set = environment.non_empty(key_variables[i]).has_value();
    out += fmt::format(R"({}{{"variable":{},"set":{}}})", i == 0 ? "" : ",",
                       quoted_text(key_variables[i]), is_set);
  }
  return out + "]}\n";
}

}  // namespace llmbatch
