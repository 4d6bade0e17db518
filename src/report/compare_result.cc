#include "llmbatch/report/compare_result.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "llmbatch/base/fd.h"

namespace llmbatch {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxResultBytes = 256U << 20U;
constexpr std::string_view kDatabaseSuffix = ".llmbatch.db";

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// Dollars as a number: the decimal text is exact, and so is its nearest double when printed.
Json dollars(const std::optional<Money>& money) {
  if (!money) return nullptr;
  return Json::parse(money->to_decimal(), nullptr, false);
}

std::optional<Money> money_from(const Json& value) {
  if (!value.is_number()) return std::nullopt;
  return Money::parse_dollars(value.dump());
}

template <typename T>
std::optional<T> optional_from(const Json& value) {
  if (value.is_null()) return std::nullopt;
  return value.get<T>();
}

Json with_best_json(const std::optional<CompareWithBest>& with_best) {
  if (!with_best) return nullptr;
  const CompareWithBest& value = *with_best;
  return {{"both_right", value.counts.both},
          {"only_best_right", value.counts.only_first},
          {"only_this_right", value.counts.only_second},
          {"neither_right", value.counts.neither},
          {"difference", value.difference.difference},
          {"difference_low", value.difference.low},
          {"difference_high", value.difference.high},
          {"p_value", value.p_value}};
}

std::optional<CompareWithBest> with_best_from(const Json& object) {
  if (object.is_null()) return std::nullopt;
  CompareWithBest value;
  value.counts = {object.at("both_right"), object.at("only_best_right"),
                  object.at("only_this_right"), object.at("neither_right")};
  value.difference = {object.at("difference"), object.at("difference_low"),
                      object.at("difference_high")};
  value.p_value = object.at("p_value");
  return value;
}

Json model_json(const CompareModel& model) {
  Json object;
  object["model"] = model.model;
  object["database"] = model.database;
  object["reference"] = model.reference;
  object["items"] = model.items;
  object["done"] = model.done;
  object["judged"] = model.judged;
  object["right"] = model.right;
  object["accuracy"] = model.judged > 0 ? Json(model.accuracy()) : Json(nullptr);
  object["accuracy_low"] = model.interval.low;
  object["accuracy_high"] = model.interval.high;
  object["refused"] = model.refused;
  object["malformed"] = model.malformed;
  object["failed"] = model.failed;
  object["cost_usd"] = dollars(model.cost);
  object["cost_per_1000_usd"] = dollars(model.cost_per_1000);
  object["projected_usd"] = dollars(model.projected);
  object["projected_low_usd"] = dollars(model.projected_low);
  object["projected_high_usd"] = dollars(model.projected_high);
  object["latency_p50_ms"] = optional_json(model.latency_p50_ms);
  object["latency_p95_ms"] = optional_json(model.latency_p95_ms);
  object["usage"] = {{"input_tokens", model.usage.input},
                     {"cached_input_tokens", model.usage.cached_input},
                     {"cache_write_tokens", model.usage.cache_write},
                     {"output_tokens", model.usage.output},
                     {"reasoning_tokens", model.usage.reasoning},
                     {"estimated", model.usage.estimated}};
  object["with_best"] = with_best_json(model.with_best);
  object["pause_reason"] = model.pause_reason.empty() ? Json(nullptr) : Json(model.pause_reason);
  return object;
}

Usage usage_from(const Json& object) {
  Usage usage;
  usage.input = object.at("input_tokens");
  usage.cached_input = object.at("cached_input_tokens");
  usage.cache_write = object.at("cache_write_tokens");
  usage.output = object.at("output_tokens");
  usage.reasoning = object.at("reasoning_tokens");
  usage.estimated = object.at("estimated");
  return usage;
}

CompareModel model_from(const Json& object) {
  CompareModel model;
  model.model = object.at("model");
  model.database = object.at("database");
  model.reference = object.at("reference");
  model.items = object.at("items");
  model.done = object.at("done");
  model.judged = object.at("judged");
  model.right = object.at("right");
  model.interval = {object.at("accuracy_low"), object.at("accuracy_high")};
  model.refused = object.at("refused");
  model.malformed = object.at("malformed");
  model.failed = object.at("failed");
  model.cost = money_from(object.at("cost_usd"));
  model.cost_per_1000 = money_from(object.at("cost_per_1000_usd"));
  model.projected = money_from(object.at("projected_usd"));
  model.projected_low = money_from(object.at("projected_low_usd"));
  model.projected_high = money_from(object.at("projected_high_usd"));
  model.latency_p50_ms = optional_from<std::int64_t>(object.at("latency_p50_ms"));
  model.latency_p95_ms = optional_from<std::int64_t>(object.at("latency_p95_ms"));
  model.usage = usage_from(object.at("usage"));
  model.with_best = with_best_from(object.at("with_best"));
  model.pause_reason = optional_from<std::string>(object.at("pause_reason")).value_or("");
  return model;
}

Json disagreement_json(const CompareDisagreement& item) {
  Json answers = Json::array();
  for (const CompareAnswer& answer : item.answers) {
    answers.push_back({{"state", answer.state},
                       {"text", optional_json(answer.text)},
                       {"right", optional_json(answer.right)}});
  }
  return {{"id", item.id},
          {"line", item.line},
          {"input", item.input},
          {"expected", optional_json(item.expected)},
          {"answers", std::move(answers)}};
}

CompareDisagreement disagreement_from(const Json& object) {
  CompareDisagreement item;
  item.id = object.at("id");
  item.line = object.at("line");
  item.input = object.at("input");
  item.expected = optional_from<std::string>(object.at("expected"));
  for (const Json& answer : object.at("answers")) {
    item.answers.push_back({answer.at("state"), optional_from<std::string>(answer.at("text")),
                            optional_from<bool>(answer.at("right"))});
  }
  return item;
}

Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json model_name(const CompareResult& result, const std::optional<std::size_t>& index) {
  return index ? Json(result.models.at(*index).model) : Json(nullptr);
}

std::optional<std::size_t> index_of(const CompareResult& result, const Json& name) {
  if (!name.is_string()) return std::nullopt;
  for (std::size_t i = 0; i < result.models.size(); ++i) {
    if (result.models[i].model == name.get_ref<const std::string&>()) return i;
  }
  return std::nullopt;
}

CompareResult result_from(const Json& object) {
  CompareResult result;
  result.input = object.at("input");
  result.directory = object.at("directory");
  result.sample = object.at("sample");
  result.eligible = object.at("eligible");
  result.items = object.at("items");
  result.sample_seed = object.at("sample_seed");
  result.expected_field = optional_from<std::string>(object.at("expect")).value_or("");
  result.match_mode = object.at("expect_mode");
  result.answer_pointer = optional_from<std::string>(object.at("answer_pointer")).value_or("");
  result.tolerance = object.at("tolerance");
  for (const Json& model : object.at("models")) result.models.push_back(model_from(model));
  result.best = index_of(result, object.at("best"));
  result.chosen = index_of(result, object.at("chosen"));
  result.saved_per_1000 = money_from(object.at("saved_per_1000_usd"));
  result.saved = money_from(object.at("saved_usd"));
  for (const Json& note : object.at("notes")) result.notes.push_back(note);
  result.verdict = object.at("verdict");
  result.disagreement_count = object.at("disagreement_count");
  for (const Json& item : object.at("disagreements")) {
    result.disagreements.push_back(disagreement_from(item));
  }
  return result;
}

}  // namespace

std::string to_json(const CompareResult& result) {
  Json object;
  object["input"] = result.input;
  object["directory"] = result.directory;
  object["sample"] = result.sample;
  object["eligible"] = result.eligible;
  object["items"] = result.items;
  object["sample_seed"] = result.sample_seed;
  object["expect"] = text_or_null(result.expected_field);
  object["expect_mode"] = result.match_mode;
  object["answer_pointer"] = text_or_null(result.answer_pointer);
  object["tolerance"] = result.tolerance;
  object["models"] = Json::array();
  for (const CompareModel& model : result.models) object["models"].push_back(model_json(model));
  object["best"] = model_name(result, result.best);
  object["chosen"] = model_name(result, result.chosen);
  object["saved_per_1000_usd"] = dollars(result.saved_per_1000);
  object["saved_usd"] = dollars(result.saved);
  object["notes"] = result.notes;
  object["verdict"] = result.verdict;
  object["disagreement_count"] = result.disagreement_count;
  object["disagreements"] = Json::array();
  for (const CompareDisagreement& item : result.disagreements) {
    object["disagreements"].push_back(disagreement_json(item));
  }
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<CompareResult> compare_result_from_json(const std::string& text) {
  const Json object = Json::parse(text, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  try {
    return result_from(object);
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

Result<std::optional<CompareResult>> find_compare_result(const std::string& path) {
  std::string input = path;
  if (input.ends_with(kDatabaseSuffix)) input.resize(input.size() - kDatabaseSuffix.size());
  const std::string beside = input + std::string(kCompareSuffix);
  std::error_code ignored;
  for (const std::string& candidate : {path, path + "/" + std::string(kCompareResultFile),
                                       beside + "/" + std::string(kCompareResultFile)}) {
    const bool named = candidate.ends_with("/" + std::string(kCompareResultFile)) ||
                       candidate == kCompareResultFile;
    if (!named || !std::filesystem::is_regular_file(candidate, ignored)) continue;
    const auto text = read_file(candidate, kMaxResultBytes);
    if (!text) return forward_error(text);
    auto result = compare_result_from_json(*text);
    if (!result) return failure(candidate + ": not the result of a comparison");
    return std::optional<CompareResult>(std::move(*result));
  }
  return std::optional<CompareResult>();
}

}  // namespace llmbatch
