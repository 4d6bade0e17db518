// ItemIndex: what the database knows of its items, read sequentially in packed form (never a row
// per item). Later records of one id supersede earlier ones. Thread rule: one thread.
#pragma once

#include <functional>

#include "llmbatch/base/result.h"
#include "llmbatch/model/line_plan.h"

namespace llmbatch {

class ItemIndex {
 public:
  virtual ~ItemIndex() = default;
  virtual bool empty() const = 0;
  /// The first seq that no item has had.
  virtual std::uint64_t next_seq() const = 0;
  virtual Status for_each(const std::function<void(const IndexRecord&)>& visit) const = 0;
};

}  // namespace llmbatch
