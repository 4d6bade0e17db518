#include "llmbatch/model/item.h"

#include <array>

namespace llmbatch {
namespace {

constexpr std::array<std::string_view, kItemStateCount> kStateNames = {
    "pending", "in_flight", "submitted", "succeeded", "filtered", "flagged", "failed", "invalid"};

}  // namespace

std::string_view to_string(ItemState state) { return kStateNames[static_cast<std::size_t>(state)]; }

std::optional<ItemState> parse_item_state(std::string_view name) {
  for (std::size_t index = 0; index < kStateNames.size(); ++index) {
    if (kStateNames[index] == name) return static_cast<ItemState>(index);
  }
  return std::nullopt;
}

bool is_final(ItemState state) {
  switch (state) {
    case ItemState::pending:
    case ItemState::in_flight:
    case ItemState::submitted:
      return false;
    case ItemState::succeeded:
    case ItemState::filtered:
    case ItemState::flagged:
    case ItemState::failed:
    case ItemState::invalid:
      return true;
  }
  return false;
}

}  // namespace llmbatch
