// CsvExport: a header row, then one row per result (RFC 4180 quoting). Rows end with a line feed
// alone, as the tools that read it on Unix expect and all others accept. A null is an empty cell,
// an empty text is `""`. Thread rule: that of ResultSink.
#pragma once

#include "llmbatch/report/export_fields.h"
#include "llmbatch/report/output_file.h"
#include "llmbatch/report/result_sink.h"

namespace llmbatch {

struct CsvOptions {
  /// Puts an apostrophe before texts that a spreadsheet would take for a formula: those that begin
  /// with = + - @, tab, carriage return or line feed (source: OWASP, CSV Injection). Numbers of
  /// ours are never changed.
  bool guard_formulas = false;
};

class CsvExport final : public ResultSink {
 public:
  CsvExport(OutputFile output, ExportFields fields, CsvOptions options);

  Status add(const ItemResult& result, const ExportExtras& extras) override;
  bool wants_more() const override { return !output_.reader_gone(); }
  /// Writes the header also when there is no row.
  Status finish() override;

 private:
  Status write_header();

  OutputFile output_;
  ExportFields fields_;
  CsvOptions options_;
  bool header_written_ = false;
  std::string row_;
};

/// Appends one cell, quoted where needed. Invalid UTF-8 and NUL become U+FFFD.
void append_csv_cell(std::string& out, const FieldValue& value, bool guard_formulas);

}  // namespace llmbatch
