#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app_fixture.h"
#include "llmbatch/app/compare_options.h"
#include "llmbatch/app/compare_sample.h"

namespace llmbatch {
namespace {

TEST(CompareDatabaseName, IsTheModelsNameAsFarAsItIsPlain) {
  EXPECT_EQ(compare_database_name("openai/gpt-4o-mini"), "openai_gpt-4o-mini.llmbatch.db");
  EXPECT_EQ(compare_database_name("gpt-4.1"), "gpt-4.1.llmbatch.db");
}

TEST(CompareDatabaseName, TellsNamesApartThatLookAlike) {
  EXPECT_NE(compare_database_name("a/b"), compare_database_name("a_b"));
  EXPECT_NE(compare_database_name("a/b/c"), compare_database_name("a/b_c"));
  EXPECT_NE(compare_database_name("a:b"), compare_database_name("a b"));
  const std::string up = compare_database_name("../../x");
  EXPECT_EQ(up.find('/'), std::string::npos);
  EXPECT_NE(up.front(), '.');
  EXPECT_LT(compare_database_name(std::string(1000, 'x')).size(), 200U);
  EXPECT_NE(compare_database_name(std::string(1000, 'x')),
            compare_database_name(std::string(1001, 'x')));
}

class CompareSampling : public ::testing::Test {
 protected:
  CompareSampling() {
    path_ = ::testing::TempDir() + "llmbatch-compare-" + std::to_string(::getpid()) + ".jsonl";
  }
  ~CompareSampling() override { std::filesystem::remove(path_); }

  void write(const std::string& text) { std::ofstream(path_) << text; }

  static std::string line(int number) {
    return R"({"id":"t-)" + std::to_string(number) + R"(","prompt":"hi","label":"a"})" + "\n";
  }

  CompareSample draw(std::int64_t size, std::uint64_t seed = 1, const std::string& field = "") {
    const auto input = InputFile::open(path_, ".");
    const auto scorer = AnswerScorer::create({field, MatchMode::exact, ""});
    auto sample = draw_sample(*input, options_, *scorer, size, seed);
    EXPECT_TRUE(sample);
    return std::move(*sample);
  }

  std::string path_;
  RunInputOptions options_;
};

TEST_F(CompareSampling, ASmallerSampleIsTheBeginningOfALargerOne) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += line(i);
  write(text);
  const CompareSample small = draw(20);
  const CompareSample large = draw(100);
  EXPECT_EQ(small.items.size(), 20U);
  EXPECT_EQ(small.usable, 500);
  EXPECT_EQ(large.text.substr(0, small.text.size()), small.text);
  EXPECT_NE(draw(20, 2).text, small.text);
  EXPECT_EQ(draw(1000).items.size(), 500U);
}

TEST_F(CompareSampling, EveryLineHasTheSameChance) {
  std::string text;
  for (int i = 0; i < 10; ++i) text += line(i);
  write(text);
  std::map<std::string, int> drawn;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    for (const CompareItem& item : draw(3, seed).items) ++drawn[item.id];
  }
  for (const auto& [id, count] : drawn) EXPECT_NEAR(count, 300, 70) << id;
  EXPECT_EQ(drawn.size(), 10U);
}

TEST_F(CompareSampling, OrderAndOtherLinesDoNotMatter) {
  std::string forward;
  std::string backward;
  for (int i = 0; i < 50; ++i) {
    forward += line(i);
    backward = line(i) + backward;
  }
  write(forward);
  const std::string first = draw(10).text;
  write("nope\n\n" + backward + line(3));
  const CompareSample second = draw(10);
  EXPECT_EQ(second.text, first);
  EXPECT_EQ(second.unusable, 1);
  EXPECT_EQ(second.first_unusable.substr(0, path_.size() + 2), path_ + ":1");
}

TEST_F(CompareSampling, DrawsOnlyWhatHasAnExpectedValueAndCountsTheRest) {
  write(line(1) + R"({"id":"b","prompt":"hi"})" + "\n" + R"({"id":"c","prompt":"x","label":null})");
  const CompareSample sample = draw(10, 1, "label");
  ASSERT_EQ(sample.items.size(), 1U);
  EXPECT_EQ(sample.items[0].id, "t-1");
  EXPECT_EQ(sample.items[0].expected, R"("a")");
  EXPECT_EQ(sample.items[0].line, 1);
  EXPECT_EQ(sample.eligible, 1);
  EXPECT_EQ(sample.usable, 3);
}

TEST_F(CompareSampling, LinesWithoutIdsAreDrawnByTheirContent) {
  options_.id_rule = "line";
  write("{\"prompt\":\"one\"}\n{\"prompt\":\"two\"}\n");
  const CompareSample sample = draw(10);
  ASSERT_EQ(sample.items.size(), 2U);
  write("{\"prompt\":\"two\"}\n{\"prompt\":\"zero\"}\n{\"prompt\":\"one\"}\n");
  const CompareSample moved = draw(10);
  EXPECT_EQ(moved.items.size(), 3U);
  EXPECT_EQ(moved.items[0].id.substr(0, 5), "line ");
}

TEST_F(CompareSampling, KeepsTheLineAndSendsItWithoutItsModel) {
  write(R"({"id":"a","model":"own","prompt":"hi"})");
  const CompareSample sample = draw(10);
  EXPECT_EQ(sample.items[0].input, R"({"id":"a","model":"own","prompt":"hi"})");
  EXPECT_EQ(sample.text, "{\"id\":\"a\",\"prompt\":\"hi\"}\n");
  EXPECT_EQ(sample.own_model, 1);
}

}  // namespace
}  // namespace llmbatch
