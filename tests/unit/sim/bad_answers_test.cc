// Answers that fail their check: always the same, and mended when asked on.
#include <set>

#include "sim_fixture.h"

namespace llmbatch::sim {
namespace {

using nlohmann::json;

class BadAnswers : public ::testing::Test {
 protected:
  /// The content of the answer to `messages` with the schema {"label": "a" or "b"}.
  std::string answer(const json& messages) {
    const json body = {
        {"model", "m"},
        {"messages", messages},
        {"response_format",
         {{"type", "json_schema"},
          {"json_schema",
           {{"schema", json::parse(R"({"type":"object","properties":{"label":{"enum":["a","b"]}},
                                       "required":["label"],"additionalProperties":false})")}}}}}};
    const auto reply = test::RawHttpClient(simulator_->port()).post(kChat, body.dump());
    EXPECT_EQ(reply.status, 200);
    return json_of(reply)["choices"][0]["message"]["content"];
  }
  std::string asked(const std::string& fault, int number) {
    return answer({{{"role", "user"}, {"content", prompt(fault, number)}}});
  }
  std::string asked_on(const std::string& fault, int number) {
    return answer({{{"role", "user"}, {"content", prompt(fault, number)}},
                   {{"role", "assistant"}, {"content", "so so"}},
                   {{"role", "user"}, {"content", "This answer fails its check: it is bad"}}});
  }
  static std::string prompt(const std::string& fault, int number) {
    return "question " + std::to_string(number) + " [[sim:" + fault + "]]";
  }
  static bool fits(const std::string& text) {
    const json value = json::parse(text, nullptr, false);
    return value.is_object() && value.size() == 1 &&
           (value["label"] == "a" || value["label"] == "b");
  }

  std::unique_ptr<Simulator> simulator_ = start_simulator();
};

TEST_F(BadAnswers, FailInMoreThanOneWayAndTheSameWayEachTime) {
  std::set<bool> kinds;
  for (int number = 0; number < 12; ++number) {
    const std::string text = asked("badanswer", number);
    EXPECT_FALSE(fits(text)) << text;
    kinds.insert(json::accept(text));
    EXPECT_EQ(asked("badanswer", number), text);
  }
  EXPECT_EQ(kinds.size(), 2U) << "prose, and JSON of the wrong type";
}

TEST_F(BadAnswers, AreMendedWhenAskedOnUnlessStubborn) {
  for (int number = 0; number < 6; ++number) {
    EXPECT_TRUE(fits(asked_on("badanswer", number)));
    EXPECT_FALSE(fits(asked_on("stubborn", number)));
    EXPECT_TRUE(fits(asked("ok", number)));
  }
}

TEST_F(BadAnswers, ArePaidFor) {
  asked("stubborn", 1);
  EXPECT_EQ(simulator_->stats().answered_bodies, 1U);
  EXPECT_EQ(simulator_->stats().outcomes.at("stubborn"), 1U);
}

}  // namespace
}  // namespace llmbatch::sim
