#include "schema_constraints.h"

#include <set>
#include <string>
#include <utility>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/constraint_builder.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <vector>

#include "pattern.h"
#include "schema_reader.h"

namespace llmbatch {
namespace {

using valijson::ValidationResults;
using valijson::adapters::Adapter;
using valijson::constraints::Constraint;
using valijson::constraints::PolyConstraint;

/// valijson clones constraints into memory of its own.
template <typename Derived>
class OwnConstraint : public PolyConstraint {
 private:
  Constraint* cloneInto(void* at) const override {
    return new (at) Derived(static_cast<const Derived&>(*this));
  }
  std::size_t sizeOf() const override { return sizeof(Derived); }
};

class PatternConstraint final : public OwnConstraint<PatternConstraint> {
 public:
  explicit PatternConstraint(Pattern pattern) : pattern_(std::move(pattern)) {}

  bool validate(const Adapter& target, const std::vector<std::string>& context,
                ValidationResults* results) const override {
    if (!target.isString()) return true;
    const bool fits = pattern_.search(target.getString()) == Pattern::Answer::found;
    if (!fits && results != nullptr) results->pushError(context, "does not match");
    return fits;
  }

 private:
  Pattern pattern_;
};

/// One text per value; equal values have equal texts.
void append_canonical(const Adapter& value, std::string& out) {
  if (value.isString()) {
    const std::string text = value.getString();
    out += 's' + std::to_string(text.size()) + ':' + text;
  } else if (value.isArray()) {
    out += '[';
    value.applyToArray([&out](const Adapter& one) {
      append_canonical(one, out);
      out += ',';
      return true;
    });
    out += ']';
  } else if (value.isObject()) {
    // nlohmann::json keeps its members sorted.
    out += '{';
    value.applyToObject([&out](const std::string& name, const Adapter& one) {
      out += std::to_string(name.size()) + ':' + name;
      append_canonical(one, out);
      return true;
    });
    out += '}';
  } else if (value.isInteger()) {
    out += 'i' + std::to_string(value.getInteger());
  } else if (value.isDouble()) {
    out += 'd' + std::to_string(value.getDouble());
  } else if (value.isBool()) {
    out += value.getBool() ? 't' : 'f';
  } else {
    out += 'n';
  }
}

class UniqueConstraint final : public OwnConstraint<UniqueConstraint> {
 public:
  bool validate(const Adapter& target, const std::vector<std::string>& context,
                ValidationResults* results) const override {
    if (!target.isArray()) return true;
    std::set<std::string> seen;
    const bool unique = target.applyToArray([&seen](const Adapter& one) {
      std::string text;
      append_canonical(one, text);
      return seen.insert(std::move(text)).second;
    });
    if (!unique && results != nullptr) results->pushError(context, "holds equal elements");
    return unique;
  }
};

class PatternBuilder final : public valijson::ConstraintBuilder {
 public:
  explicit PatternBuilder(bool format) : format_(format) {}
  Constraint* make(const Adapter& value) const override {
    const std::string text = value.getString();
    auto pattern = Pattern::compile(format_ ? format_pattern(text) : std::string_view(text));
    if (!pattern) throw std::runtime_error(pattern.error().message);
    return new PatternConstraint(std::move(*pattern));
  }

 private:
  bool format_;
};

class UniqueBuilder final : public valijson::ConstraintBuilder {
 public:
  Constraint* make(const Adapter& /*value*/) const override { return new UniqueConstraint; }
};

}  // namespace

void add_constraints(valijson::SchemaParser& parser) {
  // The parser deletes them.
  parser.addConstraintBuilder(kPatternKeyword, new PatternBuilder(false));
  parser.addConstraintBuilder(kFormatKeyword, new PatternBuilder(true));
  parser.addConstraintBuilder(kUniqueKeyword, new UniqueBuilder);
}

}  // namespace llmbatch
