#include "schema_subset.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <string_view>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kMaxDepth = 64;

template <std::size_t Size>
bool contains(const std::array<std::string_view, Size>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

constexpr std::array<std::string_view, 13> kAnnotations = {"$comment",
                                                           "$id",
                                                           "$schema",
                                                           "$vocabulary",
                                                           "contentEncoding",
                                                           "contentMediaType",
                                                           "default",
                                                           "deprecated",
                                                           "example",
                                                           "examples",
                                                           "id",
                                                           "readOnly",
                                                           "writeOnly"};

constexpr std::array<std::string_view, 5> kNamedSchemas = {"$defs", "definitions", "properties",
                                                           "patternProperties", "dependentSchemas"};
constexpr std::array<std::string_view, 4> kSchemaLists = {"allOf", "anyOf", "oneOf", "prefixItems"};
constexpr std::array<std::string_view, 9> kSchemas = {"additionalItems",
                                                      "additionalProperties",
                                                      "contains",
                                                      "else",
                                                      "if",
                                                      "items",
                                                      "not",
                                                      "propertyNames",
                                                      "then"};

/// Rebuilds a schema, with `change` for the members of every subschema on the way back up.
template <typename Change>
Json rebuild(const Json& schema, const Change& change, int depth = 0) {
  if (!schema.is_object() || depth > kMaxDepth) return schema;
  Json out = Json::object();
  for (const auto& [name, value] : schema.items()) {
    if (contains(kNamedSchemas, name) && value.is_object()) {
      Json named = Json::object();
      for (const auto& [key, one] : value.items()) named[key] = rebuild(one, change, depth + 1);
      out[name] = std::move(named);
    } else if (contains(kSchemaLists, name) && value.is_array()) {
      Json list = Json::array();
      for (const Json& one : value) list.push_back(rebuild(one, change, depth + 1));
      out[name] = std::move(list);
    } else if (contains(kSchemas, name)) {
      out[name] = rebuild(value, change, depth + 1);
    } else {
      out[name] = value;
    }
  }
  return change(out);
}

bool is_type(const Json& schema, std::string_view type) {
  const auto it = schema.find("type");
  if (it == schema.end()) return false;
  if (it->is_array()) return std::find(it->begin(), it->end(), type) != it->end();
  return *it == type;
}

bool is_object_schema(const Json& schema) {
  return is_type(schema, "object") || schema.contains("properties");
}

/// Moves a constraint that cannot be sent into the words that the model reads.
void describe(Json& schema, std::string_view name, const Json& value) {
  if (value.is_structured()) return;
  std::string text;
  if (const auto it = schema.find("description"); it != schema.end() && it->is_string()) {
    text = it->get<std::string>() + " ";
  }
  text.append("(").append(name).append(": ");
  text += value.dump(-1, ' ', false, Json::error_handler_t::replace) + ")";
  schema["description"] = text;
}

// OpenAI's strict mode.

constexpr std::array<std::string_view, 22> kStrictKeywords = {"$defs",
                                                              "$ref",
                                                              "additionalProperties",
                                                              "anyOf",
                                                              "const",
                                                              "definitions",
                                                              "enum",
                                                              "description",
                                                              "exclusiveMaximum",
                                                              "exclusiveMinimum",
                                                              "format",
                                                              "items",
                                                              "maxItems",
                                                              "maximum",
                                                              "minItems",
                                                              "minimum",
                                                              "multipleOf",
                                                              "pattern",
                                                              "properties",
                                                              "required",
                                                              "title",
                                                              "type"};
constexpr std::array<std::string_view, 9> kStrictFormats = {
    "date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"};

class StrictRules {
 public:
  std::string obstacle(const Json& root) {
    if (!root.is_object() || !is_type(root, "object")) return "/: the root is no object";
    if (root.contains("anyOf")) return "/anyOf: not at the root";
    if (auto found = visit(root, "", 0); !found.empty()) return found;
    if (properties_ > 5000) return "/: more than 5,000 properties";
    if (characters_ > 120'000) return "/: more than 120,000 characters of names and values";
    if (enum_values_ > 1000) return "/: more than 1,000 enum values";
    return {};
  }

 private:
  std::string visit(const Json& schema, const std::string& place, int depth) {
    if (!schema.is_object()) return place + ": no object";
    if (depth > 10) return place + ": nested more than 10 levels";
    for (const auto& [name, value] : schema.items()) {
      if (!contains(kStrictKeywords, name)) {
        return fmt::format("{}/{}: not in strict schemas", place, name);
      }
    }
    if (const auto it = schema.find("format"); it != schema.end()) {
      if (!it->is_string() || !contains(kStrictFormats, it->get<std::string>())) {
        return place + "/format: not in strict schemas";
      }
    }
    if (auto found = visit_values(schema, place); !found.empty()) return found;
    if (is_object_schema(schema)) {
      if (auto found = visit_object(schema, place); !found.empty()) return found;
    }
    return visit_inner(schema, place, depth);
  }

  std::string visit_values(const Json& schema, const std::string& place) {
    if (const auto it = schema.find("const"); it != schema.end()) characters_ += it->dump().size();
    const auto values = schema.find("enum");
    if (values == schema.end()) return {};
    enum_values_ += values->size();
    std::size_t size = 0;
    for (const Json& one : *values) size += one.is_string() ? one.get<std::string>().size() : 0;
    characters_ += size;
    if (values->size() > 250 && size > 15'000) return place + "/enum: more than 15,000 characters";
    return {};
  }

  std::string visit_object(const Json& schema, const std::string& place) {
    const auto others = schema.find("additionalProperties");
    if (others == schema.end() || *others != false) {
      return (place.empty() ? "/" : place) + ": additionalProperties is not false";
    }
    const auto properties = schema.find("properties");
    if (properties == schema.end()) return {};
    const auto required = schema.find("required");
    for (const auto& [name, value] : properties->items()) {
      ++properties_;
      characters_ += name.size();
      if (required == schema.end() ||
          std::find(required->begin(), required->end(), name) == required->end()) {
        return fmt::format("{}/properties/{}: not required", place, name);
      }
    }
    return {};
  }

  std::string visit_inner(const Json& schema, const std::string& place, int depth) {
    for (const auto& [name, value] : schema.items()) {
      const std::string here = fmt::format("{}/{}", place, name);
      const bool named = contains(kNamedSchemas, name);
      if (named && value.is_object()) {
        for (const auto& [key, one] : value.items()) {
          const int inner = name == "properties" ? depth + 1 : 0;
          const std::string below = fmt::format("{}/{}", here, key);
          if (auto found = visit(one, below, inner); !found.empty()) return found;
        }
      }
      if (name == "anyOf" && value.is_array()) {
        for (std::size_t i = 0; i < value.size(); ++i) {
          auto found = visit(value[i], here + "/" + std::to_string(i), depth);
          if (!found.empty()) return found;
        }
      }
      if (name == "items") {
        if (auto found = visit(value, here, depth + 1); !found.empty()) return found;
      }
    }
    return {};
  }

  std::size_t properties_ = 0;
  std::size_t characters_ = 0;
  std::size_t enum_values_ = 0;
};

// Anthropic.

constexpr std::array<std::string_view, 17> kAnthropicKeywords = {
    "$defs",       "$ref",        "additionalProperties",
    "allOf",       "anyOf",       "const",
    "definitions", "description", "enum",
    "format",      "items",       "minItems",
    "pattern",     "properties",  "required",
    "title",       "type"};
constexpr std::array<std::string_view, 10> kAnthropicFormats = {
    "date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"};

/// Expressions without what a regular grammar cannot do.
bool is_plain_pattern(std::string_view pattern) {
  for (const std::string_view part : {"(?", "\\b", "\\B"}) {
    if (pattern.find(part) != std::string_view::npos) return false;
  }
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] == '\\' && pattern[i + 1] >= '1' && pattern[i + 1] <= '9') return false;
  }
  return true;
}

bool anthropic_takes(const std::string& name, const Json& value) {
  if (name == "format")
    return value.is_string() && contains(kAnthropicFormats, value.get<std::string>());
  if (name == "minItems") return value == 0 || value == 1;
  if (name == "pattern") return value.is_string() && is_plain_pattern(value.get<std::string>());
  return contains(kAnthropicKeywords, name);
}

/// True when following $ref from `schema` comes back to a schema on the way.
bool refers_to_itself(const Json& root, const Json& schema, std::vector<const Json*>& path) {
  if (std::find(path.begin(), path.end(), &schema) != path.end()) return true;
  if (path.size() > 4 * kMaxDepth || !schema.is_structured()) return path.size() > 4 * kMaxDepth;
  path.push_back(&schema);
  bool found = false;
  if (schema.is_object()) {
    if (const auto it = schema.find("$ref"); it != schema.end() && it->is_string()) {
      const auto reference = it->get<std::string>();
      const Json* target = nullptr;
      if (reference == "#") target = &root;
      if (reference.starts_with("#/")) {
        const Json::json_pointer pointer(reference.substr(1));
        if (root.contains(pointer)) target = &root.at(pointer);
      }
      found = target == nullptr || refers_to_itself(root, *target, path);
    }
  }
  for (auto it = schema.begin(); it != schema.end() && !found; ++it) {
    if (schema.is_object() && (it.key() == "$defs" || it.key() == "definitions")) continue;
    found = refers_to_itself(root, *it, path);
  }
  path.pop_back();
  return found;
}

}  // namespace

std::string strict_obstacle(const Json& schema) { return StrictRules().obstacle(schema); }

Json without_annotations(const Json& schema) {
  return rebuild(schema, [](const Json& one) {
    Json out = Json::object();
    for (const auto& [name, value] : one.items()) {
      if (!contains(kAnnotations, name)) out[name] = value;
    }
    return out;
  });
}

std::optional<Json> anthropic_subset(const Json& schema) {
  bool sayable = true;
  Json out = rebuild(without_annotations(schema), [&sayable](const Json& one) {
    Json kept = Json::object();
    for (const auto& [name, value] : one.items()) {
      if (name == "oneOf") {
        kept["anyOf"] = value;
      } else if (anthropic_takes(name, value)) {
        kept[name] = value;
      }
    }
    for (const auto& [name, value] : one.items()) {
      if (name != "oneOf" && !kept.contains(name)) describe(kept, name, value);
    }
    if (!is_object_schema(kept)) return kept;
    const auto others = kept.find("additionalProperties");
    const bool open = others != kept.end() && *others != false;
    // Closing it would forbid every member.
    if (open && !kept.contains("properties")) sayable = false;
    kept["additionalProperties"] = false;
    return kept;
  });
  try {
    std::vector<const Json*> path;
    if (!sayable || refers_to_itself(schema, schema, path)) return std::nullopt;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
  return out;
}

Json gemini_subset(const Json& schema) {
  static constexpr std::array<std::string_view, 19> kKeywords = {
      "$anchor",    "$defs",       "$ref",        "additionalProperties",
      "anyOf",      "definitions", "description", "enum",
      "format",     "items",       "maxItems",    "maximum",
      "minItems",   "minimum",     "oneOf",       "prefixItems",
      "properties", "required",    "title"};
  return rebuild(without_annotations(schema), [](const Json& one) {
    Json kept = Json::object();
    for (const auto& [name, value] : one.items()) {
      if (contains(kKeywords, name) || name == "type" || name == "propertyOrdering") {
        kept[name] = value;
      } else if (name == "const") {
        kept["enum"] = Json::array({value});
      }
    }
    for (const auto& [name, value] : one.items()) {
      if (name != "const" && !kept.contains(name)) describe(kept, name, value);
    }
    return kept;
  });
}

}  // namespace llmbatch
