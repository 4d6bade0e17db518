// JobTarget: where a job's requests go and what they are made of: profile, wire format, base URL,
// model, key. Thread rule: plain value; resolve_target reads the environment and the key file.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llmbatch/app/environment.h"
#include "llmbatch/app/run_options.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/job.h"
#include "llmbatch/provider/make_provider.h"

namespace llmbatch {

struct JobTarget {
  ProviderConfig provider;  ///< holds the key: never log it
  JobIdentity identity;
  /// Hash of the base URL where no profile names one: answers are reused within one endpoint.
  std::optional<Hash128> endpoint;
  /// The same for answers that are shared with other jobs: of any base URL that is not the
  /// profile's own, so that a stand-in for a provider never answers for it.
  std::optional<Hash128> shared_endpoint;
  std::string display_model;          ///< what the user is shown
  std::vector<std::string> warnings;  ///< for stderr
};

/// `rehearsal_url`: origin of the embedded simulator (`http://127.0.0.1:PORT`), which then takes
/// the provider's place and needs no key; empty: the real one. Failures are usage errors.
Result<JobTarget> resolve_target(const RunOptions& options, const Environment& environment,
                                 const std::string& rehearsal_url);

}  // namespace llmbatch
