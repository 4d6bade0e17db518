// Simulator: a stand-in provider on a loopback port, for `llmbatch simulate`, `run --rehearse` and
// the tests. It speaks OpenAI (chat, responses, embeddings), Anthropic messages and Gemini
// generateContent, and their Batch APIs, and misbehaves as told. What it does with a request
// depends on the seed, the bytes of the body and how often that body was let in before, never on
// the order of arrival. Thread rule: start, stop and the destructor belong to one thread; port and
// stats may be called from any. It runs two threads of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/sim/settings.h"

namespace llmbatch::sim {

struct SimulatorStats {
  std::uint64_t requests = 0;  ///< API calls, `GET /stats` and `GET /v1/models` not included
  /// By what was done: `ok`, `rate_limited` (by the limits), the names of faults (`500`, `hang`),
  /// and `400`, `401`, `404` for requests that were wrong.
  std::map<std::string, std::uint64_t> outcomes;
  std::uint64_t distinct_bodies = 0;
  std::uint64_t answered_bodies = 0;  ///< bodies that were given at least one paid answer
  std::uint64_t answered_again = 0;   ///< paid answers beyond the first for the same body
  std::uint64_t max_attempts = 0;     ///< of one body
  std::uint64_t in_flight = 0;
  std::uint64_t max_in_flight = 0;
  std::int64_t input_tokens = 0;   ///< of all paid answers
  std::int64_t output_tokens = 0;  ///< of all paid answers
  // Of the Batch APIs; the answers and tokens above include those of batches.
  std::uint64_t files_uploaded = 0;
  std::uint64_t batches_created = 0;
  std::uint64_t batches_cancelled = 0;
  std::uint64_t batch_lines_answered = 0;
  std::uint64_t files_downloaded = 0;  ///< result files, to their end
};

/// As `GET /stats` serves them.
std::string to_json(const SimulatorStats& stats);

class Simulator {
 public:
  /// Listens on 127.0.0.1. Fails when the port is taken or the log cannot be opened.
  static Result<std::unique_ptr<Simulator>> start(SimulatorSettings settings);
  ~Simulator();
  Simulator(const Simulator&) = delete;
  Simulator& operator=(const Simulator&) = delete;

  std::uint16_t port() const;
  SimulatorStats stats() const;
  /// `http://127.0.0.1:PORT/v1`
  std::string base_url() const;
  /// Closes every connection, hanging ones too; may be called twice.
  void stop();

 private:
  class Server;
  explicit Simulator(std::unique_ptr<Server> server);

  std::unique_ptr<Server> server_;
};

}  // namespace llmbatch::sim
