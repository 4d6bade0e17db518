// JsonlExport: one JSON object per line. A flattened field name is a member of that name
// (`"usage.input_tokens":412`). Thread rule: that of ResultSink.
#pragma once

#include "llmbatch/report/export_fields.h"
#include "llmbatch/report/output_file.h"
#include "llmbatch/report/result_sink.h"

namespace llmbatch {

class JsonlExport final : public ResultSink {
 public:
  JsonlExport(OutputFile output, ExportFields fields);

  Status add(const ItemResult& result, const ExportExtras& extras) override;
  bool wants_more() const override { return !output_.reader_gone(); }
  Status finish() override { return output_.finish(); }

 private:
  OutputFile output_;
  ExportFields fields_;
  std::string line_;
};

}  // namespace llmbatch
