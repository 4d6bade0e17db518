#include "llmbatch/report/review_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"
#include "llmbatch/report/csv_export.h"
#include "llmbatch/report/csv_reader.h"
#include "llmbatch/report/json_text.h"

namespace llmbatch {
namespace {

using nlohmann::json;

constexpr std::size_t kFaultsShown = 10;
constexpr std::size_t kShownChars = 60;
constexpr const char* kKnownVerdicts = "good, bad, skip, accept, requeue";

std::string shown(std::string_view text) {
  return truncate_chars(sanitize_for_terminal(text), kShownChars);
}

FieldValue text_value(std::string text) { return {FieldValue::Kind::text, std::move(text)}; }

FieldValue text_or_null(const std::optional<std::string>& text) {
  return text ? text_value(*text) : FieldValue{};
}

void append_json_value(std::string& out, const std::optional<std::string>& text, bool as_json) {
  std::optional<std::string> value;
  if (text && as_json) value = compact_json(*text);
  if (value) {
    out += *value;
  } else if (text) {
    append_json_string(out, *text);
  } else {
    out += "null";
  }
}

std::string verdict_text(const SheetRow& row) {
  return row.verdict ? std::string(to_string(*row.verdict)) : "";
}

void append_json_row(std::string& out, const SheetRow& row) {
  out += "{\"id\":";
  append_json_string(out, row.id);
  out += fmt::format(",\"state\":\"{}\",\"input\":", to_string(row.state));
  append_json_value(out, row.input, true);
  out += ",\"output\":";
  append_json_value(out, row.output, row.output_is_json);
  out += ",\"verdict\":";
  append_json_string(out, verdict_text(row));
  out += ",\"note\":";
  append_json_string(out, row.note);
  out += fmt::format(",\"attempt\":{}}}\n", row.attempt_id);
}

/// Collects what is wrong with a sheet while it is read.
class SheetParser {
 public:
  explicit SheetParser(std::string file) : file_(std::move(file)) {}

  void fault(std::uint64_t line, std::string_view what) {
    faults_.push_back(fmt::format("{}:{}: {}", file_, line, what));
  }

  /// Takes the texts of one row.
  void add(std::uint64_t line, std::string id, std::string_view verdict, std::string note,
           std::string_view attempt) {
    SheetVerdict row;
    row.line = line;
    row.id = std::move(id);
    row.note = std::move(note);
    const std::string word = to_lower_ascii(trim(verdict));
    if (!word.empty()) {
      row.verdict = parse_verdict(word);
      if (!row.verdict) {
        fault(line,
              fmt::format("unknown verdict '{}' (known: {})", shown(verdict), kKnownVerdicts));
      }
    }
    if (const std::string_view number = trim(attempt); !number.empty()) {
      std::int64_t value = 0;
      const char* end = number.data() + number.size();
      const auto [rest, error] = std::from_chars(number.data(), end, value);
      if (error != std::errc() || rest != end) {
        fault(line, fmt::format("attempt '{}' is not a number", shown(number)));
      }
      row.attempt_id = value;
    }
    if (row.id.empty()) fault(line, "no id");
    rows_.push_back(std::move(row));
  }

  Result<std::vector<SheetVerdict>> finish() {
    if (!faults_.empty()) return sheet_error(faults_);
    return std::move(rows_);
  }

 private:
  std::string file_;
  std::vector<std::string> faults_;
  std::vector<SheetVerdict> rows_;
};

std::optional<std::size_t> column_of(const std::vector<std::string>& header,
                                     std::string_view name) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    if (equals_ignore_case(trim(header[i]), name)) return i;
  }
  return std::nullopt;
}

void parse_csv(std::string_view text, SheetParser& sheet) {
  CsvReader reader(text);
  std::vector<std::string> cells;
  if (!reader.next(cells)) return sheet.fault(1, "the sheet is empty");
  const auto id = column_of(cells, "id");
  const auto verdict = column_of(cells, "verdict");
  const auto note = column_of(cells, "note");
  const auto attempt = column_of(cells, "attempt");
  if (!id || !verdict) {
    return sheet.fault(reader.line(),
                       fmt::format("no column '{}' in the header '{}'", id ? "verdict" : "id",
                                   shown(fmt::format("{}", fmt::join(cells, ",")))));
  }
  const auto cell = [&cells](const std::optional<std::size_t>& column) {
    return column && *column < cells.size() ? cells[*column] : std::string();
  };
  while (reader.next(cells)) {
    if (reader.unterminated()) return sheet.fault(reader.line(), "a quote is not closed");
    sheet.add(reader.line(), cell(id), cell(verdict), cell(note), cell(attempt));
  }
}

/// The text of a member: numbers and booleans as they are written, absent and null as nothing.
std::string member(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

void parse_jsonl(std::string_view text, SheetParser& sheet) {
  std::uint64_t line = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (row.empty()) continue;
    const json object = json::parse(row, nullptr, false);
    if (!object.is_object()) {
      sheet.fault(line, fmt::format("not a JSON object: '{}'", shown(row)));
      continue;
    }
    sheet.add(line, member(object, "id"), member(object, "verdict"), member(object, "note"),
              member(object, "attempt"));
  }
}

}  // namespace

std::optional<SheetFormat> sheet_format_of(std::string_view path) {
  const std::string name = to_lower_ascii(path);
  if (name.ends_with(".csv")) return SheetFormat::csv;
  for (const char* end : {".jsonl", ".ndjson", ".json"}) {
    if (name.ends_with(end)) return SheetFormat::jsonl;
  }
  return std::nullopt;
}

std::string sheet_header(SheetFormat format) {
  return format == SheetFormat::csv ? "id,state,input,output,verdict,note,attempt\n" : "";
}

void append_sheet_row(std::string& out, const SheetRow& row, SheetFormat format,
                      bool guard_formulas) {
  if (format == SheetFormat::jsonl) return append_json_row(out, row);
  append_csv_cell(out, text_value(row.id), guard_formulas);
  out += ',';
  out += to_string(row.state);
  for (const FieldValue& value : {text_or_null(row.input), text_or_null(row.output)}) {
    out += ',';
    append_csv_cell(out, value, guard_formulas);
  }
  out += ',';
  out += verdict_text(row);
  out += ',';
  if (!row.note.empty()) append_csv_cell(out, text_value(row.note), guard_formulas);
  out += fmt::format(",{}\n", row.attempt_id);
}

Result<std::vector<SheetVerdict>> parse_review_sheet(std::string_view text, SheetFormat format,
                                                     const std::string& file) {
  SheetParser sheet(file);
  if (format == SheetFormat::csv) {
    parse_csv(text, sheet);
  } else {
    parse_jsonl(text, sheet);
  }
  return sheet.finish();
}

tl::unexpected<Error> sheet_error(const std::vector<std::string>& faults) {
  const std::size_t count = std::min(faults.size(), kFaultsShown);
  std::string text = fmt::format(
      "{}", fmt::join(faults.begin(), faults.begin() + static_cast<std::ptrdiff_t>(count), "\n"));
  if (faults.size() > count) text += fmt::format("\nand {} more", faults.size() - count);
  return usage_error(text + "\nnothing was stored");
}

}  // namespace llmbatch
