// Which fields `export` writes, and the values of the flattened ones. The names are a promise:
// those of the JSON line, nested ones flattened with dots (`usage.input_tokens`, `error.class`),
// and the extra members `input`, `request`, `response`. Thread rule: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/item_result.h"
#include "llmbatch/report/result_sink.h"

namespace llmbatch {

/// One value, not yet written as JSON or CSV.
struct FieldValue {
  enum class Kind {
    null,
    text,  ///< any bytes
    json,  ///< compact JSON text: number, boolean, object, ...
  };
  Kind kind = Kind::null;
  std::string text;
};

class ExportFields {
 public:
  /// Comma-separated lists; `fields` empty: all fields of a result. `with` adds the extra members.
  /// An unknown name is a usage error that names the nearest known one.
  static Result<ExportFields> parse(std::string_view fields, std::string_view with);

  /// No fields were chosen: all of a result, then the extra members.
  bool all() const { return all_; }
  /// As chosen, in that order: members (`usage`) and flattened names (`usage.input_tokens`).
  const std::vector<std::string>& names() const { return names_; }
  /// `names()` with every nested member replaced by its flattened names: the columns of CSV.
  const std::vector<std::string>& columns() const { return columns_; }
  /// True for `input`, `request` and `response` when they have to be fetched.
  bool wants(std::string_view extra) const;

 private:
  bool all_ = true;
  std::vector<std::string> names_;
  std::vector<std::string> columns_;
};

/// All flattened names of a result, in order.
const std::vector<std::string>& flattened_fields();
bool is_extra_field(std::string_view name);

/// The value of a column. `name` is a flattened name or an extra member.
FieldValue field_value(const ItemResult& result, const ExportExtras& extras, std::string_view name);

}  // namespace llmbatch
