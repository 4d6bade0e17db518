#include "enum_case.h"

#include <nlohmann/json.hpp>
#include <string>

#include "llmbatch/base/text.h"
#include "schema_reader.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;

/// Schemas refer to themselves; this many steps without going deeper into the value are enough.
constexpr int kMaxSteps = 32;

class Mender {
 public:
  explicit Mender(const Json& root) : root_(root) {}

  void mend(const Json& schema, Json& value, int steps) {
    if (!schema.is_object() || steps > kMaxSteps) return;
    if (const auto it = schema.find("$ref"); it != schema.end() && it->is_string()) {
      const Json* target = resolve_reference(root_, it->get_ref<const std::string&>());
      if (target != nullptr) mend(*target, value, steps + 1);
    }
    if (value.is_string()) mend_string(schema, value);
    for (const char* name : {"allOf", "anyOf", "oneOf"}) {
      const auto it = schema.find(name);
      if (it == schema.end()) continue;
      for (const Json& one : *it) mend(one, value, steps + 1);
    }
    if (value.is_object()) mend_members(schema, value);
    if (value.is_array()) mend_elements(schema, value);
  }

 private:
  static void mend_string(const Json& schema, Json& value) {
    const auto& text = value.get_ref<const std::string&>();
    const std::string folded = to_lower_ascii(text);
    const Json* found = nullptr;
    bool several = false;
    const auto compare = [&](const Json& one) {
      if (!one.is_string() || to_lower_ascii(one.get_ref<const std::string&>()) != folded) return;
      // An exact match beats all others.
      if (one == value) several = true;
      several = several || found != nullptr;
      found = &one;
    };
    if (const auto it = schema.find("enum"); it != schema.end()) {
      for (const Json& one : *it) compare(one);
    }
    if (const auto it = schema.find("const"); it != schema.end()) compare(*it);
    if (found != nullptr && !several) value = *found;
  }

  void mend_members(const Json& schema, Json& value) {
    const auto properties = schema.find("properties");
    const auto others = schema.find("additionalProperties");
    for (auto& [name, member] : value.items()) {
      const bool named = properties != schema.end() && properties->contains(name);
      if (named) mend(properties->at(name), member, 0);
      if (!named && others != schema.end()) mend(*others, member, 0);
    }
  }

  void mend_elements(const Json& schema, Json& value) {
    const auto items = schema.find("items");
    if (items == schema.end()) return;
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (items->is_object()) mend(*items, value[i], 0);
      if (items->is_array() && i < items->size()) mend((*items)[i], value[i], 0);
    }
  }

  const Json& root_;
};

}  // namespace

void mend_enum_case(const Json& schema, Json& value) { Mender(schema).mend(schema, value, 0); }

}  // namespace llmbatch
