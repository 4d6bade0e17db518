// The JSON form of an estimate.
#include <fmt/format.h>

#include "llmbatch/base/text.h"
#include "llmbatch/report/estimate_report.h"

namespace llmbatch {
namespace {

/// Writes members with their commas.
class JsonObject {
 public:
  explicit JsonObject(std::string& out) : out_(out) { out_ += '{'; }
  void raw(std::string_view name, std::string_view json) {
    key(name);
    out_ += json;
  }
  void text(std::string_view name, const std::optional<std::string>& value) {
    key(name);
    if (value) {
      append_json_string(out_, *value);
    } else {
      out_ += "null";
    }
  }
  void count(std::string_view name, const std::optional<std::int64_t>& value) {
    raw(name, value ? std::to_string(*value) : "null");
  }
  void number(std::string_view name, const std::optional<double>& value) {
    raw(name, value ? fmt::format("{:.6g}", *value) : "null");
  }
  void money(std::string_view name, const std::optional<Money>& value) {
    raw(name, value ? value->to_decimal() : "null");
  }
  void boolean(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  /// The value is written by the caller.
  std::string& key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    append_json_string(out_, name);
    out_ += ':';
    return out_;
  }
  void end() { out_ += '}'; }

 private:
  std::string& out_;
};

void append_interval(std::string& out, const MoneyInterval& cost) {
  JsonObject object(out);
  object.money("low", cost.low);
  object.money("expected", cost.expected);
  object.money("high", cost.high);
  object.end();
}

void append_cost(std::string& out, const std::optional<CostEstimate>& cost) {
  if (!cost) {
    out += "null";
    return;
  }
  JsonObject object(out);
  object.money("low", cost->total.low);
  object.money("expected", cost->total.expected);
  object.money("high", cost->total.high);
  append_interval(object.key("input"), cost->input);
  append_interval(object.key("output"), cost->output);
  object.end();
}

void add_interval(JsonObject& object, const TokenInterval& tokens) {
  object.count("low", tokens.low);
  object.count("expected", tokens.expected);
  object.count("high", tokens.high);
}

std::string sample_basis(const EstimateReport& report) {
  return report.pilot ? "pilot" : "earlier_answers";
}

void append_items(std::string& out, const EstimateReport& report) {
  JsonObject object(out);
  object.count("total", report.items.total());
  object.count("to_do", report.to_do);
  object.count("done_before", report.items.finished() - report.items[ItemState::invalid]);
  object.count("invalid", report.items[ItemState::invalid]);
  object.count("duplicates", report.duplicates);
  object.count("repeats", report.repeats);
  object.end();
}

void append_input(std::string& out, const EstimateReport& report) {
  const auto& ratio = report.basis.input_ratio;
  JsonObject object(out);
  add_interval(object, report.job.input);
  object.count("counted", report.job.counted_input);
  object.text("counter", report.counter);
  object.text("basis", ratio ? sample_basis(report) : "counted");
  object.number("correction", ratio ? std::optional(ratio->value) : std::nullopt);
  object.count("sample", ratio ? std::optional(ratio->n) : std::nullopt);
  object.end();
}

void append_output(std::string& out, const EstimateReport& report) {
  const auto& mean = report.basis.output;
  JsonObject object(out);
  add_interval(object, report.job.output);
  object.text("basis", report.basis.no_output ? "none" : mean ? sample_basis(report) : "cap");
  object.number("mean", mean ? std::optional(mean->value) : std::nullopt);
  object.number("deviation", mean ? std::optional(mean->deviation) : std::nullopt);
  object.count("sample", mean ? std::optional(mean->n) : std::nullopt);
  object.count("capped_by_request", report.own_caps);
  object.count("capped_by_model", report.model_caps);
  object.end();
}

void append_duration(std::string& out, const EstimateReport& report) {
  const auto& duration = report.duration;
  JsonObject object(out);
  object.number("low", duration ? std::optional(duration->low_seconds) : std::nullopt);
  object.number("high", duration ? duration->high_seconds : std::nullopt);
  object.text("bound_by", duration ? std::optional(std::string(duration->bound_by)) : std::nullopt);
  object.number("latency_seconds", report.limits.latency_seconds);
  object.end();
}

void append_caching(std::string& out, const EstimateReport& report) {
  JsonObject object(out);
  object.count("shared_prefix_tokens", report.shared_prefix);
  object.money("saves_up_to_usd", report.prompt_cache_saving);
  object.end();
}

void append_price(std::string& out, const EstimateReport& report) {
  if (report.price == nullptr) {
    out += "null";
    return;
  }
  const TokenRates& rates = report.price->rates;
  JsonObject object(out);
  object.text("model", report.price->name());
  object.money("input", rates.input);
  object.money("cached_input", rates.cached_input);
  object.money("output", rates.output);
  object.money("batch_input", rates.batch_input);
  object.money("batch_output", rates.batch_output);
  object.text("source", report.price->source);
  object.end();
}

void append_texts(std::string& out, const std::vector<std::string>& texts) {
  out += '[';
  for (const std::string& text : texts) {
    if (out.back() != '[') out += ',';
    append_json_string(out, text);
  }
  out += ']';
}

}  // namespace

std::string estimate_json(const EstimateReport& report) {
  std::string out;
  JsonObject object(out);
  object.text("input", report.input);
  object.text("database", report.database.empty() ? std::nullopt : std::optional(report.database));
  object.text("model", report.model.empty() ? std::nullopt : std::optional(report.model));
  append_items(object.key("items"), report);
  append_input(object.key("input_tokens"), report);
  append_output(object.key("output_tokens"), report);
  JsonObject cost(object.key("cost_usd"));
  append_cost(cost.key("real_time"), report.job.real_time);
  append_cost(cost.key("batch"), report.job.batch);
  cost.money("saved", report.repeats_saving);
  cost.end();
  append_duration(object.key("duration_seconds"), report);
  append_caching(object.key("prompt_caching"), report);
  append_price(object.key("price"), report);
  object.count("unpriced_items", report.unpriced);
  append_texts(object.key("unpriced_models"), report.unpriced_models);
  append_texts(object.key("notes"), report.notes);
  object.end();
  return out;
}

}  // namespace llmbatch
