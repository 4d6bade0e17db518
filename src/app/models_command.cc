// `llmbatch models`: the price and limit table in use.
#include <fmt/format.h>

#include <cstdio>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/price_options.h"
#include "llmbatch/base/text.h"
#include "llmbatch/report/price_report.h"

namespace llmbatch {

int models_command(const ParsedCommand& parsed) {
  const auto table = read_price_table(price_options(parsed.settings).file);
  if (!table) return report_error(table.error());
  const std::string filter = parsed.positionals.empty() ? "" : parsed.positionals[0];
  const bool json = parsed.settings.flag("json");
  const std::string text =
      json ? prices_json(*table, filter) + "\n" : format_prices(*table, filter);
  if (text.empty()) {
    fmt::print(stderr,
               "llmbatch: no model of the table contains '{}': its price is unknown; --price-file "
               "adds one\n",
               sanitize_for_terminal(filter));
  }
  fmt::print("{}", text);
  return std::fflush(stdout) == 0 ? static_cast<int>(ExitCode::ok)
                                  : static_cast<int>(ExitCode::failure);
}

}  // namespace llmbatch
