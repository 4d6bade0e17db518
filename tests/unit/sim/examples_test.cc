#include <filesystem>
#include <fstream>
#include <set>

#include "sim_fixture.h"

namespace llmbatch::sim {
namespace {

using nlohmann::json;

std::vector<json> read_tickets() {
  const std::filesystem::path root =
      std::filesystem::path(LLMBATCH_TEST_DATA).parent_path().parent_path();
  std::ifstream file(root / "examples" / "tickets.jsonl");
  std::vector<json> tickets;
  for (std::string line; std::getline(file, line);) tickets.push_back(json::parse(line));
  return tickets;
}

TEST(ExampleTickets, AreTwoHundredDifferentOnes) {
  std::set<std::string> ids;
  std::set<std::string> bodies;
  for (const json& ticket : read_tickets()) {
    ids.insert(ticket.at("id"));
    bodies.insert(ticket.at("body"));
    EXPECT_FALSE(ticket.at("customer").at("name").get<std::string>().empty());
    EXPECT_FALSE(ticket.at("customer").at("plan").get<std::string>().empty());
  }
  EXPECT_EQ(ids.size(), 200U);
  EXPECT_EQ(bodies.size(), 200U);
}

TEST(ExampleTickets, TheSimulatedClassifierGetsMostOfThemRight) {
  const auto labels = parse_answer_mode("classify")->labels;
  int right = 0;
  int all = 0;
  for (const json& ticket : read_tickets()) {
    const std::string prompt =
        "Labels: billing, shipping.\nTicket:\nSubject: " + ticket.at("subject").get<std::string>() +
        "\n\n" + ticket.at("body").get<std::string>();
    const std::string label = classify(labels, prompt, 1);
    right += label == ticket.at("label") ? 1 : 0;
    if (label != ticket.at("label")) {
      RecordProperty(ticket.at("id").get<std::string>(), label);
    }
    ++all;
  }
  // A rehearsal should look like a model's work: good, not perfect.
  EXPECT_GT(right, all * 85 / 100);
  EXPECT_LT(right, all);
}

TEST(ModelAccuracy, IsReadFromAList) {
  const auto list = parse_model_accuracies("big=95%, small=0.8,a=b=1");
  ASSERT_TRUE(list);
  ASSERT_EQ(list->size(), 3U);
  EXPECT_EQ((*list)[0].model, "big");
  EXPECT_DOUBLE_EQ((*list)[0].share, 0.95);
  EXPECT_DOUBLE_EQ((*list)[1].share, 0.8);
  EXPECT_EQ((*list)[2].model, "a=b");
  for (const char* text : {"big", "big=", "=5%", "big=101%", "big=-1", "big=5x", "big=5%%"}) {
    EXPECT_FALSE(parse_model_accuracies(text)) << text;
  }
}

TEST(ModelAccuracy, IsHowOftenAModelGivesTheBestLabel) {
  const std::vector<std::string> labels{"a", "b", "c"};
  const std::vector<ModelAccuracy> list{{"big", 0.95}, {"small", 0.8}, {"none", 0}};
  const auto right = [&](std::string_view model, std::uint64_t seed) {
    int count = 0;
    for (int i = 0; i < 2000; ++i) {
      const std::string prompt = "ticket " + std::to_string(i);
      const std::string label = with_accuracy(list, model, labels, "b", prompt, seed);
      EXPECT_EQ(label, with_accuracy(list, model, labels, "b", prompt, seed));
      count += label == "b" ? 1 : 0;
    }
    return count;
  };
  EXPECT_NEAR(right("big", 1), 1900, 50);
  EXPECT_NEAR(right("small", 1), 1600, 90);
  EXPECT_EQ(right("none", 1), 0);
  EXPECT_EQ(right("other", 1), 2000);
  EXPECT_NE(right("small", 1), right("small", 2));
}

}  // namespace
}  // namespace llmbatch::sim
