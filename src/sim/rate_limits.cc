#include "rate_limits.h"

#include <algorithm>
#include <cmath>

namespace llmbatch::sim {

void Bucket::refill(SteadyTime now) {
  if (now <= updated_) return;
  level_ = std::min(capacity_, level_ + to_seconds(now - updated_) * per_second_);
  updated_ = now;
}

Duration Bucket::wait_for(double amount) const {
  const double missing = std::min(amount, capacity_) - level_;
  return missing <= 0 ? Duration::zero() : from_seconds(missing / per_second_);
}

RateGate::RateGate(const SimulatedLimits& limits, SteadyTime now) {
  const double burst = to_seconds(limits.burst);
  add(Counts::requests, limits.rpm, burst, now);
  add(Counts::tokens, limits.tpm, burst, now);
  add(Counts::input_tokens, limits.itpm, burst, now);
  add(Counts::output_tokens, limits.otpm, burst, now);
  add(Counts::requests_per_day, limits.rpd, burst, now);
}

void RateGate::add(Counts counts, std::optional<std::int64_t> limit, double burst_seconds,
                   SteadyTime now) {
  if (!limit) return;
  const bool daily = counts == Counts::requests_per_day;
  const double whole = static_cast<double>(std::max<std::int64_t>(*limit, 1));
  const double per_second = whole / (daily ? 86400.0 : 60.0);
  // A day's requests may be used up at once; a minute's may not.
  const double capacity = daily ? whole : std::clamp(per_second * burst_seconds, 1.0, whole);
  gates_.push_back(
      {counts, *limit, Bucket(capacity, per_second, now), Bucket(whole, per_second, now)});
}

double RateGate::cost(Counts counts, std::int64_t input_tokens, std::int64_t output_tokens) {
  switch (counts) {
    case Counts::requests:
    case Counts::requests_per_day:
      return 1;
    case Counts::tokens:
      return static_cast<double>(input_tokens + output_tokens);
    case Counts::input_tokens:
      return static_cast<double>(input_tokens);
    case Counts::output_tokens:
      return static_cast<double>(output_tokens);
  }
  return 0;
}

std::string RateGate::name(Counts counts) {
  switch (counts) {
    case Counts::requests:
      return "requests per min (RPM)";
    case Counts::requests_per_day:
      return "requests per day (RPD)";
    case Counts::tokens:
      return "tokens per min (TPM)";
    case Counts::input_tokens:
      return "input tokens per min (ITPM)";
    case Counts::output_tokens:
      return "output tokens per min (OTPM)";
  }
  return {};
}

Admission RateGate::admit(std::int64_t input_tokens, std::int64_t output_tokens, SteadyTime now) {
  Admission admission;
  for (Gate& gate : gates_) {
    gate.admitting.refill(now);
    gate.reported.refill(now);
    const double amount = cost(gate.counts, input_tokens, output_tokens);
    const bool never = amount > static_cast<double>(gate.limit);
    const Duration wait = gate.admitting.wait_for(amount);
    if (never || (wait > admission.wait && admission.verdict != Admission::Verdict::never)) {
      admission.verdict = never ? Admission::Verdict::never : Admission::Verdict::wait;
      admission.wait = wait;
      admission.limit_name = name(gate.counts);
      admission.limit = gate.limit;
    }
  }
  if (admission.verdict == Admission::Verdict::admitted) {
    for (Gate& gate : gates_) {
      const double amount = cost(gate.counts, input_tokens, output_tokens);
      gate.admitting.take(amount);
      gate.reported.take(amount);
    }
  }
  admission.report = report();
  admission.report.query_cost = input_tokens + output_tokens;
  return admission;
}

LimitReport RateGate::report() const {
  LimitReport report;
  for (const Gate& gate : gates_) {
    const LimitState state{
        gate.limit,
        std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(gate.reported.level()))),
        gate.reported.until_full()};
    switch (gate.counts) {
      case Counts::requests:
        report.requests = state;
        break;
      case Counts::requests_per_day:
        report.requests_per_day = state;
        break;
      case Counts::tokens:
        report.tokens = state;
        break;
      case Counts::input_tokens:
        report.input_tokens = state;
        break;
      case Counts::output_tokens:
        report.output_tokens = state;
        break;
    }
  }
  return report;
}

}  // namespace llmbatch::sim
