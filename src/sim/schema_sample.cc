#include "schema_sample.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "dice.h"
#include "llmbatch/sim/answer.h"

namespace llmbatch::sim {
namespace {

using Json = nlohmann::json;

// Schemas may refer to themselves.
constexpr int kMaxDepth = 12;

class Sampler {
 public:
  Sampler(const Json& root, std::string_view text, std::string_view prompt, std::uint64_t hash)
      : root_(root), text_(text), prompt_(prompt), hash_(hash), dice_(hash) {}

  Json sample(const Json& schema, int depth) {
    if (!schema.is_object() || depth > kMaxDepth) return nullptr;
    if (const auto it = schema.find("const"); it != schema.end()) return *it;
    if (const auto it = schema.find("enum"); it != schema.end() && it->is_array() && !it->empty()) {
      return choose(*it);
    }
    if (const auto it = schema.find("$ref"); it != schema.end() && it->is_string()) {
      return sample(resolve(it->get<std::string>()), depth + 1);
    }
    for (const char* name : {"anyOf", "oneOf", "allOf"}) {
      const auto it = schema.find(name);
      if (it != schema.end() && it->is_array() && !it->empty()) {
        return sample(it->front(), depth + 1);
      }
    }
    return sample_type(schema, type_of(schema), depth);
  }

 private:
  static std::string type_of(const Json& schema) {
    const auto it = schema.find("type");
    if (it != schema.end() && it->is_string()) {
      // Gemini's own schemas write types in capitals.
      std::string type = it->get<std::string>();
      for (char& c : type) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      }
      return type;
    }
    if (it != schema.end() && it->is_array() && !it->empty() && it->front().is_string()) {
      return it->front().get<std::string>();
    }
    return schema.contains("properties") ? "object" : "string";
  }

  Json sample_type(const Json& schema, const std::string& type, int depth) {
    if (type == "object") return sample_object(schema, depth);
    if (type == "array") return sample_array(schema, depth);
    if (type == "boolean") return dice_.below(2) == 1;
    if (type == "null") return nullptr;
    if (type == "integer") return sample_integer(schema);
    if (type == "number") return sample_number(schema);
    return sample_string(schema);
  }

  Json sample_object(const Json& schema, int depth) {
    Json object = Json::object();
    const auto properties = schema.find("properties");
    if (properties == schema.end() || !properties->is_object()) return object;
    for (const auto& [name, property] : properties->items()) {
      object[name] = sample(property, depth + 1);
    }
    return object;
  }

  Json sample_array(const Json& schema, int depth) {
    Json array = Json::array();
    const auto items = schema.find("items");
    if (items == schema.end()) return array;
    // A schema that nests itself ends in an empty list where it may.
    const double least = bound(schema, "minItems", depth > kMaxDepth / 2 ? 0 : 1);
    const double count = std::clamp(least, 0.0, std::min(100.0, bound(schema, "maxItems", 100)));
    for (int i = 0; i < static_cast<int>(count); ++i) array.push_back(sample(*items, depth + 1));
    return array;
  }

  struct Range {
    double low;
    double high;
  };

  /// Half a unit inside of an exclusive bound is a value between the bounds in all schemas in use.
  static Range range_of(const Json& schema) {
    const double low = bound(schema, "minimum", bound(schema, "exclusiveMinimum", -0.5) + 0.5);
    const double high =
        bound(schema, "maximum", bound(schema, "exclusiveMaximum", low + 100.5) - 0.5);
    return {low, std::max(low, high)};
  }

  double sample_number(const Json& schema) {
    const Range range = range_of(schema);
    const double step = std::round(dice_.uniform() * (range.high - range.low) * 100) / 100;
    return std::min(range.low + step, range.high);
  }

  std::int64_t sample_integer(const Json& schema) {
    const Range range = range_of(schema);
    const double least = std::ceil(range.low);
    const double span = std::floor(range.high) - least + 1;
    const double value = least + (span <= 1 ? 0 : std::floor(dice_.uniform() * span));
    return static_cast<std::int64_t>(std::clamp(value, -9e15, 9e15));
  }

  Json sample_string(const Json& schema) {
    std::string text = text_;
    const auto longest = length_bound(schema, "maxLength", 1e6);
    if (text.size() > longest) text = std::string(longest, 'x');
    const auto shortest = length_bound(schema, "minLength", 0);
    if (text.size() < shortest) text.resize(shortest, '.');
    return text;
  }

  static double bound(const Json& schema, const char* name, double otherwise) {
    const auto it = schema.find(name);
    return it != schema.end() && it->is_number() ? it->get<double>() : otherwise;
  }

  static std::size_t length_bound(const Json& schema, const char* name, double otherwise) {
    return static_cast<std::size_t>(std::clamp(bound(schema, name, otherwise), 0.0, 1e6));
  }

  Json choose(const Json& values) {
    std::vector<std::string> words;
    for (const Json& value : values) {
      if (!value.is_string()) return values[dice_.below(values.size())];
      words.push_back(value.get<std::string>());
    }
    // The answer that was decided on (--answer classify, --model-accuracy), where it may be given.
    if (std::find(words.begin(), words.end(), text_) != words.end()) return text_;
    return classify(words, prompt_, hash_);
  }

  const Json& resolve(const std::string& reference) const {
    static const Json kNothing;
    if (reference.empty() || reference.front() != '#') return kNothing;
    const Json* at = &root_;
    std::size_t start = 2;
    while (start < reference.size()) {
      const std::size_t slash = std::min(reference.find('/', start), reference.size());
      const auto it =
          at->is_object() ? at->find(reference.substr(start, slash - start)) : at->end();
      if (it == at->end()) return kNothing;
      at = &*it;
      start = slash + 1;
    }
    return *at;
  }

  const Json& root_;
  std::string text_;
  std::string_view prompt_;
  std::uint64_t hash_;
  Dice dice_;
};

}  // namespace

std::string sample_schema(std::string_view schema, std::string_view text, std::string_view prompt,
                          std::uint64_t hash) {
  const Json root = Json::parse(schema, nullptr, false);
  if (!root.is_object()) return {};
  const Json sample = Sampler(root, text, prompt, hash).sample(root, 0);
  return sample.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace llmbatch::sim
