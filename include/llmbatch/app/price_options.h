// PriceOptions: the price table and the job's own price, as the settings say.
// Thread rule: pure functions; price_table_of reads the price file.
#pragma once

#include <string>

#include "llmbatch/app/settings.h"
#include "llmbatch/base/result.h"
#include "llmbatch/policy/pricing.h"

namespace llmbatch {

struct PriceOptions {
  std::string file;  ///< --price-file; empty: none
  FlatPrice flat;
};

/// For commands with the settings of module cost; those a command does not have are absent.
PriceOptions price_options(const Settings& settings);

/// The prices of a job; `profile` and `model` as in JobIdentity. With `max_cost`, fails when the
/// job's own model has no price.
Result<JobPrices> read_job_prices(const PriceOptions& options, const std::string& profile,
                                  const std::string& model, bool max_cost);

/// The shipped table with the user's file over it. Failures are usage errors.
Result<PriceTable> read_price_table(const std::string& file);

}  // namespace llmbatch
