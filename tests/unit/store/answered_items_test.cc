#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

class AnsweredItems : public StoreTest {
 protected:
  std::vector<AnsweredItem> read(std::optional<std::int64_t> run = {}, std::int64_t limit = 100) {
    auto items = reader()->answered_items(run, limit);
    EXPECT_TRUE(items.has_value()) << items.error().message;
    return items ? *items : std::vector<AnsweredItem>();
  }
};

TEST_F(AnsweredItems, SumOfAllAttemptsOfTheRunThatFinishedThem) {
  auto store = open();
  begin(*store, {{1, 3, LineKind::todo, 1}});
  ItemUpdate first = succeeded(1, "a", "");
  first.state = ItemState::pending;
  first.attempt->error = ErrorClass::malformed;
  ItemUpdate second = succeeded(1, "a", "x");
  second.attempt->number = 2;
  second.attempt->latency = std::chrono::milliseconds(20);
  commit(*store, {first});
  commit(*store, {second, succeeded(2, "b", "y")});
  const auto items = read();
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].seq, 1U);
  EXPECT_EQ(items[0].input, 824);
  EXPECT_EQ(items[0].output, 6);
  EXPECT_EQ(items[0].attempts, 2);
  EXPECT_EQ(items[0].latency_us, 812'000);
  EXPECT_EQ(items[1].input, 412);
}

TEST_F(AnsweredItems, WithoutUsageOrWithoutAFinalStateTheySayNothing) {
  auto store = open();
  begin(*store, {{1, 4, LineKind::todo, 1}});
  ItemUpdate no_usage = succeeded(1, "a", "x");
  no_usage.attempt->usage.reset();
  ItemUpdate guessed = succeeded(2, "b", "x");
  guessed.attempt->usage->estimated = true;
  commit(*store, {no_usage, guessed, failed(3, "c", 1, ItemState::pending),
                  failed(4, "d", 1, ItemState::failed)});
  EXPECT_TRUE(read().empty());
}

TEST_F(AnsweredItems, OfOneRunOnly) {
  auto store = open();
  begin(*store, {{1, 2, LineKind::todo, 1}});
  commit(*store, {succeeded(1, "a", "x")});
  begin(*store, {{1, 2, LineKind::todo, 1}});
  commit(*store, {succeeded(2, "b", "x")});
  EXPECT_EQ(read().size(), 2U);
  const auto last = read(2);
  ASSERT_EQ(last.size(), 1U);
  EXPECT_EQ(last[0].seq, 2U);
  EXPECT_EQ(read({}, 1).size(), 1U);
}

}  // namespace
}  // namespace llmbatch::store_test
