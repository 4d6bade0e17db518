#include "llmbatch/report/export_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "llmbatch/base/text.h"
#include "llmbatch/report/json_text.h"

namespace llmbatch {
namespace {

constexpr std::array<std::string_view, 3> kExtras{"input", "request", "response"};

FieldValue null() { return {}; }
FieldValue text(std::string value) { return {FieldValue::Kind::text, std::move(value)}; }
FieldValue text_or_null(const std::string& value) { return value.empty() ? null() : text(value); }
FieldValue number(std::int64_t value) { return {FieldValue::Kind::json, std::to_string(value)}; }
FieldValue boolean(bool value) { return {FieldValue::Kind::json, value ? "true" : "false"}; }

FieldValue json_or_text(const std::optional<std::string>& value) {
  if (!value) return null();
  auto compact = compact_json(*value);
  return compact ? FieldValue{FieldValue::Kind::json, std::move(*compact)} : text(*value);
}

FieldValue usage_number(const ItemResult& result, TokenCount Usage::*member) {
  return result.usage ? number((*result.usage).*member) : null();
}

FieldValue output_value(const ItemResult& result) {
  if (!result.output) return null();
  return result.output_is_json ? json_or_text(result.output) : text(*result.output);
}

struct Column {
  std::string_view name;
  FieldValue (*value)(const ItemResult& result);
};

constexpr auto kColumns = std::to_array<Column>({
    {"id", [](const ItemResult& r) { return r.has_id ? text(r.id) : null(); }},
    {"state", [](const ItemResult& r) { return text(std::string(to_string(r.state))); }},
    {"output", output_value},
    {"error.class",
     [](const ItemResult& r) {
       return r.error == ErrorClass::none ? null() : text(std::string(to_string(r.error)));
     }},
    {"error.http_status",
     [](const ItemResult& r) {
       return r.error == ErrorClass::none || r.http_status == 0 ? null() : number(r.http_status);
     }},
    {"error.message",
     [](const ItemResult& r) {
       return r.error == ErrorClass::none ? null() : text(r.error_message);
     }},
    {"model", [](const ItemResult& r) { return text_or_null(r.model); }},
    {"usage.input_tokens", [](const ItemResult& r) { return usage_number(r, &Usage::input); }},
    {"usage.cached_input_tokens",
     [](const ItemResult& r) { return usage_number(r, &Usage::cached_input); }},
    {"usage.cache_write_tokens",
     [](const ItemResult& r) { return usage_number(r, &Usage::cache_write); }},
    {"usage.output_tokens", [](const ItemResult& r) { return usage_number(r, &Usage::output); }},
    {"usage.reasoning_tokens",
     [](const ItemResult& r) { return usage_number(r, &Usage::reasoning); }},
    {"usage.estimated",
     [](const ItemResult& r) { return r.usage ? boolean(r.usage->estimated) : null(); }},
    {"cost_usd",
     [](const ItemResult& r) {
       return r.cost ? FieldValue{FieldValue::Kind::json, r.cost->to_decimal()} : null();
     }},
    {"attempts", [](const ItemResult& r) { return number(r.attempts); }},
    {"latency_ms",
     [](const ItemResult& r) { return r.latency_ms ? number(*r.latency_ms) : null(); }},
    {"finish_reason", [](const ItemResult& r) { return text_or_null(r.finish_reason); }},
    {"provider_request_id",
     [](const ItemResult& r) { return text_or_null(r.provider_request_id); }},
    {"cached", [](const ItemResult& r) { return boolean(r.cached); }},
    {"finished_at",
     [](const ItemResult& r) {
       return r.finished_at ? text(format_rfc3339(*r.finished_at)) : null();
     }},
});

std::vector<std::string> split_list(std::string_view list) {
  std::vector<std::string> words;
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view word = trim(list.substr(0, comma));
    if (!word.empty()) words.emplace_back(word);
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return words;
}

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// `usage` stands for all columns whose names begin with `usage.`.
std::vector<std::string> columns_of(const std::string& name) {
  std::vector<std::string> columns;
  for (const std::string& column : flattened_fields()) {
    if (column == name || column.starts_with(name + ".")) columns.push_back(column);
  }
  if (columns.empty() && is_extra_field(name)) columns.push_back(name);
  return columns;
}

tl::unexpected<Error> unknown_field(std::string_view option, const std::string& name,
                                    const std::vector<std::string>& known) {
  std::string message = fmt::format("{}: unknown field '{}'", option, name);
  if (const auto nearest = nearest_word(name, known)) {
    message += fmt::format(" (did you mean '{}'?)", *nearest);
  } else {
    message += fmt::format(" (known: {})", fmt::join(known, ", "));
  }
  return usage_error(std::move(message));
}

}  // namespace

const std::vector<std::string>& flattened_fields() {
  static const std::vector<std::string> kNames = [] {
    std::vector<std::string> names;
    names.reserve(kColumns.size());
    for (const Column& column : kColumns) names.emplace_back(column.name);
    return names;
  }();
  return kNames;
}

bool is_extra_field(std::string_view name) {
  return std::find(kExtras.begin(), kExtras.end(), name) != kExtras.end();
}

Result<ExportFields> ExportFields::parse(std::string_view fields, std::string_view with) {
  ExportFields chosen;
  const std::vector<std::string> extras(kExtras.begin(), kExtras.end());
  chosen.names_ = split_list(fields);
  chosen.all_ = chosen.names_.empty();
  if (chosen.all_) chosen.names_ = item_result_fields();
  for (const std::string& name : chosen.names_) {
    if (!columns_of(name).empty()) continue;
    std::vector<std::string> known = item_result_fields();
    for (const auto& column : flattened_fields()) {
      if (!contains(known, column)) known.push_back(column);
    }
    known.insert(known.end(), extras.begin(), extras.end());
    return unknown_field("--fields", name, known);
  }
  for (const std::string& name : split_list(with)) {
    if (!is_extra_field(name)) return unknown_field("--with", name, extras);
    chosen.names_.push_back(name);
  }
  // A name given twice would make a JSON object with two equal members.
  std::vector<std::string> unique;
  for (const std::string& name : chosen.names_) {
    if (!contains(unique, name)) unique.push_back(name);
  }
  chosen.names_ = std::move(unique);
  for (const std::string& name : chosen.names_) {
    for (const std::string& column : columns_of(name)) {
      if (!contains(chosen.columns_, column)) chosen.columns_.push_back(column);
    }
  }
  return chosen;
}

bool ExportFields::wants(std::string_view extra) const { return contains(names_, extra); }

FieldValue field_value(const ItemResult& result, const ExportExtras& extras,
                       std::string_view name) {
  for (const Column& column : kColumns) {
    if (column.name == name) return column.value(result);
  }
  if (name == "input") return json_or_text(extras.input);
  if (name == "request") return json_or_text(extras.request);
  if (name == "response") return json_or_text(extras.response);
  return null();
}

}  // namespace llmbatch
