#include "llmbatch/report/compare_answers.h"

#include <array>
#include <string>

#include "llmbatch/base/text.h"
#include "llmbatch/report/csv_export.h"

namespace llmbatch {
namespace {

constexpr std::array<std::string_view, 9> kFields = {
    "id", "line", "expected", "model", "state", "answer", "right", "cost_usd", "latency_ms"};
using Values = std::array<FieldValue, kFields.size()>;

FieldValue text(std::string value) { return {FieldValue::Kind::text, std::move(value)}; }
FieldValue number(std::string value) { return {FieldValue::Kind::json, std::move(value)}; }

Values values_of(const CompareItem& item, const std::string& model, const CompareAnswer& answer,
                 const std::optional<ItemResult>& result) {
  Values values;
  values[0] = text(item.id);
  values[1] = number(std::to_string(item.line));
  if (item.expected) values[2] = text(value_text(*item.expected));
  values[3] = text(model);
  values[4] = text(answer.state);
  if (answer.text) values[5] = text(*answer.text);
  if (answer.right) values[6] = number(*answer.right ? "true" : "false");
  if (result && result->cost) values[7] = number(result->cost->to_decimal());
  if (result && result->latency_ms) values[8] = number(std::to_string(*result->latency_ms));
  return values;
}

std::string csv_line(const Values& values) {
  std::string line;
  for (const FieldValue& value : values) {
    if (&value != values.data()) line += ',';
    append_csv_cell(line, value, true);
  }
  return line + "\n";
}

std::string json_line(const Values& values) {
  std::string line = "{";
  for (std::size_t i = 0; i < values.size(); ++i) {
    line += i == 0 ? "\"" : ",\"";
    line.append(kFields[i]).append("\":");
    switch (values[i].kind) {
      case FieldValue::Kind::null:
        line += "null";
        break;
      case FieldValue::Kind::text:
        append_json_string(line, values[i].text);
        break;
      case FieldValue::Kind::json:
        line += values[i].text;
        break;
    }
  }
  return line + "}\n";
}

}  // namespace

Status write_compare_answers(OutputFile output, bool csv, const AnswerScorer& scorer,
                             const std::vector<CompareItem>& items,
                             const std::vector<ModelAnswers>& models) {
  if (csv) {
    std::string header;
    for (const std::string_view field : kFields) {
      header.append(header.empty() ? "" : ",").append(field);
    }
    if (const Status written = output.write(header + "\n"); !written) return written;
  }
  const auto answers = judge_answers(scorer, items, models);
  for (std::size_t i = 0; i < items.size(); ++i) {
    for (std::size_t m = 0; m < models.size(); ++m) {
      const Values values =
          values_of(items[i], models[m].model, answers[m][i], models[m].results[i]);
      const Status written = output.write(csv ? csv_line(values) : json_line(values));
      if (!written) return written;
    }
  }
  return output.finish();
}

}  // namespace llmbatch
