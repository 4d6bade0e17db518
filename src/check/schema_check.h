// SchemaCheck: a JSON Schema, read once, and the verdict on any value. Thread rule: const and safe
// from any thread.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

namespace llmbatch {

class SchemaCheck {
 public:
  /// `schema` is JSON text; failures name the place in it.
  static Result<std::unique_ptr<SchemaCheck>> make(std::string_view schema);
  ~SchemaCheck();

  bool fits(const nlohmann::json& value) const;
  /// The first reason why `value` does not fit, with its place in the value.
  std::string violation(const nlohmann::json& value) const;
  /// Gives strings that differ from an `enum` or `const` in nothing but letter case its spelling.
  void mend_enum_case(nlohmann::json& value) const;

 private:
  struct State;
  explicit SchemaCheck(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace llmbatch
