// What the tests of the simulator share: a running one, and requests that fit.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "llmbatch/sim/simulator.h"
#include "support/raw_http_client.h"

namespace llmbatch::sim {

inline std::unique_ptr<Simulator> start_simulator(const SimulatorSettings& settings = {}) {
  auto simulator = Simulator::start(settings);
  EXPECT_TRUE(simulator) << simulator.error().message;
  return std::move(*simulator);
}

inline std::string chat_body(const std::string& prompt) {
  return nlohmann::json{{"model", "sim-model"},
                        {"messages", {{{"role", "user"}, {"content", prompt}}}}}
      .dump();
}

inline std::string messages_body(const std::string& prompt) {
  return nlohmann::json{{"model", "sim-model"},
                        {"max_tokens", 100},
                        {"messages", {{{"role", "user"}, {"content", prompt}}}}}
      .dump();
}

inline std::string gemini_body(const std::string& prompt) {
  return nlohmann::json{{"contents", {{{"parts", {{{"text", prompt}}}}}}}}.dump();
}

inline constexpr const char* kChat = "/v1/chat/completions";
inline constexpr const char* kMessages = "/v1/messages";
inline constexpr const char* kGemini = "/v1beta/models/gemini-sim:generateContent";

inline test::RawReply post_chat(const Simulator& simulator, const std::string& prompt) {
  return test::RawHttpClient(simulator.port()).post(kChat, chat_body(prompt));
}

inline test::RawReply post_messages(const Simulator& simulator, const std::string& prompt) {
  return test::RawHttpClient(simulator.port())
      .post(kMessages, messages_body(prompt), {{"anthropic-version", "2023-06-01"}});
}

inline nlohmann::json json_of(const test::RawReply& reply) {
  return nlohmann::json::parse(reply.body, nullptr, false);
}

}  // namespace llmbatch::sim
