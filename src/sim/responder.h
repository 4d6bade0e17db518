// Responder: decides what one request is answered with. Everything but the clock-driven limits
// follows from the seed, the body and how often that body was let in before.
// Thread rule: safe from any thread; respond() is called by the server's one thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "batch_service.h"
#include "llmbatch/base/clock.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/sim/simulator.h"
#include "prompt_cache.h"
#include "rate_headers.h"
#include "rate_limits.h"
#include "render.h"
#include "reply.h"
#include "request.h"

namespace llmbatch::sim {

class Responder {
 public:
  Responder(const SimulatorSettings& settings, const Clock& clock);

  Reply respond(const HttpRequest& http);
  /// A request that respond() counted has left the server.
  void finished();
  SimulatorStats stats() const;

 private:
  struct Body {
    std::uint32_t attempts = 0;  ///< times it was let in
    std::uint32_t answers = 0;   ///< paid ones
  };
  /// One request on its way through the decision.
  struct Call {
    const HttpRequest& http;
    Route route;
    Request request;
    Answer answer;
    std::string request_id;
  };

  Reply decide(Call& call, Body& body, Reply reply);
  Reply respond_batches(Call& call, Reply reply);
  LineAnswer answer_line(const HttpRequest& http);
  bool refuse_early(Call& call, Reply& reply);
  bool refuse_by_limits(Call& call, Reply& reply);
  FaultStep choose_step(const Call& call, std::uint32_t attempt, double uniform) const;
  void apply(const FaultStep& step, Call& call, Reply& reply);
  void apply_good(const FaultStep& step, Call& call, Reply& reply);
  void apply_broken(const FaultStep& step, Call& call, Reply& reply);
  void apply_error(const FaultStep& step, Call& call, Reply& reply);
  void set_empty_answer(Call& call, Finish finish, Reply& reply) const;
  void set_error(const Call& call, const ApiError& error, Reply& reply) const;
  void prepare_answer(Call& call) const;
  std::string make_json_answer(const Call& call) const;
  Reply list_models() const;
  void count(const Reply& reply, const Call& call, Body& body, bool paid);

  const SimulatorSettings& settings_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  // Guarded by mutex_.
  RateGate gate_;
  struct HashOfHash {
    std::size_t operator()(const Hash128& hash) const { return hash.low; }
  };
  std::unordered_map<Hash128, Body, HashOfHash> bodies_;
  PromptCache prompt_cache_;
  BatchService batches_;
  SimulatorStats stats_;
  std::uint64_t paid_answers_ = 0;
};

}  // namespace llmbatch::sim
