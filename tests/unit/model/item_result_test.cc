#include "llmbatch/model/item_result.h"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

namespace llmbatch {
namespace {

using testing::HasSubstr;

ItemResult succeeded() {
  ItemResult result;
  result.id = "t-1";
  result.state = ItemState::succeeded;
  result.output = "billing";
  result.model = "gpt-4o-mini-2024-07-18";
  result.usage = Usage{.input = 412, .output = 3, .reported_cost = {}};
  result.cost = Money::parse_dollars("0.0000636");
  result.attempts = 1;
  result.latency_ms = 812;
  result.finish_reason = "stop";
  result.provider_request_id = "req_1";
  result.finished_at = parse_rfc3339("2026-11-23T02:14:07.123Z");
  return result;
}

TEST(ItemResultJson, FieldNamesAndTheirOrderAreFixed) {
  EXPECT_EQ(item_result_fields(),
            (std::vector<std::string>{"id", "state", "output", "error", "model", "usage",
                                      "cost_usd", "attempts", "latency_ms", "finish_reason",
                                      "provider_request_id", "cached", "finished_at"}));
}

TEST(ItemResultJson, SucceededItem) {
  EXPECT_EQ(
      to_json(succeeded()),
      R"({"id":"t-1","state":"succeeded","output":"billing","error":null,)"
      R"("model":"gpt-4o-mini-2024-07-18","usage":{"input_tokens":412,"cached_input_tokens":0,)"
      R"("cache_write_tokens":0,"output_tokens":3,"reasoning_tokens":0,"estimated":false},)"
      R"("cost_usd":0.0000636,"attempts":1,"latency_ms":812,"finish_reason":"stop",)"
      R"("provider_request_id":"req_1","cached":false,"finished_at":"2026-11-23T02:14:07.123Z"})");
}

TEST(ItemResultJson, WhatIsUnknownIsNull) {
  EXPECT_EQ(to_json(ItemResult{}),
            R"({"id":"","state":"pending","output":null,"error":null,"model":null,"usage":null,)"
            R"("cost_usd":null,"attempts":0,"latency_ms":null,"finish_reason":null,)"
            R"("provider_request_id":null,"cached":false,"finished_at":null})");
}

TEST(ItemResultJson, ErrorOfAServer) {
  ItemResult result = succeeded();
  result.error = ErrorClass::server_error;
  result.http_status = 500;
  result.error_message = "try \"later\"";
  EXPECT_THAT(to_json(result), HasSubstr(R"("error":{"class":"server_error","http_status":500,)"
                                         R"("message":"try \"later\""},"model")"));
}

TEST(ItemResultJson, ErrorWithoutAnAnswerHasNoStatus) {
  ItemResult result;
  result.error = ErrorClass::connection;
  EXPECT_THAT(to_json(result),
              HasSubstr(R"("error":{"class":"connection","http_status":null,"message":""})"));
}

TEST(ItemResultJson, LineWithoutAnIdHasNull) {
  ItemResult result;
  result.has_id = false;
  result.state = ItemState::invalid;
  EXPECT_THAT(to_json(result), HasSubstr(R"({"id":null,"state":"invalid",)"));
}

TEST(ItemResultJson, EmptyTextIsNotNull) {
  ItemResult result;
  result.output = "";
  EXPECT_THAT(to_json(result), HasSubstr(R"("output":"",)"));
}

TEST(ItemResultJson, UsageKeepsEveryPart) {
  ItemResult result;
  result.usage = Usage{.input = 10,
                       .cached_input = 4,
                       .cache_write = 2,
                       .output = 7,
                       .reasoning = 5,
                       .estimated = true,
                       .reported_cost = {}};
  result.cached = true;
  const std::string json = to_json(result);
  EXPECT_THAT(json, HasSubstr(R"("usage":{"input_tokens":10,"cached_input_tokens":4,)"
                              R"("cache_write_tokens":2,"output_tokens":7,"reasoning_tokens":5,)"
                              R"("estimated":true})"));
  EXPECT_THAT(json, HasSubstr(R"("cached":true)"));
}

TEST(ItemResultJson, JsonOutputIsSplicedOnOneLine) {
  ItemResult result;
  result.output = "{\n  \"label\": \"a\\nb\"\r\n}";
  result.output_is_json = true;
  const std::string json = to_json(result);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  EXPECT_EQ(json.find('\r'), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(json)["output"]["label"], "a\nb");
}

TEST(ItemResultJson, InvalidUtf8NeverGetsOut) {
  ItemResult result;
  result.id = "a\xFF";
  result.output = "b\xC3";
  result.error = ErrorClass::malformed;
  result.error_message = "c\x80";
  result.model = "\xE2\x82";
  EXPECT_TRUE(nlohmann::json::accept(to_json(result)));
  result.output = "\"b\xFF\"";
  result.output_is_json = true;
  EXPECT_EQ(nlohmann::json::parse(to_json(result))["output"], "b\uFFFD");
}

TEST(ItemResultJson, OnlyTheFieldsAskedForInTheOrderAskedFor) {
  std::string out = "x,";
  append_json_members(out, succeeded(), {"state", "id", "no_such_field", "attempts"});
  EXPECT_EQ(out, R"(x,"state":"succeeded","id":"t-1","attempts":1)");
}

}  // namespace
}  // namespace llmbatch
