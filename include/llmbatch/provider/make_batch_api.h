// make_batch_api: the Batch API that belongs to a provider, or why there is none.
// Thread rule: plain function; what it returns is const.
#pragma once

#include <memory>

#include "llmbatch/base/result.h"
#include "llmbatch/port/batch_api.h"
#include "llmbatch/provider/make_provider.h"

namespace llmbatch {

/// Fails (usage) when the provider has no Batch API that we know, or not for this wire format; the
/// message names the provider and the reason.
Result<std::unique_ptr<BatchApi>> make_batch_api(const ProviderConfig& config);

/// OpenAI's lines for any server and any file: what `batches write` writes where the provider has
/// no Batch API of its own, and what offline engines read.
std::unique_ptr<BatchApi> offline_batch_api(const ProviderConfig& config);

}  // namespace llmbatch
