// Every name and number that is stored or printed, as a literal.
#include <gtest/gtest.h>

#include <vector>

#include "llmbatch/model/item.h"
#include "llmbatch/model/job.h"
#include "llmbatch/model/line_plan.h"
#include "llmbatch/model/outcome.h"

namespace llmbatch {
namespace {

TEST(ItemState, NumbersAndNamesAreFixed) {
  const std::vector<std::pair<int, std::string_view>> expected = {
      {0, "pending"},  {1, "in_flight"}, {2, "submitted"}, {3, "succeeded"},
      {4, "filtered"}, {5, "flagged"},   {6, "failed"},    {7, "invalid"}};
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(kItemStateCount));
  for (const auto& [number, name] : expected) {
    EXPECT_EQ(to_string(static_cast<ItemState>(number)), name);
    EXPECT_EQ(parse_item_state(name), static_cast<ItemState>(number));
  }
  EXPECT_EQ(static_cast<int>(ItemState::pending), 0);
  EXPECT_EQ(static_cast<int>(ItemState::in_flight), 1);
  EXPECT_EQ(static_cast<int>(ItemState::submitted), 2);
  EXPECT_EQ(static_cast<int>(ItemState::succeeded), 3);
  EXPECT_EQ(static_cast<int>(ItemState::filtered), 4);
  EXPECT_EQ(static_cast<int>(ItemState::flagged), 5);
  EXPECT_EQ(static_cast<int>(ItemState::failed), 6);
  EXPECT_EQ(static_cast<int>(ItemState::invalid), 7);
}

TEST(ItemState, UnknownNamesAreRefused) {
  EXPECT_EQ(parse_item_state(""), std::nullopt);
  EXPECT_EQ(parse_item_state("Failed"), std::nullopt);
  EXPECT_EQ(parse_item_state("fail"), std::nullopt);
}

TEST(ItemState, FiveStatesAreFinal) {
  EXPECT_FALSE(is_final(ItemState::pending));
  EXPECT_FALSE(is_final(ItemState::in_flight));
  EXPECT_FALSE(is_final(ItemState::submitted));
  EXPECT_TRUE(is_final(ItemState::succeeded));
  EXPECT_TRUE(is_final(ItemState::filtered));
  EXPECT_TRUE(is_final(ItemState::flagged));
  EXPECT_TRUE(is_final(ItemState::failed));
  EXPECT_TRUE(is_final(ItemState::invalid));
}

struct NamedError {
  ErrorClass error;
  int number;
  std::string_view name;
};

TEST(ErrorClass, NumbersAndNamesAreFixed) {
  const std::vector<NamedError> expected = {
      {ErrorClass::none, 0, "none"},
      {ErrorClass::rate_limited, 1, "rate_limited"},
      {ErrorClass::overloaded, 2, "overloaded"},
      {ErrorClass::server_error, 3, "server_error"},
      {ErrorClass::timeout, 4, "timeout"},
      {ErrorClass::connection, 5, "connection"},
      {ErrorClass::request_timeout, 6, "request_timeout"},
      {ErrorClass::content_policy, 7, "content_policy"},
      {ErrorClass::malformed, 8, "malformed"},
      {ErrorClass::truncated, 9, "truncated"},
      {ErrorClass::invalid_request, 10, "invalid_request"},
      {ErrorClass::context_length, 11, "context_length"},
      {ErrorClass::too_large, 12, "too_large"},
      {ErrorClass::model_not_found, 13, "model_not_found"},
      {ErrorClass::quota_exhausted, 14, "quota_exhausted"},
      {ErrorClass::authentication, 15, "authentication"},
      {ErrorClass::permission, 16, "permission"},
      {ErrorClass::response_too_large, 17, "response_too_large"},
      {ErrorClass::invalid_input, 18, "invalid_input"},
      {ErrorClass::interrupted, 19, "interrupted"},
      {ErrorClass::check_failed, 20, "check_failed"},
  };
  for (const NamedError& entry : expected) {
    EXPECT_EQ(static_cast<int>(entry.error), entry.number) << entry.name;
    EXPECT_EQ(to_string(entry.error), entry.name);
    EXPECT_EQ(parse_error_class(entry.name), entry.error);
  }
  EXPECT_EQ(parse_error_class("unknown"), std::nullopt);
}

TEST(LineKind, NumbersAreFixed) {
  EXPECT_EQ(static_cast<int>(LineKind::blank), 0);
  EXPECT_EQ(static_cast<int>(LineKind::todo), 1);
  EXPECT_EQ(static_cast<int>(LineKind::todo_again), 2);
  EXPECT_EQ(static_cast<int>(LineKind::done), 3);
  EXPECT_EQ(static_cast<int>(LineKind::duplicate), 4);
  EXPECT_EQ(static_cast<int>(LineKind::invalid), 5);
}

TEST(WireFormat, NamesAreFixed) {
  const std::vector<std::pair<WireFormat, std::string_view>> expected = {
      {WireFormat::openai_chat, "openai-chat"},
      {WireFormat::openai_responses, "openai-responses"},
      {WireFormat::openai_embeddings, "openai-embeddings"},
      {WireFormat::anthropic_messages, "anthropic"},
      {WireFormat::gemini_generate, "gemini"}};
  for (const auto& [format, name] : expected) {
    EXPECT_EQ(to_string(format), name);
    EXPECT_EQ(parse_wire_format(name), format);
  }
  EXPECT_EQ(parse_wire_format("openai"), std::nullopt);
}

}  // namespace
}  // namespace llmbatch
