#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "llmbatch/report/compare_answers.h"
#include "llmbatch/report/compare_summary.h"

namespace llmbatch {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

/// A sample of items whose right answer is "yes", and models that are right on as many.
struct World {
  CompareSetup setup{"in.jsonl", "in.jsonl.llmbatch-compare", 1000, 10'000, 1, 0.05, 10};
  ScoreRule rule{"label", MatchMode::exact, ""};
  std::vector<CompareItem> items;
  std::vector<ModelAnswers> models;

  explicit World(int size) {
    for (int i = 0; i < size; ++i) {
      items.push_back({"t-" + std::to_string(i), i + 1, R"({"label":"yes"})", R"("yes")"});
    }
  }

  /// Right on all but the `wrong` items from `first_wrong` on; `price` per item in dollars.
  ModelAnswers& add(const std::string& name, int wrong, const std::optional<std::string>& price,
                    int first_wrong = 0) {
    ModelAnswers model;
    model.model = name;
    model.database = name + ".llmbatch.db";
    for (int i = 0; i < static_cast<int>(items.size()); ++i) {
      ItemResult result;
      result.id = items[static_cast<std::size_t>(i)].id;
      result.state = ItemState::succeeded;
      result.output = i >= first_wrong && i < first_wrong + wrong ? "no" : "yes";
      result.usage = Usage{.input = 10, .output = 1};
      if (price) result.cost = Money::parse_dollars(*price);
      result.latency_ms = 100 + i;
      model.results.emplace_back(result);
    }
    models.push_back(std::move(model));
    return models.back();
  }

  CompareResult summarize() const {
    return summarize_comparison(setup, *AnswerScorer::create(rule), items, models);
  }
};

TEST(Comparison, RanksByAccuracyAndChoosesTheCheapestWithinTheTolerance) {
  World world(100);
  world.add("small", 9, "0.0001");
  world.add("big", 5, "0.01");
  world.add("tiny", 30, "0.00001");
  const CompareResult result = world.summarize();
  ASSERT_EQ(result.models.size(), 3U);
  EXPECT_EQ(result.models[0].model, "big");
  EXPECT_EQ(result.models[2].model, "tiny");
  EXPECT_EQ(result.best, 0U);
  EXPECT_EQ(result.chosen, 1U);
  EXPECT_DOUBLE_EQ(result.models[0].accuracy(), 0.95);
  EXPECT_EQ(result.models[0].cost_per_1000->to_decimal(), "10");
  EXPECT_EQ(result.models[0].projected->to_decimal(), "100");
  EXPECT_EQ(result.saved_per_1000->to_decimal(), "9.9");
  EXPECT_EQ(result.saved->to_decimal(), "99");
  EXPECT_EQ(result.models[0].latency_p50_ms, 149);
  EXPECT_EQ(result.models[0].latency_p95_ms, 194);
  EXPECT_EQ(result.verdict,
            "small is the cheapest model within 5 points of the best: 91.0 % against 95.0 % (big), "
            "$0.10 instead of $10.00 per 1,000 items, which saves $99.00 on all 10,000.");
}

// tiny is wrong where big is (5), and on 25 more: b = 25, c = 0, p = 2 / 2^25.
TEST(Comparison, ComparesEachModelWithTheBestOnTheSameItems) {
  World world(100);
  world.add("big", 5, "0.01");
  world.add("tiny", 30, "0.00001");
  const CompareResult result = world.summarize();
  EXPECT_FALSE(result.models[0].with_best);
  ASSERT_TRUE(result.models[1].with_best);
  EXPECT_EQ(result.models[1].with_best->counts.both, 70);
  EXPECT_EQ(result.models[1].with_best->counts.only_first, 25);
  EXPECT_EQ(result.models[1].with_best->counts.only_second, 0);
  EXPECT_EQ(result.models[1].with_best->counts.neither, 5);
  EXPECT_NEAR(result.models[1].with_best->p_value, 2.0 / (1 << 25), 1e-15);
}

TEST(Comparison, SaysWhenTheSampleDoesNotSettleIt) {
  World world(100);
  world.add("big", 5, "0.01");
  world.add("small", 9, "0.0001");
  EXPECT_THAT(world.summarize().notes,
              Contains(AllOf(HasSubstr("Not settled by 100 items: small may be up to"),
                             HasSubstr("more than the tolerance of 5"))));
  World sure(1000);
  sure.add("big", 50, "0.01");
  sure.add("small", 55, "0.0001");
  EXPECT_THAT(sure.summarize().notes, Contains(HasSubstr("small is at most")));
}

TEST(Comparison, NamesACheaperModelThatMayBeWithinTheToleranceAfterAll) {
  World world(100);
  world.add("big", 0, "0.01");
  world.add("small", 6, "0.0001");
  const CompareResult result = world.summarize();
  EXPECT_EQ(result.chosen, 0U);
  EXPECT_THAT(result.verdict, HasSubstr("No cheaper model is within 5 points of the best: big"));
  EXPECT_THAT(result.notes, Contains(HasSubstr("small is cheaper and 6 points below the best")));
}

TEST(Comparison, AnUnknownPriceIsNeverTheCheapest) {
  World world(100);
  world.add("big", 5, "0.01");
  world.add("local", 5, std::nullopt);
  const CompareResult result = world.summarize();
  ASSERT_TRUE(result.chosen);
  EXPECT_EQ(result.models[*result.chosen].model, "big");
  EXPECT_FALSE(result.models[1].cost_per_1000);
  EXPECT_FALSE(result.models[1].projected);
  EXPECT_THAT(result.notes, Contains(HasSubstr("The price of local is unknown")));
  World none(100);
  none.add("a", 5, std::nullopt);
  none.add("b", 5, std::nullopt);
  EXPECT_THAT(none.summarize().verdict, HasSubstr("none can be called the cheapest"));
  EXPECT_FALSE(none.summarize().saved);
}

TEST(Comparison, SavingsAgainstABestModelWithoutAPriceAreUnknown) {
  World world(100);
  world.add("big", 5, std::nullopt);
  world.add("small", 6, "0.0001");
  const CompareResult result = world.summarize();
  EXPECT_EQ(result.models[*result.chosen].model, "small");
  EXPECT_FALSE(result.saved);
  EXPECT_THAT(result.verdict, HasSubstr("the price of big is unknown, and so is what that saves"));
}

TEST(Comparison, WhatACacheAnsweredSaysNothingOfThePrice) {
  World world(100);
  ModelAnswers& big = world.add("big", 5, "0.01");
  for (std::size_t i = 0; i < 50; ++i) {
    big.results[i]->cached = true;
    big.results[i]->cost.reset();
  }
  const CompareResult result = world.summarize();
  EXPECT_EQ(result.models[0].cost_per_1000->to_decimal(), "10");
  EXPECT_EQ(result.models[0].cost->to_decimal(), "0.5");
}

TEST(Comparison, NoAnswerIsNoRightAnswer) {
  World world(10);
  ModelAnswers& model = world.add("m", 0, "0.01");
  model.results[0]->state = ItemState::filtered;
  model.results[1]->state = ItemState::flagged;
  model.results[2]->state = ItemState::failed;
  model.results[3]->state = ItemState::invalid;
  const CompareModel measured = world.summarize().models[0];
  EXPECT_EQ(measured.items, 9);
  EXPECT_EQ(measured.done, 9);
  EXPECT_EQ(measured.judged, 9);
  EXPECT_EQ(measured.right, 6);
  EXPECT_EQ(measured.refused, 1);
  EXPECT_EQ(measured.malformed, 1);
  EXPECT_EQ(measured.failed, 1);
}

TEST(Comparison, AnAnswerWithoutTheNamedPartIsMalformed) {
  World world(4);
  world.rule.answer_pointer = "/label";
  ModelAnswers& model = world.add("m", 0, "0.01");
  model.results[0]->output = R"({"label":"yes"})";
  const CompareModel measured = world.summarize().models[0];
  EXPECT_EQ(measured.right, 1);
  EXPECT_EQ(measured.malformed, 3);
}

TEST(Comparison, GivesNoVerdictBeforeEveryModelIsDone) {
  World world(10);
  world.add("big", 0, "0.01");
  ModelAnswers& small = world.add("small", 0, "0.0001");
  small.results[9].reset();
  small.pause_reason = "quota_exhausted";
  const CompareResult result = world.summarize();
  EXPECT_FALSE(result.chosen);
  EXPECT_EQ(result.verdict,
            "No verdict yet: small has 9 of 10 results (paused: quota_exhausted); the same command "
            "goes on.");
}

TEST(Comparison, WithoutAnExpectedFieldTheFirstModelIsTheReference) {
  World world(100);
  world.rule.expected_field.clear();
  for (CompareItem& item : world.items) item.expected.reset();
  world.add("first", 10, "0.01");
  world.add("other", 13, "0.0001");
  const CompareResult result = world.summarize();
  EXPECT_TRUE(result.models[0].reference);
  EXPECT_EQ(result.models[1].right, 97);
  EXPECT_THAT(result.verdict,
              HasSubstr("other is the cheapest model that agrees with first on at least 95.0 %"));
  EXPECT_THAT(result.notes, Contains(HasSubstr("Agreement is not accuracy")));
}

TEST(Comparison, TellsOfAnswersThatALenientModeWouldTake) {
  World world(10);
  ModelAnswers& model = world.add("m", 0, "0.01");
  model.results[0]->output = "Yes.";
  EXPECT_THAT(world.summarize().notes, Contains(HasSubstr("1 wrong answer differs only in case")));
  world.rule.mode = MatchMode::casefold;
  EXPECT_EQ(world.summarize().models[0].right, 10);
  EXPECT_THAT(world.summarize().notes, Not(Contains(HasSubstr("only in case"))));
}

TEST(Comparison, KeepsAsManyDisagreementsAsAreWanted) {
  World world(100);
  world.setup.disagreements_wanted = 2;
  world.add("big", 5, "0.01");
  world.add("small", 9, "0.0001");
  const CompareResult result = world.summarize();
  EXPECT_EQ(result.disagreement_count, 9);
  ASSERT_EQ(result.disagreements.size(), 2U);
  EXPECT_EQ(result.disagreements[0].id, "t-0");
  EXPECT_EQ(result.disagreements[0].expected, "yes");
  ASSERT_EQ(result.disagreements[0].answers.size(), 2U);
  EXPECT_EQ(result.disagreements[0].answers[0].text, "no");
  EXPECT_EQ(result.disagreements[0].answers[0].right, false);
}

TEST(CompareResult, SurvivesItsJsonForm) {
  World world(100);
  world.add("big", 5, "0.01");
  world.add("small", 9, "0.0001234567").results[3].reset();
  const CompareResult result = world.summarize();
  const std::string text = to_json(result);
  const auto read = compare_result_from_json(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(to_json(*read), text);
  EXPECT_EQ(read->models[1].cost, result.models[1].cost);
  EXPECT_FALSE(compare_result_from_json("{}"));
  EXPECT_FALSE(compare_result_from_json("nope"));
}

TEST(CompareResult, JsonNamesAreAPromise) {
  World world(4);
  world.add("a", 0, "0.01");
  world.add("b", 1, std::nullopt);
  const auto object = nlohmann::json::parse(to_json(world.summarize()));
  for (const char* name :
       {"input", "directory", "sample", "eligible", "items", "sample_seed", "expect", "expect_mode",
        "answer_pointer", "tolerance", "models", "best", "chosen", "saved_per_1000_usd",
        "saved_usd", "notes", "verdict", "disagreement_count", "disagreements"}) {
    EXPECT_TRUE(object.contains(name)) << name;
  }
  for (const char* name : {"model",
                           "database",
                           "reference",
                           "items",
                           "done",
                           "judged",
                           "right",
                           "accuracy",
                           "accuracy_low",
                           "accuracy_high",
                           "refused",
                           "malformed",
                           "failed",
                           "cost_usd",
                           "cost_per_1000_usd",
                           "projected_usd",
                           "projected_low_usd",
                           "projected_high_usd",
                           "latency_p50_ms",
                           "latency_p95_ms",
                           "usage",
                           "with_best",
                           "pause_reason"}) {
    EXPECT_TRUE(object["models"][0].contains(name)) << name;
  }
  EXPECT_EQ(object["models"][0]["cost_per_1000_usd"], 10);
  EXPECT_TRUE(object["models"][1]["cost_usd"].is_null());
  EXPECT_EQ(object["models"][1]["with_best"]["only_best_right"], 1);
}

TEST(CompareResult, IsFoundBesideItsInputAndDatabase) {
  const std::filesystem::path root = std::filesystem::path(::testing::TempDir()) /
                                     ("llmbatch-compare-" + std::to_string(::getpid()));
  const std::filesystem::path directory = root / "in.jsonl.llmbatch-compare";
  std::filesystem::create_directories(directory);
  EXPECT_FALSE(*find_compare_result((root / "in.jsonl").string()));
  World world(4);
  world.add("a", 0, "0.01");
  std::ofstream(directory / "result.json") << to_json(world.summarize());
  for (const auto& path :
       {root / "in.jsonl", root / "in.jsonl.llmbatch.db", directory, directory / "result.json"}) {
    const auto found = find_compare_result(path.string());
    ASSERT_TRUE(found && *found) << path;
    EXPECT_EQ((*found)->models[0].model, "a");
  }
  std::ofstream(directory / "result.json") << "{}";
  EXPECT_FALSE(find_compare_result(directory.string()));
  std::filesystem::remove_all(root);
}

TEST(CompareTable, FitsEightyColumnsAndCannotSteerTheTerminal) {
  World world(100);
  world.add("openai/gpt-4o", 5, "0.01");
  world.add("openrouter/meta-llama/llama-3.3-70b-instruct", 9, "0.0001").results[7]->output =
      "\x1b[31mred";
  world.items[7].input = "{\"a\":\"\x1b[2J\"}";
  CompareResult result = world.summarize();
  const std::string table = format_comparison(result);
  EXPECT_THAT(table, Not(HasSubstr("\x1b")));
  std::istringstream lines(table.substr(table.find("in.jsonl: a sample")));
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80U) << line;
  EXPECT_THAT(table, HasSubstr("openai/gpt-4o  "));
  EXPECT_THAT(table, HasSubstr("> openrouter/meta-llama/llama-3.3-70b-instruct\n"));
  EXPECT_THAT(table, HasSubstr("95.0 % (89-98)"));
}

TEST(CompareAnswers, AreOneLinePerItemAndModel) {
  World world(2);
  world.add("a", 1, "0.01");
  world.add("b", 0, std::nullopt).results[1].reset();
  world.models[1].results[0]->output = "=1+1, \"x\"";
  const std::string path = ::testing::TempDir() + "llmbatch-answers-" + std::to_string(::getpid());
  const auto written = [&](bool csv) {
    EXPECT_TRUE(write_compare_answers(std::move(*OutputFile::open(path)), csv,
                                      *AnswerScorer::create(world.rule), world.items,
                                      world.models));
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    std::filesystem::remove(path);
    return text.str();
  };
  EXPECT_EQ(written(true),
            "id,line,expected,model,state,answer,right,cost_usd,latency_ms\n"
            "t-0,1,yes,a,succeeded,no,false,0.01,100\n"
            "t-0,1,yes,b,succeeded,\"'=1+1, \"\"x\"\"\",false,,100\n"
            "t-1,2,yes,a,succeeded,yes,true,0.01,101\n"
            "t-1,2,yes,b,pending,,,,\n");
  const std::string lines = written(false);
  EXPECT_THAT(lines, HasSubstr(R"({"id":"t-1","line":2,"expected":"yes","model":"b",)"
                               R"("state":"pending","answer":null,"right":null,)"
                               R"("cost_usd":null,"latency_ms":null})"));
  EXPECT_THAT(lines, HasSubstr(R"("right":true,"cost_usd":0.01,"latency_ms":101})"));
}

}  // namespace
}  // namespace llmbatch
