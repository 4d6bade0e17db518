#include "schema_reader.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "llmbatch/base/text.h"
#include "pattern.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;

enum class Kind : std::uint8_t {
  annotation,     ///< says nothing about what fits
  number,         ///< copied
  count,          ///< copied: a whole number, not negative
  strings,        ///< copied: names
  anything,       ///< copied
  schema,         ///< one subschema
  schemas,        ///< a list of subschemas
  named_schemas,  ///< an object of subschemas
  unsupported,    ///< changes what fits, but is not checked here
  special,        ///< has a function of its own
};

struct Keyword {
  std::string_view name;
  Kind kind;
};

using enum Kind;
constexpr auto kKeywords = std::to_array<Keyword>({
    {"$anchor", annotation},
    {"$comment", annotation},
    {"$defs", named_schemas},
    {"$dynamicAnchor", annotation},
    {"$dynamicRef", unsupported},
    {"$id", annotation},
    {"$recursiveRef", unsupported},
    {"$ref", special},
    {"$schema", annotation},
    {"$vocabulary", annotation},
    {"additionalItems", schema},
    {"additionalProperties", schema},
    {"allOf", schemas},
    {"anyOf", schemas},
    {"const", anything},
    {"contains", schema},
    {"contentEncoding", annotation},
    {"contentMediaType", annotation},
    {"contentSchema", annotation},
    {"default", annotation},
    {"definitions", named_schemas},
    {"dependencies", special},
    {"dependentRequired", special},
    {"dependentSchemas", special},
    {"deprecated", annotation},
    {"description", annotation},
    {"else", schema},
    {"enum", special},
    {"example", annotation},
    {"examples", annotation},
    {"exclusiveMaximum", number},
    {"exclusiveMinimum", number},
    {"format", special},
    {"id", annotation},
    {"if", schema},
    {"items", special},
    {"maxContains", unsupported},
    {"maxItems", count},
    {"maxLength", count},
    {"maxProperties", count},
    {"maximum", number},
    {"minContains", unsupported},
    {"minItems", count},
    {"minLength", count},
    {"minProperties", count},
    {"minimum", number},
    {"multipleOf", number},
    {"not", schema},
    {"oneOf", schemas},
    {"pattern", special},
    {"patternProperties", unsupported},
    {"prefixItems", special},
    {"properties", named_schemas},
    {"propertyNames", schema},
    {"propertyOrdering", annotation},
    {"readOnly", annotation},
    {"required", strings},
    {"then", schema},
    {"title", annotation},
    {"type", special},
    {"unevaluatedItems", unsupported},
    {"unevaluatedProperties", unsupported},
    {"uniqueItems", special},
    {"writeOnly", annotation},
});

constexpr std::array<std::string_view, 7> kTypes = {"array",  "boolean", "integer", "null",
                                                    "number", "object",  "string"};

/// Schemas may be written by programs; deeper than this none is meant.
constexpr std::size_t kMaxSchemaDepth = 64;

const Keyword* find_keyword(std::string_view name) {
  const auto* const at = std::lower_bound(
      kKeywords.begin(), kKeywords.end(), name,
      [](const Keyword& keyword, std::string_view wanted) { return keyword.name < wanted; });
  return at != kKeywords.end() && at->name == name ? at : nullptr;
}

std::string escape_token(std::string_view token) {
  std::string escaped;
  for (const char c : token) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string shown(const Json& value) {
  return truncate_chars(value.dump(-1, ' ', false, Json::error_handler_t::replace), 40);
}

bool is_name_list(const Json& value) {
  return value.is_array() &&
         std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); });
}

class Reader {
 public:
  Reader(const Json& root, std::vector<std::string>& notes) : root_(root), notes_(notes) {}

  /// `place` is the JSON pointer of `schema`.
  Result<Json> read(const Json& schema, const std::string& place, std::size_t depth) {
    if (schema.is_boolean()) return schema;
    if (!schema.is_object()) return wrong(place, shown(schema) + " is no schema");
    if (depth > kMaxSchemaDepth) return wrong(place, "nested too deep");
    Json out = Json::object();
    for (const auto& [name, value] : schema.items()) {
      const std::string here = place + "/" + escape_token(name);
      const Keyword* keyword = find_keyword(name);
      if (keyword == nullptr) {
        if (!name.starts_with("x-")) notes_.push_back(here + ": has no effect on the check");
        continue;
      }
      if (const Status done = add(*keyword, value, here, depth, out); !done) {
        return forward_error(done);
      }
    }
    merge_tuple(schema, out);
    wrap_reference(out);
    return out;
  }

 private:
  static tl::unexpected<Error> wrong(const std::string& place, std::string_view why) {
    return usage_error((place.empty() ? "/" : place) + ": " + std::string(why));
  }

  Status add(const Keyword& keyword, const Json& value, const std::string& here, std::size_t depth,
             Json& out) {
    const std::string name(keyword.name);
    switch (keyword.kind) {
      case annotation:
        return {};
      case unsupported:
        return wrong(here, "is not supported");
      case number:
        if (!value.is_number()) return wrong(here, shown(value) + " is no number");
        if (name == "multipleOf" && value.get<double>() <= 0) {
          return wrong(here, shown(value) + " is not larger than 0");
        }
        break;
      case count:
        if (!value.is_number_unsigned()) {
          return wrong(here, shown(value) + " is no whole number from 0 on");
        }
        break;
      case strings:
        if (!is_name_list(value)) return wrong(here, shown(value) + " is no list of names");
        break;
      case anything:
        break;
      case schema:
        return add_schema(name, value, here, depth, out);
      case schemas:
        return add_list(name, value, here, depth, out);
      case named_schemas:
        return add_named(name, value, here, depth, out);
      case special:
        return add_special(name, value, here, depth, out);
    }
    out[name] = value;
    return {};
  }

  Status add_schema(const std::string& name, const Json& value, const std::string& here,
                    std::size_t depth, Json& out) {
    Result<Json> inner = read(value, here, depth + 1);
    if (!inner) return forward_error(inner);
    out[name] = std::move(*inner);
    return {};
  }

  Status add_list(const std::string& name, const Json& value, const std::string& here,
                  std::size_t depth, Json& out) {
    if (!value.is_array() || value.empty()) return wrong(here, "is no list of schemas");
    Json list = Json::array();
    for (std::size_t i = 0; i < value.size(); ++i) {
      Result<Json> inner = read(value[i], here + "/" + std::to_string(i), depth + 1);
      if (!inner) return forward_error(inner);
      list.push_back(std::move(*inner));
    }
    out[name] = std::move(list);
    return {};
  }

  Status add_named(const std::string& name, const Json& value, const std::string& here,
                   std::size_t depth, Json& out) {
    if (!value.is_object()) return wrong(here, shown(value) + " is no object");
    Json& named = out[name];
    if (named.is_null()) named = Json::object();
    for (const auto& [key, one] : value.items()) {
      Result<Json> inner = read(one, here + "/" + escape_token(key), depth + 1);
      if (!inner) return forward_error(inner);
      named[key] = std::move(*inner);
    }
    return {};
  }

  Status add_special(const std::string& name, const Json& value, const std::string& here,
                     std::size_t depth, Json& out) {
    if (name == "type") return add_type(value, here, out);
    if (name == "enum") {
      if (!value.is_array() || value.empty()) return wrong(here, "is no list of values");
      out[name] = value;
      return {};
    }
    if (name == "$ref") return add_reference(value, here, out);
    if (name == "pattern") {
      if (!value.is_string()) return wrong(here, shown(value) + " is no text");
      const auto pattern = Pattern::compile(value.get_ref<const std::string&>());
      if (!pattern) return wrong(here, pattern.error().message);
      out[kPatternKeyword] = value;
      return {};
    }
    if (name == "format") {
      if (!value.is_string()) return wrong(here, shown(value) + " is no text");
      if (format_pattern(value.get_ref<const std::string&>()).empty()) {
        notes_.push_back(here + ": the format " + shown(value) + " is not checked");
      } else {
        out[kFormatKeyword] = value;
      }
      return {};
    }
    if (name == "uniqueItems") {
      if (!value.is_boolean()) return wrong(here, shown(value) + " is neither true nor false");
      if (value.get<bool>()) out[kUniqueKeyword] = true;
      return {};
    }
    // A list was the old way to write prefixItems.
    if (name == "prefixItems" || (name == "items" && value.is_array())) {
      return add_list("items", value, here, depth, out);
    }
    if (name == "items") return add_items(value, here, depth, out);
    return add_dependencies(name, value, here, depth, out);
  }

  static Status add_type(const Json& value, const std::string& here, Json& out) {
    const Json list = value.is_string() ? Json::array({value}) : value;
    if (!is_name_list(list) || list.empty()) return wrong(here, shown(value) + " is not a type");
    for (const Json& one : list) {
      const auto& type = one.get_ref<const std::string&>();
      if (std::find(kTypes.begin(), kTypes.end(), type) == kTypes.end()) {
        return wrong(here, "'" + truncate_chars(type, 40) + "' is not a type");
      }
    }
    out["type"] = value;
    return {};
  }

  Status add_reference(const Json& value, const std::string& here, Json& out) {
    if (!value.is_string()) return wrong(here, shown(value) + " is no text");
    const auto& reference = value.get_ref<const std::string&>();
    const bool moved = reference.find("/prefixItems/") != std::string::npos ||
                       reference.find("/dependent") != std::string::npos ||
                       reference.find('%') != std::string::npos;
    if (moved || resolve_reference(root_, reference) == nullptr) {
      return wrong(here, "'" + truncate_chars(reference, 80) + "' is not found in this schema");
    }
    out["$ref"] = value;
    return {};
  }

  /// Beside prefixItems, `items` is what draft 7 calls additionalItems.
  Status add_items(const Json& value, const std::string& here, std::size_t depth, Json& out) {
    Result<Json> inner = read(value, here, depth + 1);
    if (!inner) return forward_error(inner);
    out["llmbatch:items"] = std::move(*inner);
    return {};
  }

  static void merge_tuple(const Json& schema, Json& out) {
    const auto rest = out.find("llmbatch:items");
    if (rest == out.end()) return;
    Json inner = std::move(*rest);
    out.erase(rest);
    out[schema.contains("prefixItems") ? "additionalItems" : "items"] = std::move(inner);
  }

  Status add_dependencies(const std::string& name, const Json& value, const std::string& here,
                          std::size_t depth, Json& out) {
    if (!value.is_object()) return wrong(here, shown(value) + " is no object");
    Json& all = out["dependencies"];
    if (all.is_null()) all = Json::object();
    for (const auto& [key, one] : value.items()) {
      const std::string place = here + "/" + escape_token(key);
      if (all.contains(key)) return wrong(place, "has two kinds of dependencies");
      if (one.is_array() && name != "dependentSchemas") {
        if (!is_name_list(one)) return wrong(place, shown(one) + " is no list of names");
        all[key] = one;
        continue;
      }
      if (name == "dependentRequired") return wrong(place, shown(one) + " is no list of names");
      Result<Json> inner = read(one, place, depth + 1);
      if (!inner) return forward_error(inner);
      all[key] = std::move(*inner);
    }
    return {};
  }

  /// Draft 7 ignores what stands beside a $ref; since 2019 it counts.
  static void wrap_reference(Json& out) {
    const auto reference = out.find("$ref");
    if (reference == out.end()) return;
    const bool alone = std::all_of(out.items().begin(), out.items().end(), [](const auto& member) {
      return member.key() == "$ref" || member.key() == "$defs" || member.key() == "definitions";
    });
    if (alone) return;
    Json target = Json::object({{"$ref", *reference}});
    out.erase(reference);
    Json& all = out["allOf"];
    if (all.is_null()) all = Json::array();
    all.push_back(std::move(target));
  }

  const Json& root_;
  std::vector<std::string>& notes_;
};

/// Follows what applies to the same value: a schema that comes back to itself this way never ends.
class LoopSearch {
 public:
  explicit LoopSearch(const Json& root) : root_(root) {}

  bool loops(const Json& schema) {
    if (!schema.is_object() || finished_.contains(&schema)) return false;
    if (!entered_.insert(&schema).second) return true;
    if (const auto it = schema.find("$ref"); it != schema.end() && it->is_string()) {
      const Json* target = resolve_reference(root_, it->get_ref<const std::string&>());
      if (target != nullptr && loops(*target)) return true;
    }
    for (const char* name : {"allOf", "anyOf", "oneOf"}) {
      if (const auto it = schema.find(name); it != schema.end()) {
        for (const Json& one : *it) {
          if (loops(one)) return true;
        }
      }
    }
    for (const char* name : {"not", "if", "then", "else"}) {
      if (const auto it = schema.find(name); it != schema.end() && loops(*it)) return true;
    }
    if (const auto it = schema.find("dependencies"); it != schema.end()) {
      for (const Json& one : *it) {
        if (loops(one)) return true;
      }
    }
    entered_.erase(&schema);
    finished_.insert(&schema);
    return false;
  }

  bool loops_anywhere(const Json& value) {
    if (loops(value)) return true;
    if (!value.is_structured()) return false;
    return std::any_of(value.begin(), value.end(),
                       [this](const Json& one) { return loops_anywhere(one); });
  }

 private:
  const Json& root_;
  std::set<const Json*> entered_;
  std::set<const Json*> finished_;
};

}  // namespace

const Json* resolve_reference(const Json& root, std::string_view reference) {
  if (reference == "#") return &root;
  if (!reference.starts_with("#/")) return nullptr;
  try {
    const Json::json_pointer pointer{std::string(reference.substr(1))};
    return root.contains(pointer) ? &root.at(pointer) : nullptr;
  } catch (const Json::exception&) {
    return nullptr;
  }
}

std::string_view format_pattern(std::string_view format) {
  struct Format {
    std::string_view name;
    std::string_view pattern;
  };
  // RFC 3339, 5321 (simplified), 1123, 4122 and 3986; ISO 8601 for durations.
  static constexpr auto kFormats = std::to_array<Format>({
      {"date", R"(^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$)"},
      {"time",
       R"(^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$)"},
      {"date-time",
       R"(^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?([Zz]|[+-]([01]\d|2[0-3]):[0-5]\d)$)"},
      {"duration",
       R"(^P(?!$)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$)"},
      {"email", R"(^[^\s@]+@[^\s@]+$)"},
      {"hostname",
       R"(^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$)"},
      {"ipv4", R"(^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$)|$)){4}$)"},
      {"ipv6",
       R"(^(?=.*:.*:)(?!.*::.*::)(?!:[^:])(?!.*[^:]:$)[0-9A-Fa-f:]{2,39}(\d{1,3}(\.\d{1,3}){3})?$)"},
      {"uri", R"(^[A-Za-z][A-Za-z0-9+.-]*:[^\s]+$)"},
      {"uuid", R"(^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$)"},
  });
  for (const Format& one : kFormats) {
    if (one.name == format) return one.pattern;
  }
  return {};
}

Result<Json> read_schema(const Json& schema, std::vector<std::string>& notes) {
  if (!schema.is_object()) return usage_error("/: " + shown(schema) + " is no schema");
  Result<Json> read = Reader(schema, notes).read(schema, "", 0);
  if (!read) return read;
  if (LoopSearch(*read).loops_anywhere(*read)) {
    return usage_error("/: a $ref comes back to itself without going deeper into the answer");
  }
  return read;
}

}  // namespace llmbatch
