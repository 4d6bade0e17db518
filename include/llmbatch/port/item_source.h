// ItemSource: the items that are to be run, in the order of the input.
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <optional>

#include "llmbatch/base/result.h"
#include "llmbatch/model/item.h"

namespace llmbatch {

class ItemSource {
 public:
  virtual ~ItemSource() = default;

  /// Fills `item` (its strings are reused) with the next item to run; false at the end. Fails when
  /// the input changed under the run or cannot be read any more.
  virtual Result<bool> next(Item& item) = 0;

  /// The line that next() reads next: every line below it was handed out or needs nothing.
  virtual std::uint64_t next_line() const = 0;

  /// True when some item may have `same_as` set.
  virtual bool has_repeats() const { return false; }
};

}  // namespace llmbatch
