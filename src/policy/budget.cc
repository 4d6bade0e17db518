#include "llmbatch/policy/budget.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace llmbatch {
namespace {

/// A ceiling is this many calls, or this part of what is left, above what is committed: the first
/// saves commits, the second keeps small what a kill costs.
constexpr std::int64_t kCallsAhead = 8;
constexpr std::int64_t kPartAhead = 50;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// How many answers a body asks for. Inside a JSON string the quotes of such a name would be
/// escaped, so that only members are found.
std::int64_t choices_in(std::string_view body) {
  std::int64_t most = 1;
  for (const std::string_view name : {R"("n":)", R"("candidateCount":)", R"("candidate_count":)"}) {
    for (auto at = body.find(name); at != std::string_view::npos; at = body.find(name, at + 1)) {
      std::string_view value = body.substr(at + name.size());
      while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) {
        value.remove_prefix(1);
      }
      std::int64_t choices = 0;
      std::from_chars(value.data(), value.data() + value.size(), choices);
      most = std::max(most, std::min<std::int64_t>(choices, 1000));
    }
  }
  return most;
}

/// Input that is written to the prompt cache may cost more than other input.
Money dearest_input(const ModelPrice& price, const EffectivePrices& prices, std::string_view body) {
  if (price.cache_writes.five_minutes == Factor{} && price.cache_writes.one_hour == Factor{}) {
    return prices.input;
  }
  // Anthropic writes on request only; recent models of OpenAI by themselves.
  const bool asked = contains(body, "\"cache_control\"");
  if (price.provider == "anthropic" && !asked) return prices.input;
  if (price.provider == "anthropic" && contains(body, "\"1h\"")) {
    return std::max(prices.input, prices.cache_write_one_hour);
  }
  return std::max(prices.input, prices.cache_write);
}

}  // namespace

Budget::Budget(std::optional<Money> limit, Money spent, Money held)
    : limit_(limit), spent_(spent), held_(held) {}

Budget::Answer Budget::ask(Money amount, std::size_t calls_in_flight) {
  if (!limit_) return Answer::start;
  wanted_ = amount;
  if (committed() + amount > *limit_) {
    return calls_in_flight > 0 ? Answer::wait_for_answers : Answer::over;
  }
  if (!usage_seen_ && calls_in_flight >= kBlindCalls) return Answer::wait_for_answers;
  if (committed() + amount > allowed()) return Answer::wait_for_store;
  return Answer::start;
}

void Budget::take(Money amount) { reserved_ += amount; }

void Budget::settle(Money amount, std::optional<Money> cost, bool maybe_billed) {
  reserved_ = reserved_ - amount;
  if (cost) {
    spent_ += *cost;
  } else if (maybe_billed) {
    held_ += amount;
  }
}

void Budget::learn(TokenCount estimated, TokenCount reported) {
  usage_seen_ = true;
  if (estimated <= 0) return;
  ratio_ = std::max(ratio_, static_cast<double>(reported) / static_cast<double>(estimated));
}

TokenCount Budget::corrected(TokenCount estimated) const {
  return static_cast<TokenCount>(std::ceil(static_cast<double>(estimated) * ratio_));
}

/// A ceiling that was handed over may be lower than the durable one, and will be what counts.
Money Budget::allowed() const {
  Money lowest = durable_.amount;
  for (const Ceiling& ceiling : handed_over_) lowest = std::min(lowest, ceiling.amount);
  return lowest;
}

bool Budget::needs_higher_ceiling() const {
  if (!limit_ || committed() + wanted_ > *limit_) return false;
  const Money newest = handed_over_.empty() ? durable_.amount : handed_over_.back().amount;
  return committed() + wanted_ > newest;
}

Money Budget::hand_over(SteadyTime stamp) {
  Money ceiling = committed();
  if (limit_ && ceiling < *limit_) {
    const Money left = *limit_ - ceiling;
    const Money part = Money::from_pico(left.pico() / kPartAhead);
    ceiling += std::max(wanted_, std::min(part, wanted_.times(kCallsAhead)));
    ceiling = std::min(ceiling, *limit_);
  }
  if (limit_) handed_over_.push_back({stamp, ceiling});
  return ceiling;
}

void Budget::on_durable(SteadyTime stamp) {
  while (!handed_over_.empty() && handed_over_.front().stamp <= stamp) {
    durable_ = handed_over_.front();
    handed_over_.pop_front();
  }
}

std::optional<Money> most_expensive(const ModelPrice& price, const Request& request,
                                    TokenCount input_tokens, WallTime at, BillingMode mode) {
  const auto prices = effective_prices(price, input_tokens, at, mode);
  if (!prices) return std::nullopt;
  const Money input = charge(input_tokens, dearest_input(price, *prices, request.body));
  if (prices->output == Money()) return input;
  TokenCount cap = request.output_cap;
  if (cap <= 0) cap = price.max_output.value_or(0);
  if (cap <= 0) return std::nullopt;
  return input + charge(cap * choices_in(request.body), prices->output);
}

}  // namespace llmbatch
