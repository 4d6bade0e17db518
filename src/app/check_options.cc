#include "llmbatch/app/check_options.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"
#include "llmbatch/check/answer_rules.h"

namespace llmbatch {
namespace {

// The order of members is kept: providers answer in the order of the schema.
using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxSchemaBytes = 4U << 20U;

std::string named(const Settings& settings, std::string_view name) {
  return settings.origin(name).kind == OriginKind::flag
             ? fmt::format("--{}", name)
             : fmt::format("{} ({})", name, settings.origin(name).label());
}

Status read_schema_file(const Settings& settings, CheckOptions& options) {
  options.schema_file = settings.text("schema");
  const auto text =
      read_file(options.schema_file == "-" ? "/dev/stdin" : options.schema_file, kMaxSchemaBytes);
  if (!text) {
    return usage_error(fmt::format("{}: {}", named(settings, "schema"), text.error().message));
  }
  if (auto error = describe_json_error(*text); !error.empty()) {
    return usage_error(fmt::format("{}: {}", options.schema_file, error));
  }
  options.schema =
      Json::parse(*text, nullptr, false).dump(-1, ' ', false, Json::error_handler_t::replace);
  return {};
}

Status exclude(const Settings& settings, std::string_view first, std::string_view second) {
  return usage_error(
      fmt::format("{} and {} exclude each other", named(settings, first), named(settings, second)));
}

Status check_format(const Settings& settings, const CheckOptions& options) {
  if (options.format == "auto" || options.format == "text") return {};
  if (options.format == "schema" && options.schema.empty()) {
    return usage_error(
        fmt::format("{}: there is no --schema to ask for", named(settings, "answer-format")));
  }
  if (options.schema.empty() && !options.json) {
    return usage_error(
        fmt::format("{}: only with --schema or --answer-json", named(settings, "answer-format")));
  }
  return {};
}

}  // namespace

Result<CheckOptions> check_options(const Settings& settings) {
  CheckOptions options;
  options.json = settings.flag("answer-json");
  options.choices = settings.list("choices");
  options.match = settings.text("match");
  options.format = settings.text("answer-format");
  options.reask = !settings.flag("no-reask");
  options.recheck = settings.flag("recheck");
  for (const std::string_view other : {"retry", "rerun", "rehearse"}) {
    const bool given = other == "rehearse" ? settings.flag(other) : !settings.list(other).empty();
    if (options.recheck && given) return forward_error(exclude(settings, "recheck", other));
  }
  for (const std::string_view other : {"schema", "answer-json"}) {
    const bool given = other == "schema" ? settings.has(other) : options.json;
    if (!options.choices.empty() && given) {
      return forward_error(exclude(settings, "choices", other));
    }
  }
  if (settings.has("schema")) {
    if (auto status = read_schema_file(settings, options); !status) return forward_error(status);
  }
  if (auto status = check_format(settings, options); !status) return forward_error(status);
  // The schema and the expression, tried here so that the message can name their origin.
  CheckOptions schema_only;
  schema_only.schema = options.schema;
  if (const auto made = answer_check(schema_only, WireFormat::openai_chat); !made) {
    return usage_error(fmt::format("{}: {}", options.schema_file, made.error().message));
  }
  CheckOptions match_only;
  match_only.match = options.match;
  if (const auto made = answer_check(match_only, WireFormat::openai_chat); !made) {
    return usage_error(fmt::format("{}: {}", named(settings, "match"), made.error().message));
  }
  return options;
}

std::vector<std::string> check_warnings(const CheckOptions& options) {
  std::vector<std::string> warnings;
  if (options.schema.empty()) return warnings;
  for (const std::string& note : unchecked_keywords(options.schema)) {
    warnings.push_back(fmt::format("warning: {}: {}", options.schema_file, note));
  }
  return warnings;
}

std::string canonical_checks(const CheckOptions& options) {
  if (options.empty()) return {};
  Json object = Json::object();
  if (!options.schema.empty()) object["schema"] = Json::parse(options.schema, nullptr, false);
  if (options.json) object["json"] = true;
  if (!options.choices.empty()) object["choices"] = options.choices;
  if (!options.match.empty()) object["match"] = options.match;
  if (options.format != "auto") object["format"] = options.format;
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<CheckOptions> stored_checks(const std::string& canonical) {
  CheckOptions options;
  if (canonical.empty()) return options;
  const Json object = Json::parse(canonical, nullptr, false);
  if (!object.is_object()) return failure("the answer checks in the database are damaged");
  try {
    if (object.contains("schema")) options.schema = object["schema"].dump();
    options.json = object.value("json", false);
    options.choices = object.value("choices", std::vector<std::string>());
    options.match = object.value("match", std::string());
    options.format = object.value("format", std::string("auto"));
  } catch (const Json::exception&) {
    return failure("the answer checks in the database are damaged");
  }
  return options;
}

AnswerFormat answer_format(const CheckOptions& options) {
  AnswerFormat format;
  const bool schema = options.format == "auto" || options.format == "schema";
  if (options.format == "text") return format;
  if (schema && !options.schema.empty()) {
    format.shape = AnswerShape::schema;
    format.schema = options.schema;
  } else if (options.json || !options.schema.empty()) {
    format.shape = AnswerShape::json;
  }
  return format;
}

Result<std::unique_ptr<AnswerCheck>> answer_check(const CheckOptions& options, WireFormat format) {
  AnswerRules rules;
  rules.schema = options.schema;
  rules.json = options.json;
  rules.choices = options.choices;
  rules.match = options.match;
  rules.any_enum_case = format == WireFormat::anthropic_messages;
  return make_answer_check(rules);
}

}  // namespace llmbatch
