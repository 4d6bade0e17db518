// The second question after an answer that failed its check: the first request with the answer and
// the reason appended as turns, in each wire format. Pure functions of bytes.
#pragma once

#include <string_view>

#include "llmbatch/model/item.h"
#include "llmbatch/model/job.h"
#include "llmbatch/model/outcome.h"

namespace llmbatch {

struct FailedAnswer {
  const Completion& completion;
  std::string_view violation;
};

/// False when the body has no turns to append to, or the answer is no text.
bool append_reask(WireFormat format, const Request& first, const FailedAnswer& answer,
                  Request& request);

}  // namespace llmbatch
