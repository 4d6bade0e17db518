#include "sim_fixture.h"

namespace llmbatch::sim {
namespace {

nlohmann::json marked_body(const std::string& shared, const std::string& own) {
  return {{"model", "sim-model"},
          {"max_tokens", 100},
          {"system",
           {{{"type", "text"}, {"text", shared}, {"cache_control", {{"type", "ephemeral"}}}}}},
          {"messages", {{{"role", "user"}, {"content", own}}}}};
}

nlohmann::json usage_of(const Simulator& simulator, const nlohmann::json& body) {
  const auto reply = test::RawHttpClient(simulator.port())
                         .post(kMessages, body.dump(), {{"anthropic-version", "2023-06-01"}});
  return json_of(reply)["usage"];
}

TEST(SimPromptCache, IsWrittenOnceAndReadThen) {
  const auto simulator = start_simulator();
  const std::string shared(8000, 'x');
  const auto first = usage_of(*simulator, marked_body(shared, "one"));
  const auto written = first["cache_creation_input_tokens"].get<int>();
  EXPECT_NEAR(written, 2000, 5) << "four bytes a token";
  EXPECT_EQ(first["cache_read_input_tokens"], 0);
  const auto second = usage_of(*simulator, marked_body(shared, "two"));
  EXPECT_EQ(second["cache_creation_input_tokens"], 0);
  EXPECT_EQ(second["cache_read_input_tokens"], written);
  EXPECT_LT(second["input_tokens"], 10) << "what was read is not part of it";
  const auto other = usage_of(*simulator, marked_body(std::string(8000, 'y'), "two"));
  EXPECT_EQ(other["cache_creation_input_tokens"], written);
}

TEST(SimPromptCache, LeavesShortAndUnmarkedPromptsAlone) {
  const auto simulator = start_simulator();
  auto unmarked = marked_body(std::string(8000, 'x'), "one");
  unmarked["system"][0].erase("cache_control");
  for (const auto& body : {unmarked, marked_body(std::string(2000, 'x'), "one")}) {
    const auto usage = usage_of(*simulator, body);
    EXPECT_EQ(usage["cache_creation_input_tokens"], 0);
    EXPECT_EQ(usage["cache_read_input_tokens"], 0);
  }
}

}  // namespace
}  // namespace llmbatch::sim
