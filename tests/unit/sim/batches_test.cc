// The simulated Batch APIs, as a client sees them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <thread>

#include "sim_fixture.h"

namespace llmbatch::sim {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

SimulatorSettings instant() {
  SimulatorSettings settings;
  settings.batch_latency = Duration(0);
  return settings;
}

std::string line(const std::string& id, const std::string& prompt) {
  return R"({"custom_id":")" + id + R"(","method":"POST","url":"/v1/chat/completions","body":)" +
         chat_body(prompt) + "}\n";
}

std::string lines(int count) {
  std::string text;
  for (int i = 1; i <= count; ++i) text += line("r" + std::to_string(i), "p" + std::to_string(i));
  return text;
}

class Client {
 public:
  explicit Client(const Simulator& simulator, std::string base = "/v1")
      : http_(simulator.port()), base_(std::move(base)) {}

  Json upload(const std::string& text, const std::string& purpose = "batch") {
    const std::string body =
        "--B\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\n" + purpose +
        "\r\n--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"in.jsonl\"\r\n\r\n" +
        text + "\r\n--B--\r\n";
    return json_of(
        http_.post(base_ + "/files", body, {{"content-type", "multipart/form-data; boundary=B"}}));
  }
  Json create(const std::string& file) {
    const Json body{{"input_file_id", file},
                    {"endpoint", "/v1/chat/completions"},
                    {"completion_window", "24h"},
                    {"metadata", {{"tag", "mine"}}}};
    return json_of(http_.post(base_ + "/batches", body.dump()));
  }
  Json get(const std::string& path) { return json_of(http_.get(base_ + path)); }
  std::string text(const std::string& path) { return http_.get(base_ + path).body; }

 private:
  test::RawHttpClient http_;
  std::string base_;
};

std::vector<std::string> ids_of(const std::string& text) {
  std::vector<std::string> ids;
  std::istringstream stream(text);
  for (std::string one; std::getline(stream, one);) {
    ids.push_back(Json::parse(one).at("custom_id").get<std::string>());
  }
  return ids;
}

TEST(SimulatedBatches, EveryRequestIsAnsweredInAnotherOrder) {
  const auto simulator = start_simulator(instant());
  Client client(*simulator);
  const Json file = client.upload(lines(20));
  const Json batch = client.create(file.at("id"));
  ASSERT_TRUE(batch.contains("id")) << batch;
  const Json ended = client.get("/batches/" + batch.at("id").get<std::string>());
  EXPECT_EQ(ended.at("status"), "completed");
  EXPECT_EQ(ended.at("metadata").at("tag"), "mine");
  EXPECT_EQ(ended.at("request_counts").at("completed"), 20);
  EXPECT_TRUE(ended.at("error_file_id").is_null());
  const auto ids =
      ids_of(client.text("/files/" + ended.at("output_file_id").get<std::string>() + "/content"));
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 20u);
  EXPECT_FALSE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_EQ(simulator->stats().batch_lines_answered, 20u);
  EXPECT_EQ(simulator->stats().batches_created, 1u);
}

TEST(SimulatedBatches, StatesAdvanceWithTheClock) {
  SimulatorSettings settings;
  settings.batch_latency = std::chrono::milliseconds(400);
  const auto simulator = start_simulator(settings);
  Client client(*simulator);
  const Json batch = client.create(client.upload(lines(3)).at("id"));
  std::vector<std::string> states{batch.at("status")};
  for (int looks = 0; looks < 2000 && states.back() != "completed"; ++looks) {
    const std::string state = client.get("/batches/" + batch.at("id").get<std::string>())["status"];
    if (state != states.back()) states.push_back(state);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  EXPECT_THAT(states,
              ::testing::ElementsAre("validating", "in_progress", "finalizing", "completed"));
}

TEST(SimulatedBatches, BadLinesRejectTheWholeFile) {
  const auto simulator = start_simulator(instant());
  Client client(*simulator);
  const Json batch =
      client.create(client.upload(line("a", "x") + "nonsense\n" + line("a", "y"))["id"]);
  const Json ended = client.get("/batches/" + batch.at("id").get<std::string>());
  EXPECT_EQ(ended.at("status"), "failed");
  ASSERT_EQ(ended.at("errors").at("data").size(), 2u);
  EXPECT_EQ(ended["errors"]["data"][0]["code"], "invalid_json_line");
  EXPECT_EQ(ended["errors"]["data"][0]["line"], 2);
  EXPECT_EQ(ended["errors"]["data"][1]["code"], "duplicate_custom_id");
  EXPECT_EQ(simulator->stats().batch_lines_answered, 0u);
}

TEST(SimulatedBatches, ExpiredRequestsAreToldAndNotAnswered) {
  SimulatorSettings settings = instant();
  settings.batch_expire = 1;
  const auto simulator = start_simulator(settings);
  Client client(*simulator);
  const Json first = client.create(client.upload(lines(4)).at("id"));
  const Json ended = client.get("/batches/" + first.at("id").get<std::string>());
  EXPECT_EQ(ended.at("status"), "expired");
  EXPECT_TRUE(ended.at("output_file_id").is_null());
  EXPECT_THAT(client.text("/files/" + ended.at("error_file_id").get<std::string>() + "/content"),
              HasSubstr("batch_expired"));
  EXPECT_EQ(simulator->stats().batch_lines_answered, 0u);
  // Each expires once.
  const Json second = client.create(client.upload(lines(4)).at("id"));
  EXPECT_EQ(client.get("/batches/" + second.at("id").get<std::string>())["status"], "completed");
}

TEST(SimulatedBatches, ListsComeInPages) {
  const auto simulator = start_simulator(instant());
  Client client(*simulator);
  const Json file = client.upload(lines(1));
  for (int i = 0; i < 3; ++i) client.create(file.at("id"));
  const Json page = client.get("/batches?limit=2");
  ASSERT_EQ(page.at("data").size(), 2u);
  EXPECT_EQ(page.at("has_more"), true);
  const Json rest =
      client.get("/batches?limit=2&after=" + page["data"][1]["id"].get<std::string>());
  ASSERT_EQ(rest.at("data").size(), 1u);
  EXPECT_EQ(rest.at("has_more"), false);
}

TEST(SimulatedBatches, ALostAnswerLeavesTheBatchBehind) {
  SimulatorSettings settings = instant();
  settings.batch_faults = {"lost-create"};
  const auto simulator = start_simulator(settings);
  const Json file = Client(*simulator).upload(lines(1));
  EXPECT_FALSE(Client(*simulator).create(file.at("id")).contains("id"));
  EXPECT_EQ(Client(*simulator).get("/batches").at("data").size(), 1u);
}

TEST(SimulatedBatches, AWrongKeyIsRefused) {
  SimulatorSettings settings = instant();
  settings.required_key = "right";
  const auto simulator = start_simulator(settings);
  EXPECT_TRUE(Client(*simulator).get("/batches").contains("error"));
  EXPECT_EQ(simulator->stats().outcomes.at("401"), 1u);
}

TEST(BatchFaults, AreReadWithCounts) {
  const auto faults = parse_batch_faults("lost-create, cut-download*2");
  ASSERT_TRUE(faults);
  EXPECT_THAT(*faults, ::testing::ElementsAre("lost-create", "cut-download", "cut-download"));
  EXPECT_THAT(parse_batch_faults("lost").error().message, HasSubstr("'lost': not a fault"));
  EXPECT_THAT(parse_batch_faults("gone*0").error().message, HasSubstr("gone*0"));
}

}  // namespace
}  // namespace llmbatch::sim
