#include "llmbatch/app/price_options.h"

#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/fd.h"

namespace llmbatch {
namespace {

constexpr std::size_t kMaxFileBytes = 16U << 20U;

}  // namespace

PriceOptions price_options(const Settings& settings) {
  PriceOptions options;
  options.file = settings.text("price-file");
  if (find_setting(settings.command(), "price-input") == nullptr) return options;
  options.flat.input = settings.optional_money("price-input");
  options.flat.output = settings.optional_money("price-output");
  options.flat.cached_input = settings.optional_money("price-cached-input");
  return options;
}

Result<PriceTable> read_price_table(const std::string& file) {
  PriceTable table = PriceTable::shipped();
  if (file.empty()) return table;
  const auto text = read_file(file, kMaxFileBytes);
  if (!text) return usage_error("--price-file: " + text.error().message);
  if (auto status = table.merge(*text, file); !status) return forward_error(status);
  return table;
}

}  // namespace llmbatch
