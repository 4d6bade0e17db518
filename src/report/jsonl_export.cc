#include "llmbatch/report/jsonl_export.h"

#include <algorithm>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

bool is_whole_member(const std::string& name) {
  const auto& members = item_result_fields();
  return std::find(members.begin(), members.end(), name) != members.end();
}

void append_value(std::string& out, const FieldValue& value) {
  switch (value.kind) {
    case FieldValue::Kind::null:
      out += "null";
      return;
    case FieldValue::Kind::text:
      append_json_string(out, value.text);
      return;
    case FieldValue::Kind::json:
      out += value.text;
      return;
  }
}

}  // namespace

JsonlExport::JsonlExport(OutputFile output, ExportFields fields)
    : output_(std::move(output)), fields_(std::move(fields)) {}

Status JsonlExport::add(const ItemResult& result, const ExportExtras& extras) {
  line_ = "{";
  if (fields_.all()) append_json_members(line_, result);
  for (const std::string& name : fields_.names()) {
    const bool whole = is_whole_member(name);
    if (fields_.all() && whole) continue;
    if (line_.size() > 1) line_ += ',';
    if (whole) {
      append_json_members(line_, result, {name});
      continue;
    }
    append_json_string(line_, name);
    line_ += ':';
    append_value(line_, field_value(result, extras, name));
  }
  line_ += "}\n";
  return output_.write(line_);
}

}  // namespace llmbatch
