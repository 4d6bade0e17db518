// What the parts of the Runner share about updates and answers that are taken over.
#pragma once

#include <memory>

#include "llmbatch/model/item.h"
#include "llmbatch/port/result_store.h"

namespace llmbatch {

/// An update with the item's identity, and nothing that happened to it.
ItemUpdate identify(const Item& item);

/// The answer that `update` brings, for other items with the same request.
std::shared_ptr<const ReusedAnswer> describe_answer(const ItemUpdate& update);

}  // namespace llmbatch
