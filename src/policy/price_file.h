// PriceFileReader: takes a price file (the form of data/prices.json) over a table.
// Thread rule: one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "decimal_json.h"
#include "llmbatch/policy/pricing.h"

namespace llmbatch {

class PriceFileReader {
 public:
  /// `name` begins every message. On failure `table` is left half done.
  PriceFileReader(PriceTable& table, std::string name) : table_(table), name_(std::move(name)) {}

  Status read(const DecimalJson& root);

 private:
  using Kind = DecimalJson::Kind;

  tl::unexpected<Error> wrong(const std::string& place, const DecimalJson& value,
                              std::string_view expected) const;
  Status check_names(const DecimalJson& object, const std::string& place,
                     std::initializer_list<std::string_view> known) const;
  Status read_text(const DecimalJson& object, std::string_view member, std::string& text) const;

  // Each leaves what is to be filled as it is when the member is missing.
  Status read_price(const DecimalJson& object, std::string_view member, const std::string& place,
                    std::optional<Money>& price) const;
  Status read_count(const DecimalJson& object, std::string_view member, const std::string& place,
                    std::optional<TokenCount>& count) const;
  Status read_factor(const DecimalJson& object, std::string_view member, const std::string& place,
                     std::optional<Factor>& factor) const;
  Status read_rates(const DecimalJson& object, const std::string& place, bool complete,
                    TokenRates& rates) const;

  Status read_models(const DecimalJson& root);
  Status read_model(const DecimalJson& row, std::string place, const DecimalJson* sources);
  Status read_long_context(const DecimalJson& root);
  Status read_long_tier(const DecimalJson& entry, const std::string& place);
  Status read_times(const DecimalJson& root);
  Status read_peak(const DecimalJson& entry, const std::string& place, PeakHours& peak) const;
  Status read_change(const DecimalJson& entry, const std::string& place);
  Status read_cache_writes(const DecimalJson& root);
  /// The rows that an entry's `ids` name, whatever their provider.
  Result<std::vector<ModelPrice*>> rows_of(const DecimalJson& entry, const std::string& place);

  PriceTable& table_;
  std::string name_;
};

}  // namespace llmbatch
