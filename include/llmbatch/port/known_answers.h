// KnownAnswers: answers that may be taken over instead of making a call again. Only accepted ones:
// refused, truncated and flagged answers are not handed out. Thread rule: one thread, that of the
// loop.
#pragma once

#include <cstdint>
#include <memory>

#include "llmbatch/base/hash.h"
#include "llmbatch/base/result.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

class KnownAnswers {
 public:
  virtual ~KnownAnswers() = default;

  /// The committed answer of item `seq`, if it has one and was asked exactly this at the endpoint
  /// of this run; else null.
  virtual Result<std::shared_ptr<const ReusedAnswer>> find(std::uint64_t seq,
                                                           const Hash128& request_hash) = 0;

  /// True when there is a cache of other jobs to ask.
  virtual bool has_shared() const { return false; }
  /// The answer to this request in that cache, with ReusedAnswer::foreign set; null: none.
  virtual std::shared_ptr<const ReusedAnswer> find_shared(const Hash128& request_hash) {
    static_cast<void>(request_hash);
    return nullptr;
  }
};

}  // namespace llmbatch
