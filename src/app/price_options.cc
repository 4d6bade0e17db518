#include "llmbatch/app/price_options.h"

#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

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

Result<JobPrices> read_job_prices(const PriceOptions& options, const std::string& profile,
                                  const std::string& model, bool max_cost) {
  const auto table = read_price_table(options.file);
  if (!table) return forward_error(table);
  auto prices = JobPrices::make(*table, profile, model, options.flat);
  // Items may name models of their own; those are looked up when it is their turn.
  if (!prices || !max_cost || model.empty() || prices->find(model) != nullptr) return prices;
  return usage_error("--max-cost: the price of " + sanitize_for_terminal(profile + '/' + model) +
                     " is unknown; give it with --price-input and --price-output (USD per million "
                     "tokens) or with --price-file");
}

}  // namespace llmbatch
