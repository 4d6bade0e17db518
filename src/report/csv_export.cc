#include "llmbatch/report/csv_export.h"

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr std::string_view kFormulaStarts = "=+-@\t\r\n";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    if (c == '\0') {
      out += kReplacement;  // Many readers end a cell, or the whole file, at a NUL.
      continue;
    }
    if (c == '"') out += '"';
    out += c;
  }
  out += '"';
}

bool needs_quotes(std::string_view text) {
  constexpr std::string_view kSpecial("\",\r\n\0", 5);
  return text.empty() || text.front() == ' ' || text.back() == ' ' ||
         text.find_first_of(kSpecial) != std::string_view::npos;
}

}  // namespace

void append_csv_cell(std::string& out, const FieldValue& value, bool guard_formulas) {
  if (value.kind == FieldValue::Kind::null) return;
  std::string text = to_valid_utf8(value.text);
  // A JSON string is guarded by its quotation mark; a JSON number or object begins with no letter
  // that a spreadsheet would compute.
  if (guard_formulas && value.kind == FieldValue::Kind::text && !text.empty() &&
      kFormulaStarts.find(text.front()) != std::string_view::npos) {
    text.insert(text.begin(), '\'');
  }
  if (needs_quotes(text)) {
    append_quoted(out, text);
  } else {
    out += text;
  }
}

CsvExport::CsvExport(OutputFile output, ExportFields fields, CsvOptions options)
    : output_(std::move(output)), fields_(std::move(fields)), options_(options) {}

Status CsvExport::add(const ItemResult& result, const ExportExtras& extras) {
  if (auto written = write_header(); !written) return written;
  row_.clear();
  bool first = true;
  for (const std::string& name : fields_.columns()) {
    if (!first) row_ += ',';
    first = false;
    append_csv_cell(row_, field_value(result, extras, name), options_.guard_formulas);
  }
  // A row of one empty cell would be a blank line, which readers skip.
  if (row_.empty()) row_ = "\"\"";
  row_ += '\n';
  return output_.write(row_);
}

Status CsvExport::finish() {
  if (auto written = write_header(); !written) return written;
  return output_.finish();
}

Status CsvExport::write_header() {
  if (header_written_) return {};
  header_written_ = true;
  std::string header;
  for (const std::string& name : fields_.columns()) {
    if (!header.empty()) header += ',';
    header += name;
  }
  return output_.write(header + "\n");
}

}  // namespace llmbatch
