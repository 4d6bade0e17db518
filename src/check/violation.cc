#include "violation.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <valijson/validation_results.hpp>
#include <vector>

#include "llmbatch/base/text.h"
#include "pattern.h"
#include "schema_reader.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxShown = 60;
constexpr std::size_t kMaxLine = 400;
constexpr int kMaxSteps = 32;

std::string shown(const Json& value) {
  return truncate_chars(value.dump(-1, ' ', false, Json::error_handler_t::replace), kMaxShown);
}

std::string listed(const Json& values) {
  std::string text;
  for (const Json& one : values) {
    if (!text.empty()) text += ", ";
    text += shown(one);
    if (text.size() > 3 * kMaxShown) return text + ", ...";
  }
  return text;
}

std::string named_types(const Json& type) {
  if (type.is_string()) return type.get<std::string>();
  std::string text;
  for (const Json& one : type) {
    if (!text.empty()) text += " or ";
    text += one.get<std::string>();
  }
  return text;
}

bool is_type(const Json& value, const std::string& type) {
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_boolean();
  if (type == "null") return value.is_null();
  if (type == "array") return value.is_array();
  return value.is_object();
}

bool has_type(const Json& value, const Json& type) {
  if (type.is_string()) return is_type(value, type.get<std::string>());
  return std::any_of(type.begin(), type.end(),
                     [&](const Json& one) { return is_type(value, one.get<std::string>()); });
}

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// A keyword's number, if the schema has it.
std::optional<double> bound(const Json& schema, const char* name) {
  const auto it = schema.find(name);
  if (it == schema.end() || !it->is_number()) return std::nullopt;
  return it->get<double>();
}

/// Expected and came, for the keywords whose failure shows in the value itself.
class Explanation {
 public:
  Explanation(const Json& schema, const Json& value) : schema_(schema), value_(value) {}

  std::string find() const {
    if (!schema_.is_object()) return {};
    if (const auto it = schema_.find("type"); it != schema_.end() && !has_type(value_, *it)) {
      return expected(named_types(*it));
    }
    if (const auto it = schema_.find("enum"); it != schema_.end()) {
      if (std::find(it->begin(), it->end(), value_) == it->end()) {
        return expected("one of " + listed(*it));
      }
    }
    if (const auto it = schema_.find("const"); it != schema_.end() && *it != value_) {
      return expected(shown(*it));
    }
    if (value_.is_object()) return find_in_object();
    if (value_.is_number()) return find_in_number();
    if (value_.is_string()) return find_in_string();
    return value_.is_array() ? find_in_array() : std::string();
  }

 private:
  std::string expected(const std::string& what) const {
    return "expected " + what + ", got " + shown(value_);
  }

  std::string find_in_object() const {
    if (const auto it = schema_.find("required"); it != schema_.end()) {
      for (const Json& name : *it) {
        if (!value_.contains(name.get_ref<const std::string&>())) {
          return "the property " + shown(name) + " is missing";
        }
      }
    }
    const auto others = schema_.find("additionalProperties");
    if (others != schema_.end() && *others == false) {
      const auto properties = schema_.find("properties");
      for (const auto& [name, member] : value_.items()) {
        if (properties == schema_.end() || !properties->contains(name)) {
          return "the property " + shown(Json(name)) + " is not expected";
        }
      }
    }
    return find_size("Properties", value_.size(), "properties");
  }

  std::string find_in_number() const {
    const double number = value_.get<double>();
    if (const auto least = bound(schema_, "minimum"); least && number < *least) {
      return expected("at least " + shown(schema_["minimum"]));
    }
    if (const auto most = bound(schema_, "maximum"); most && number > *most) {
      return expected("at most " + shown(schema_["maximum"]));
    }
    if (const auto above = bound(schema_, "exclusiveMinimum"); above && number <= *above) {
      return expected("more than " + shown(schema_["exclusiveMinimum"]));
    }
    if (const auto below = bound(schema_, "exclusiveMaximum"); below && number >= *below) {
      return expected("less than " + shown(schema_["exclusiveMaximum"]));
    }
    if (schema_.contains("multipleOf")) {
      return expected("a multiple of " + shown(schema_["multipleOf"]));
    }
    return {};
  }

  std::string find_in_string() const {
    const auto& text = value_.get_ref<const std::string&>();
    if (auto size = find_size("Length", characters(text), "characters"); !size.empty()) return size;
    if (const auto it = schema_.find(kPatternKeyword); it != schema_.end()) {
      const auto pattern = Pattern::compile(it->get_ref<const std::string&>());
      if (!pattern || pattern->search(text) != Pattern::Answer::found) {
        return expected("a match of " + shown(*it));
      }
    }
    if (const auto it = schema_.find(kFormatKeyword); it != schema_.end()) {
      const auto pattern = Pattern::compile(format_pattern(it->get_ref<const std::string&>()));
      if (!pattern || pattern->search(text) != Pattern::Answer::found) {
        return expected("the format " + shown(*it));
      }
    }
    return {};
  }

  std::string find_in_array() const {
    auto size = find_size("Items", value_.size(), "elements");
    if (size.empty() && schema_.contains(kUniqueKeyword)) size = "expected no equal elements";
    return size;
  }

  /// minLength, maxItems and the like.
  std::string find_size(const std::string& what, std::size_t size, const std::string& unit) const {
    const auto number = static_cast<double>(size);
    const std::string least = "min" + what;
    const std::string most = "max" + what;
    const std::string came = " " + unit + ", got " + std::to_string(size);
    if (const auto limit = bound(schema_, least.c_str()); limit && number < *limit) {
      return "expected at least " + shown(schema_[least]) + came;
    }
    if (const auto limit = bound(schema_, most.c_str()); limit && number > *limit) {
      return "expected at most " + shown(schema_[most]) + came;
    }
    return {};
  }

  const Json& schema_;
  const Json& value_;
};

using Path = std::vector<std::string>;

/// valijson's context without `<root>`: member names and indexes, each in brackets.
Path path_of(const valijson::ValidationResults::Error& error) {
  Path path;
  for (std::size_t i = 1; i < error.context.size(); ++i) {
    const std::string& token = error.context[i];
    if (token.size() < 2) continue;
    path.push_back(token.substr(1, token.size() - 2));
  }
  return path;
}

const Json* step_into(const Json& value, const std::string& token) {
  if (value.is_object()) {
    const auto it = value.find(token);
    return it == value.end() ? nullptr : &*it;
  }
  if (!value.is_array() || token.empty() || token.size() > 9 ||
      token.find_first_not_of("0123456789") != std::string::npos) {
    return nullptr;
  }
  const auto index = static_cast<std::size_t>(std::stoul(token));
  return index < value.size() ? &value[index] : nullptr;
}

/// Looks for an explanation at `path`, through every schema that applies there.
class Search {
 public:
  Search(const Json& root, const Json& value) : root_(root), value_(value) {}

  std::string explain(const Json& schema, const Path& path, std::size_t depth, int steps) {
    if (!schema.is_object() || steps > kMaxSteps || --budget_ < 0) return {};
    if (const auto it = schema.find("$ref"); it != schema.end() && it->is_string()) {
      const Json* target = resolve_reference(root_, it->get_ref<const std::string&>());
      return target != nullptr ? explain(*target, path, depth, steps + 1) : std::string();
    }
    if (depth == path.size()) {
      if (const Json* at = locate(path)) {
        if (auto found = Explanation(schema, *at).find(); !found.empty()) return found;
      }
    } else if (auto found = explain_inside(schema, path, depth); !found.empty()) {
      return found;
    }
    for (const char* name : {"allOf", "anyOf", "oneOf"}) {
      const auto it = schema.find(name);
      if (it == schema.end()) continue;
      for (const Json& one : *it) {
        if (auto found = explain(one, path, depth, steps + 1); !found.empty()) return found;
      }
    }
    return {};
  }

  const Json* locate(const Path& path) const {
    const Json* at = &value_;
    for (const std::string& token : path) {
      at = step_into(*at, token);
      if (at == nullptr) return nullptr;
    }
    return at;
  }

 private:
  std::string explain_inside(const Json& schema, const Path& path, std::size_t depth) {
    const std::string& token = path[depth];
    const auto properties = schema.find("properties");
    if (properties != schema.end() && properties->contains(token)) {
      return explain(properties->at(token), path, depth + 1, 0);
    }
    const auto others = schema.find("additionalProperties");
    if (others != schema.end() && others->is_object()) return explain(*others, path, depth + 1, 0);
    const auto items = schema.find("items");
    if (items == schema.end()) return {};
    if (items->is_object()) return explain(*items, path, depth + 1, 0);
    const Json* one = step_into(*items, token);
    if (one != nullptr) return explain(*one, path, depth + 1, 0);
    const auto rest = schema.find("additionalItems");
    return rest != schema.end() ? explain(*rest, path, depth + 1, 0) : std::string();
  }

  const Json& root_;
  const Json& value_;
  int budget_ = 10'000;
};

std::string pointer_of(const Path& path) {
  std::string text;
  for (const std::string& token : path) text += "/" + truncate_chars(token, kMaxShown);
  return text.empty() ? "/" : text;
}

std::string in_lower_case(std::string text) {
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  while (text.ends_with('.')) text.pop_back();
  return text;
}

}  // namespace

std::string describe_violation(const Json& schema, const Json& value,
                               const valijson::ValidationResults& results) {
  // The first of the deepest errors: those above it only follow from it.
  const valijson::ValidationResults::Error* deepest = nullptr;
  for (const auto& error : results) {
    if (deepest == nullptr || error.context.size() > deepest->context.size()) deepest = &error;
  }
  if (deepest == nullptr) return "the answer does not fit the schema";
  const Path path = path_of(*deepest);
  Search search(schema, value);
  std::string reason = search.explain(schema, path, 0, 0);
  if (reason.empty()) reason = in_lower_case(deepest->description);
  return truncate_chars(pointer_of(path) + ": " + reason, kMaxLine);
}

std::size_t count_values(const Json& value, std::size_t limit) {
  std::size_t count = 1;
  if (!value.is_structured()) return count;
  for (const Json& one : value) {
    if (count >= limit) break;
    count += count_values(one, limit - count);
  }
  return count;
}

}  // namespace llmbatch
