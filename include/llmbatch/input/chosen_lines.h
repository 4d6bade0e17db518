// ChosenLines: of the items that a plan has to run only some, drawn at random: those of a pilot.
// Thread rule: that of the plan.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "llmbatch/port/item_source.h"
#include "llmbatch/port/line_plan.h"

namespace llmbatch {

/// `count` of the numbers 0 .. `total` - 1, ascending, every choice equally likely; all of them
/// when there are not more. Robert Floyd's method (Bentley, Communications of the ACM 30/9, 1987).
std::vector<std::uint64_t> draw_ordinals(std::uint64_t total, std::uint64_t count,
                                         std::uint64_t seed);

class ChosenLines final : public LineRunStream {
 public:
  /// `ordinals`: of the lines to be run (todo, todo_again) in plan order, from 0; ascending.
  ChosenLines(std::unique_ptr<LineRunStream> plan, std::vector<std::uint64_t> ordinals)
      : plan_(std::move(plan)), ordinals_(std::move(ordinals)) {}
  /// Runs of chosen lines only.
  Result<bool> next(LineRun& run) override;
  Status rewind() override;

 private:
  std::unique_ptr<LineRunStream> plan_;
  std::vector<std::uint64_t> ordinals_;
  std::size_t index_ = 0;     ///< into ordinals_
  std::uint64_t passed_ = 0;  ///< lines to be run before run_
  LineRun run_;
};

/// Items of chosen lines. What lies between them is not done, so next_line() stays where the run
/// began: the run's watermark must not pass a line that was left out.
class ChosenItems final : public ItemSource {
 public:
  ChosenItems(std::unique_ptr<ItemSource> items, std::uint64_t first_line)
      : items_(std::move(items)), first_line_(first_line) {}
  Result<bool> next(Item& item) override { return items_->next(item); }
  std::uint64_t next_line() const override { return first_line_; }
  bool has_repeats() const override { return items_->has_repeats(); }

 private:
  std::unique_ptr<ItemSource> items_;
  std::uint64_t first_line_;
};

}  // namespace llmbatch
