#include "llmbatch/app/config_file.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <exception>
#include <sstream>
#include <utility>

#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

class ConfigReader {
 public:
  ConfigReader(std::string shown_path, OriginKind kind, std::string directory, std::string home)
      : shown_path_(std::move(shown_path)),
        kind_(kind),
        directory_(std::move(directory)),
        home_(std::move(home)) {}

  Result<std::vector<GivenValue>> read(const toml::table& root) {
    // The top level comes first, so that [run] wins over it whatever the order in the file.
    for (const auto& [key, node] : root) {
      if (node.is_table() && find_file_key("", key.str()) == nullptr) continue;
      if (Status status = add("", key, node); !status) return forward_error(status);
    }
    for (const auto& [key, node] : root) {
      if (!node.is_table() || find_file_key("", key.str()) != nullptr) continue;
      if (Status status = add_section(key, *node.as_table()); !status) {
        return forward_error(status);
      }
    }
    return std::move(values_);
  }

 private:
  std::string place(const toml::source_region& source) const {
    return fmt::format("{}:{}", shown_path_, source.begin.line);
  }

  static std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
    const auto near = nearest_word(word, known);
    return near ? fmt::format("; did you mean '{}'?", *near) : std::string();
  }

  Status add_section(const toml::key& name, const toml::table& table) {
    const std::vector<std::string> sections = file_sections();
    if (std::find(sections.begin(), sections.end(), name.str()) == sections.end()) {
      return usage_error(fmt::format("{}: unknown section [{}]{}", place(name.source()),
                                     sanitize_for_terminal(name.str()),
                                     suggestion(name.str(), sections)));
    }
    for (const auto& [key, node] : table) {
      if (Status status = add(std::string(name.str()), key, node); !status) return status;
    }
    return {};
  }

  Status add(const std::string& section, const toml::key& key, const toml::node& node) {
    const std::string at = place(key.source());
    const SettingSpec* spec = find_file_key(section, key.str());
    if (spec == nullptr) return unknown_key(section, key, at);
    auto texts = to_texts(*spec, node);
    if (!texts) {
      return usage_error(fmt::format("{}: {}: {}", at, spec->file_key(), texts.error().message));
    }
    values_.push_back({spec, std::move(*texts), Origin{kind_, at}});
    return {};
  }

  static Status unknown_key(const std::string& section, const toml::key& key,
                            const std::string& at) {
    const std::string name = sanitize_for_terminal(key.str());
    for (const SettingSpec& spec : settings_table()) {
      if (spec.name != key.str()) continue;
      const bool in_section = spec.set_by == SetBy::anything;
      return usage_error(
          fmt::format("{}: {} {}", at, name,
                      in_section ? fmt::format("belongs in section [{}]", spec.section)
                                 : fmt::format("cannot be set in a file (use {})", spec.flag())));
    }
    const std::string full = section.empty() ? name : fmt::format("{}.{}", section, name);
    return usage_error(
        fmt::format("{}: unknown key '{}'{}", at, full, suggestion(key.str(), file_keys(section))));
  }

  Result<std::vector<std::string>> to_texts(const SettingSpec& spec, const toml::node& node) const {
    std::vector<std::string> texts;
    if (spec.type == ValueType::parameters && node.is_table()) {
      for (const auto& [key, value] : *node.as_table()) {
        texts.push_back(fmt::format("{}={}", key.str(), to_json_text(value)));
      }
      return texts;
    }
    if (spec.is_list() && node.is_array()) {
      for (const toml::node& element : *node.as_array()) {
        auto text = to_text(spec, element);
        if (!text) return forward_error(text);
        texts.push_back(std::move(*text));
      }
      return texts;
    }
    auto text = to_text(spec, node);
    if (!text) return forward_error(text);
    texts.push_back(std::move(*text));
    return texts;
  }

  static std::string to_json_text(const toml::node& node) {
    std::ostringstream out;
    node.visit([&](const auto& value) {
      if constexpr (toml::is_table<decltype(value)> || toml::is_array<decltype(value)>) {
        out << toml::json_formatter{value};
      }
    });
    if (out.tellp() > 0) return out.str();
    if (const auto* boolean = node.as_boolean()) return boolean->get() ? "true" : "false";
    if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
    if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
    std::string text;
    append_json_string(text, node.value_or(std::string_view()));
    return text;
  }

  /// The value as it would be typed. A number or boolean where a text is due is a mistake.
  Result<std::string> to_text(const SettingSpec& spec, const toml::node& node) const {
    const bool wants_boolean = spec.type == ValueType::boolean;
    if (const auto* boolean = node.as_boolean(); boolean != nullptr && wants_boolean) {
      return std::string(boolean->get() ? "true" : "false");
    }
    if (!wants_boolean && takes_number(spec.type)) {
      if (const auto* integer = node.as_integer()) return fmt::format("{}", integer->get());
      if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
    }
    if (const auto* text = node.as_string(); text != nullptr && !wants_boolean) {
      return spec.type == ValueType::path ? full_path(text->get()) : text->get();
    }
    std::ostringstream shown;
    shown << node.type();
    const std::string_view wanted =
        wants_boolean ? "true or false" : (takes_number(spec.type) ? "a number" : "a string");
    return usage_error(
        fmt::format("{} is not {}{}", shown_value(node), wanted,
                    wants_boolean || takes_number(spec.type) ? "" : " (put it in quotes)"));
  }

  static std::string shown_value(const toml::node& node) {
    if (node.is_table()) return "a table";
    if (node.is_array()) return "an array";
    std::ostringstream out;
    node.visit([&](const auto& value) { out << value; });
    return sanitize_for_terminal(out.str());
  }

  static bool takes_number(ValueType type) {
    switch (type) {
      case ValueType::integer:
      case ValueType::auto_or_integer:
      case ValueType::number:
      case ValueType::count:
      case ValueType::size:
      case ValueType::duration:
      case ValueType::money:
      case ValueType::percent:
        return true;
      case ValueType::boolean:
      case ValueType::text:
      case ValueType::path:
      case ValueType::url:
      case ValueType::choice:
      case ValueType::words:
      case ValueType::texts:
      case ValueType::parameters:
        return false;
    }
    return false;
  }

  /// Paths in a file are meant from where the file is, not from where the program was started.
  std::string full_path(const std::string& path) const {
    if (path.starts_with("~/") && !home_.empty()) return home_ + path.substr(1);
    if (path.empty() || path == "-" || path.front() == '/' || directory_.empty()) return path;
    return directory_ + "/" + path;
  }

  std::string shown_path_;
  OriginKind kind_;
  std::string directory_;
  std::string home_;
  std::vector<GivenValue> values_;
};

}  // namespace

Result<std::vector<GivenValue>> parse_config_file(std::string_view text,
                                                  const std::string& shown_path, OriginKind kind,
                                                  const std::string& directory,
                                                  const std::string& home) {
  try {
    const toml::table root = toml::parse(text, shown_path);
    return ConfigReader(shown_path, kind, directory, home).read(root);
  } catch (const toml::parse_error& error) {
    return usage_error(fmt::format("{}:{}: {}", shown_path, error.source().begin.line,
                                   sanitize_for_terminal(error.description())));
  } catch (const std::exception& error) {
    return usage_error(fmt::format("{}: {}", shown_path, error.what()));
  }
}

}  // namespace llmbatch
