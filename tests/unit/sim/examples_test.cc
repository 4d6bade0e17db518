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

}  // namespace
}  // namespace llmbatch::sim
