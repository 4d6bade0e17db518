// What the requests of a job share, marked for the provider's prompt cache. Pure function.
#pragma once

#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/provider/make_provider.h"

namespace llmbatch {

/// Sets the members of RequestDefaults for --prompt-cache. Fails (usage) where the wire format has
/// no marks, or where the templates (null: none) leave nothing that all requests begin with.
Status mark_prompt_cache(const std::string* prompt_template, const std::string* system_template,
                         ProviderConfig& config);

}  // namespace llmbatch
