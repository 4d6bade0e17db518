#include "llmbatch/model/remote_batch.h"

namespace llmbatch {

std::string_view to_string(RemoteBatchState state) {
  switch (state) {
    case RemoteBatchState::unknown:
      return "unknown";
    case RemoteBatchState::validating:
      return "validating";
    case RemoteBatchState::in_progress:
      return "in_progress";
    case RemoteBatchState::finalizing:
      return "finalizing";
    case RemoteBatchState::cancelling:
      return "cancelling";
    case RemoteBatchState::completed:
      return "completed";
    case RemoteBatchState::failed:
      return "failed";
    case RemoteBatchState::expired:
      return "expired";
    case RemoteBatchState::cancelled:
      return "cancelled";
  }
  return "unknown";
}

bool has_ended(RemoteBatchState state) {
  return state == RemoteBatchState::completed || state == RemoteBatchState::failed ||
         state == RemoteBatchState::expired || state == RemoteBatchState::cancelled;
}

}  // namespace llmbatch
