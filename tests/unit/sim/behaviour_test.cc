#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "sim_fixture.h"

namespace llmbatch::sim {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using test::RawHttpClient;
using test::RawReply;

/// What each of `count` prompts got on its first and second try, asked in the order of `order`.
std::map<std::string, std::vector<std::string>> outcomes(const SimulatorSettings& settings,
                                                         const std::vector<int>& order) {
  const auto simulator = start_simulator(settings);
  std::map<std::string, std::vector<std::string>> seen;
  for (const int number : order) {
    const std::string prompt = "item " + std::to_string(number);
    const RawReply reply = post_chat(*simulator, prompt);
    seen[prompt].push_back(std::to_string(reply.status) + reply.body);
  }
  return seen;
}

TEST(Determinism, TheOrderOfArrivalDoesNotMatter) {
  SimulatorSettings settings;
  settings.faults = *parse_fault_mix("500=0.3,429=0.2,empty=0.1");
  std::vector<int> forwards;
  for (int i = 0; i < 60; ++i) forwards.push_back(i % 30);
  const std::vector<int> backwards(forwards.rbegin(), forwards.rend());
  const auto first = outcomes(settings, forwards);
  EXPECT_EQ(first, outcomes(settings, backwards));
  settings.seed = 2;
  EXPECT_NE(first, outcomes(settings, forwards));
}

TEST(Determinism, FaultsComeInTheProportionAskedAndARetryMaySucceed) {
  SimulatorSettings settings;
  settings.faults = *parse_fault_mix("500=0.5");
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < 400; ++i) client.post(kChat, chat_body(std::to_string(i)));
  }
  const SimulatorStats stats = simulator->stats();
  EXPECT_NEAR(static_cast<double>(stats.outcomes.at("500")), 400, 80);
  // Half succeed at once, half of the others on their second try.
  EXPECT_NEAR(static_cast<double>(stats.answered_bodies), 300, 40);
}

TEST(Limits, AreRefusedWithAHintAndReportedInHeaders) {
  SimulatorSettings settings;
  settings.limits.rpm = 60;
  settings.limits.tpm = 6000;
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  const RawReply first = client.post(kChat, chat_body("a"));
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(first.header("x-ratelimit-limit-requests"), "60");
  EXPECT_EQ(first.header("x-ratelimit-remaining-requests"), "59");
  EXPECT_EQ(first.header("x-ratelimit-reset-requests"), "1s");
  EXPECT_EQ(first.header("x-ratelimit-limit-tokens"), "6000");
  const RawReply second = client.post(kChat, chat_body("b"));
  EXPECT_EQ(second.status, 429);
  EXPECT_FALSE(second.header("retry-after").empty());
  EXPECT_LE(std::stoi(second.header("retry-after-ms")), 1000);
  EXPECT_EQ(simulator->stats().outcomes.at("rate_limited"), 1U);
}

TEST(Limits, WhoComesBackAfterTheHintIsAdmitted) {
  SimulatorSettings settings;
  settings.limits.rpm = 150;
  settings.limits.burst = Duration::zero();
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  EXPECT_EQ(client.post(kChat, chat_body("a")).status, 200);
  const RawReply refused = client.post(kChat, chat_body("b"));
  ASSERT_EQ(refused.status, 429);
  const int milliseconds_to_wait = std::stoi(refused.header("retry-after-ms"));
  EXPECT_LE(milliseconds_to_wait, 400);
  ::usleep(static_cast<useconds_t>(milliseconds_to_wait) * 1000);
  EXPECT_EQ(client.post(kChat, chat_body("b")).status, 200);
}

TEST(Limits, RefusedRequestsDoNotMoveTheDice) {
  SimulatorSettings settings;
  settings.limits.rpd = 1;
  const auto simulator = start_simulator(settings);
  EXPECT_EQ(post_chat(*simulator, "[[sim:500,ok]]").status, 500);
  EXPECT_EQ(post_chat(*simulator, "[[sim:500,ok]]").status, 429);
  EXPECT_EQ(simulator->stats().max_attempts, 1U);
}

TEST(Limits, EveryApiHasItsOwnHeaders) {
  SimulatorSettings settings;
  settings.limits = {600, 60000, 50000, 10000, 5000, seconds(60)};
  const auto simulator = start_simulator(settings);
  RawHttpClient client(simulator->port());
  const RawReply groq = client.post("/openai/v1/chat/completions", chat_body("a"));
  EXPECT_EQ(groq.header("x-ratelimit-limit-requests"), "5000");
  EXPECT_EQ(groq.header("x-ratelimit-limit-tokens"), "60000");
  const RawReply azure =
      client.post("/openai/v1/chat/completions", chat_body("a"), {{"api-key", "k"}});
  EXPECT_EQ(azure.header("x-ratelimit-limit-requests"), "");
  EXPECT_EQ(azure.header("x-ratelimit-remaining-requests"), "598");
  const RawReply mistral = client.post("/mistral/v1/chat/completions", chat_body("a"));
  EXPECT_EQ(mistral.header("x-ratelimit-limit-req-minute"), "600");
  EXPECT_FALSE(mistral.header("x-ratelimit-tokens-query-cost").empty());
  const RawReply anthropic = post_messages(*simulator, "a");
  EXPECT_EQ(anthropic.header("anthropic-ratelimit-requests-limit"), "600");
  EXPECT_EQ(anthropic.header("anthropic-ratelimit-input-tokens-limit"), "50000");
  EXPECT_EQ(anthropic.header("anthropic-ratelimit-output-tokens-limit"), "10000");
  EXPECT_EQ(anthropic.header("anthropic-ratelimit-requests-reset").back(), 'Z');
  const RawReply gemini = client.post(kGemini, gemini_body("a"));
  EXPECT_EQ(gemini.headers.find("ratelimit"), std::string::npos);
}

TEST(Limits, HintsComeInTheFormAsked) {
  for (const auto& [hint, header] : std::map<RetryHint, std::string>{
           {RetryHint::seconds, "retry-after"}, {RetryHint::milliseconds, "retry-after-ms"}}) {
    SimulatorSettings settings;
    settings.retry_hint = hint;
    const auto simulator = start_simulator(settings);
    EXPECT_EQ(post_chat(*simulator, "[[sim:429=3s]]").header(header),
              hint == RetryHint::seconds ? "3" : "3000");
  }
  SimulatorSettings settings;
  settings.retry_hint = RetryHint::http_date;
  const auto simulator = start_simulator(settings);
  const std::string date = post_chat(*simulator, "[[sim:429=3s]]").header("retry-after");
  EXPECT_TRUE(parse_http_date(date)) << date;
}

TEST(Limits, ARequestLargerThanTheLimitIsRefusedForEver) {
  SimulatorSettings settings;
  settings.limits.tpm = 100;
  const auto simulator = start_simulator(settings);
  const RawReply reply = post_chat(*simulator, std::string(1000, 'x'));
  EXPECT_EQ(reply.status, 429);
  EXPECT_NE(reply.body.find("Request too large"), std::string::npos);
  EXPECT_EQ(reply.header("retry-after"), "");
}

TEST(Limits, QuotaRunsOutAfterSoManyAnswers) {
  SimulatorSettings settings;
  settings.quota_after = 2;
  const auto simulator = start_simulator(settings);
  EXPECT_EQ(post_chat(*simulator, "a").status, 200);
  EXPECT_EQ(post_chat(*simulator, "b").status, 200);
  EXPECT_EQ(json_of(post_chat(*simulator, "c"))["error"]["type"], "insufficient_quota");
}

TEST(Waiting, TwoHundredRequestsWaitAtTheSameTime) {
  SimulatorSettings settings;
  settings.latency = *parse_latency("300ms");
  const auto simulator = start_simulator(settings);
  std::vector<std::unique_ptr<RawHttpClient>> clients;
  const auto start = steady_clock::now();
  for (int i = 0; i < 200; ++i) {
    clients.push_back(std::make_unique<RawHttpClient>(simulator->port()));
    ASSERT_TRUE(clients.back()->send("POST", kChat, chat_body(std::to_string(i))));
  }
  for (auto& client : clients) EXPECT_EQ(client->receive().status, 200);
  const auto took = steady_clock::now() - start;
  EXPECT_GE(took, milliseconds(300));
  EXPECT_LT(took, seconds(5));
  EXPECT_GT(simulator->stats().max_in_flight, 1U);
}

TEST(Waiting, StopDoesNotWaitForHangingOrSlowRequests) {
  SimulatorSettings settings;
  settings.latency = *parse_latency("10m");
  const auto simulator = start_simulator(settings);
  RawHttpClient hanging(simulator->port());
  RawHttpClient slow(simulator->port());
  ASSERT_TRUE(hanging.send("POST", kChat, chat_body("[[sim:hang]]")));
  ASSERT_TRUE(slow.send("POST", kChat, chat_body("slow")));
  while (simulator->stats().in_flight < 2) ::usleep(1000);
  const auto start = steady_clock::now();
  simulator->stop();
  EXPECT_LT(steady_clock::now() - start, seconds(5));
  EXPECT_EQ(hanging.receive().status, 0);
  simulator->stop();
}

TEST(Waiting, AHangingRequestEndsWhenItsClientLeaves) {
  const auto simulator = start_simulator();
  {
    RawHttpClient client(simulator->port());
    ASSERT_TRUE(client.send("POST", kChat, chat_body("[[sim:hang]]")));
    while (simulator->stats().in_flight == 0) ::usleep(1000);
  }
  const auto start = steady_clock::now();
  while (simulator->stats().in_flight > 0 && steady_clock::now() - start < seconds(5)) {
    ::usleep(5000);
  }
  EXPECT_EQ(simulator->stats().in_flight, 0U);
}

TEST(Waiting, AHangingRequestIsClosedAtItsDeadline) {
  SimulatorSettings settings;
  settings.hang_for = milliseconds(50);
  const auto simulator = start_simulator(settings);
  EXPECT_EQ(post_chat(*simulator, "[[sim:hang]]").status, 0);
}

TEST(Outage, TheServerDiesAndComesBackOnTheSamePort) {
  SimulatorSettings settings;
  settings.die_after = 2;
  settings.down_for = milliseconds(150);
  const auto simulator = start_simulator(settings);
  EXPECT_EQ(post_chat(*simulator, "a").status, 200);
  EXPECT_EQ(post_chat(*simulator, "b").status, 0);
  const auto start = steady_clock::now();
  int refused = 0;
  RawReply reply;
  while (reply.status == 0 && steady_clock::now() - start < seconds(10)) {
    reply = post_chat(*simulator, "b");
    refused += reply.status == 0 ? 1 : 0;
    ::usleep(5000);
  }
  EXPECT_EQ(reply.status, 200);
  EXPECT_GT(refused, 0);
}

TEST(Outage, AServerThatStaysDownCanBeStopped) {
  SimulatorSettings settings;
  settings.die_after = 1;
  settings.down_for = Duration::zero();
  const auto simulator = start_simulator(settings);
  EXPECT_EQ(post_chat(*simulator, "a").status, 0);
  simulator->stop();
  EXPECT_EQ(post_chat(*simulator, "a").status, 0);
}

TEST(RequestLog, HasOneLinePerRequest) {
  const std::string path = ::testing::TempDir() + "sim_log_" + std::to_string(::getpid());
  SimulatorSettings settings;
  settings.log_path = path;
  {
    const auto simulator = start_simulator(settings);
    post_chat(*simulator, "[[sim:reset,ok]]");
    post_chat(*simulator, "[[sim:reset,ok]]");
    RawHttpClient(simulator->port()).get("/stats");
  }
  std::ifstream file(path);
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  std::filesystem::remove(path);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["status"], 0);
  EXPECT_EQ(lines[0]["attempt"], 1);
  EXPECT_EQ(lines[1]["status"], 200);
  EXPECT_EQ(lines[1]["attempt"], 2);
  EXPECT_EQ(lines[0]["id_hint"], lines[1]["id_hint"]);
}

TEST(Start, ATakenPortIsAnError) {
  const auto first = start_simulator();
  SimulatorSettings settings;
  settings.port = first->port();
  const auto second = Simulator::start(settings);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::usage);
  EXPECT_NE(second.error().message.find(std::to_string(first->port())), std::string::npos);
}

}  // namespace
}  // namespace llmbatch::sim
