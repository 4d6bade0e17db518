// RateGate: the limits of the simulated account. Each limit is two continuously refilled buckets: a
// small one that admits (providers enforce over short slices) and one of a full minute that the
// headers report. Pure: time is handed in. Thread rule: one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/sim/settings.h"

namespace llmbatch::sim {

/// Amount per `window`, refilled continuously; may go into debt for one request larger than itself.
class Bucket {
 public:
  Bucket(double capacity, double per_second, SteadyTime now)
      : capacity_(capacity), per_second_(per_second), level_(capacity), updated_(now) {}

  void refill(SteadyTime now);
  void take(double amount) { level_ -= amount; }
  double level() const { return level_; }
  double capacity() const { return capacity_; }
  /// How long until `amount` (or a full bucket, if that is less) is there.
  Duration wait_for(double amount) const;
  Duration until_full() const { return wait_for(capacity_); }

 private:
  double capacity_;
  double per_second_;
  double level_;
  SteadyTime updated_;
};

struct LimitState {
  std::int64_t limit = 0;
  std::int64_t remaining = 0;
  Duration reset{};
};

/// What the headers say.
struct LimitReport {
  std::optional<LimitState> requests;  ///< per minute
  std::optional<LimitState> requests_per_day;
  std::optional<LimitState> tokens;
  std::optional<LimitState> input_tokens;
  std::optional<LimitState> output_tokens;
  std::int64_t query_cost = 0;  ///< tokens of this request
};

struct Admission {
  enum class Verdict { admitted, wait, never };

  Verdict verdict = Verdict::admitted;
  Duration wait{};         ///< for Verdict::wait
  std::string limit_name;  ///< `requests`, `tokens`, ... for refusals
  std::int64_t limit = 0;
  LimitReport report;
};

class RateGate {
 public:
  RateGate(const SimulatedLimits& limits, SteadyTime now);

  bool limited() const { return !gates_.empty(); }
  /// Takes one request with its tokens from every limit, or from none.
  Admission admit(std::int64_t input_tokens, std::int64_t output_tokens, SteadyTime now);

 private:
  enum class Counts { requests, requests_per_day, tokens, input_tokens, output_tokens };

  struct Gate {
    Counts counts;
    std::int64_t limit;
    Bucket admitting;
    Bucket reported;
  };

  static double cost(Counts counts, std::int64_t input_tokens, std::int64_t output_tokens);
  static std::string name(Counts counts);
  void add(Counts counts, std::optional<std::int64_t> limit, double burst_seconds, SteadyTime now);
  LimitReport report() const;

  std::vector<Gate> gates_;
};

}  // namespace llmbatch::sim
