#include "llmbatch/app/simulate_options.h"

#include "app_fixture.h"
#include "llmbatch/app/settings_table.h"

namespace llmbatch {
namespace {

class SimulateOptionsTest : public AppTest {};

TEST_F(SimulateOptionsTest, DefaultsAreThoseOfTheSimulator) {
  const auto parsed = parse({"simulate"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto made = make_simulator_settings(parsed->settings);
  ASSERT_TRUE(made) << made.error().message;
  const sim::SimulatorSettings defaults;
  EXPECT_EQ(made->seed, defaults.seed);
  EXPECT_EQ(made->port, defaults.port);
  EXPECT_TRUE(made->latency.is_zero());
  EXPECT_EQ(made->header_style, defaults.header_style);
  EXPECT_EQ(made->retry_hint, defaults.retry_hint);
  EXPECT_EQ(made->limits.burst, defaults.limits.burst);
  EXPECT_EQ(made->down_for, defaults.down_for);
  EXPECT_EQ(made->hang_for, defaults.hang_for);
  EXPECT_EQ(made->embedding_dimensions, defaults.embedding_dimensions);
  EXPECT_TRUE(made->faults.chances.empty());
}

TEST_F(SimulateOptionsTest, ConvertsWhatWasGiven) {
  const auto parsed =
      parse({"simulate", "--latency", "200ms", "--errors", "429=1%,500=0.5%", "--answer", "words:5",
             "--headers", "groq", "--rpm", "1k", "--unknown-model", "a,b", "--die-after", "10"});
  ASSERT_TRUE(parsed) << parsed.error().message;
  const auto made = make_simulator_settings(parsed->settings);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(made->latency.low, std::chrono::milliseconds(200));
  EXPECT_EQ(made->faults.chances.size(), 2U);
  EXPECT_EQ(made->answer.words, 5U);
  EXPECT_EQ(made->header_style, sim::HeaderStyle::groq);
  EXPECT_EQ(made->limits.rpm, 1000);
  EXPECT_EQ(made->unknown_models, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(made->die_after, 10U);
}

TEST_F(SimulateOptionsTest, EveryWordOfTheTableIsUnderstood) {
  for (const std::string name : {"headers", "retry-hint"}) {
    const SettingSpec* spec = find_setting(Command::simulate, name);
    ASSERT_NE(spec, nullptr);
    for (const std::string& word : spec->choice_list()) {
      const auto parsed = parse({"simulate", "--" + name, word});
      ASSERT_TRUE(parsed);
      EXPECT_TRUE(make_simulator_settings(parsed->settings)) << word;
    }
  }
}

TEST_F(SimulateOptionsTest, ErrorNamesTheSetting) {
  const auto parsed = parse({"simulate", "--latency", "soon"});
  ASSERT_TRUE(parsed);
  const auto made = make_simulator_settings(parsed->settings);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::StartsWith("--latency: "));
}

}  // namespace
}  // namespace llmbatch
