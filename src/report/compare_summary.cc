#include "llmbatch/report/compare_summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "compare_verdict.h"

namespace llmbatch {
namespace {

/// An answer next to what it is compared with.
struct Judged {
  bool done = false;
  bool malformed = false;
  std::optional<std::string> value;  ///< the compared part of a succeeded answer
  std::optional<bool> right;         ///< absent: not done, or nothing to compare with
};
using JudgedModel = std::vector<Judged>;

/// pico x numerator / denominator; absent when that is out of range.
std::optional<Money> scaled(Money money, std::int64_t numerator, std::int64_t denominator) {
  const double estimate = static_cast<double>(money.pico()) * static_cast<double>(numerator) /
                          static_cast<double>(denominator);
  if (!(std::abs(estimate) < 9.2e18)) return std::nullopt;
  const std::int64_t whole = money.pico() / denominator;
  const std::int64_t rest = money.pico() % denominator;
  const double rest_part =
      static_cast<double>(rest) * static_cast<double>(numerator) / static_cast<double>(denominator);
  return Money::from_pico(whole * numerator + std::llround(rest_part));
}

JudgedModel read_answers(const AnswerScorer& scorer, const ModelAnswers& model) {
  JudgedModel judged(model.results.size());
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const auto& result = model.results[i];
    if (!result || result->state == ItemState::invalid) continue;
    Judged& one = judged[i];
    one.done = true;
    one.malformed = result->state == ItemState::flagged;
    if (result->state != ItemState::succeeded || !result->output) continue;
    one.value = scorer.answer(*result->output, result->output_is_json);
    if (!one.value) one.malformed = true;
  }
  return judged;
}

void judge(const AnswerScorer& scorer, const std::vector<CompareItem>& items,
           const JudgedModel* reference, JudgedModel& model) {
  for (std::size_t i = 0; i < model.size(); ++i) {
    if (!model[i].done) continue;
    const auto& expected = reference != nullptr ? (*reference)[i].value : items[i].expected;
    if (!expected) continue;
    // No answer is no right answer.
    model[i].right = model[i].value && scorer.matches(*expected, *model[i].value);
  }
}

void add_usage(const std::optional<Usage>& usage, Usage& sum) {
  if (!usage) return;
  sum.input += usage->input;
  sum.cached_input += usage->cached_input;
  sum.cache_write += usage->cache_write;
  sum.output += usage->output;
  sum.reasoning += usage->reasoning;
  sum.estimated = sum.estimated || usage->estimated;
}

/// Costs of the items that were really called for: what a cache answered costs nothing here, and
/// says nothing about the rest of the input.
class CostSample {
 public:
  void add(const ItemResult& result) {
    if (result.cached) return;
    if (!result.cost && result.usage) unknown_ = true;
    any_known_ = any_known_ || result.cost.has_value();
    costs_.push_back(result.cost.value_or(Money()));
    sum_ += costs_.back();
  }

  void finish(std::int64_t items, CompareModel& model) const {
    if (unknown_ || !any_known_) return;
    const auto n = static_cast<std::int64_t>(costs_.size());
    model.cost = sum_;
    model.cost_per_1000 = scaled(sum_, 1000, n);
    model.projected = scaled(sum_, items, n);
    if (!model.projected || n < 2) return;
    const double mean = static_cast<double>(sum_.pico()) / static_cast<double>(n);
    double squares = 0;
    for (const Money cost : costs_) {
      const double off = static_cast<double>(cost.pico()) - mean;
      squares += off * off;
    }
    const double error = std::sqrt(squares / static_cast<double>(n - 1) / static_cast<double>(n));
    const double half = kZ95 * error * static_cast<double>(items);
    const auto center = static_cast<double>(model.projected->pico());
    if (!(center + half < 9.2e18)) return;
    model.projected_low = Money::from_pico(std::llround(std::max(0.0, center - half)));
    model.projected_high = Money::from_pico(std::llround(center + half));
  }

 private:
  std::vector<Money> costs_;
  Money sum_;
  bool unknown_ = false;
  bool any_known_ = false;
};

CompareModel measure(const CompareSetup& setup, const ModelAnswers& answers,
                     const JudgedModel& judged) {
  CompareModel model;
  model.model = answers.model;
  model.database = answers.database;
  model.pause_reason = answers.pause_reason;
  model.items = static_cast<std::int64_t>(judged.size());
  CostSample costs;
  std::vector<std::int64_t> latencies;
  for (std::size_t i = 0; i < judged.size(); ++i) {
    const auto& result = answers.results[i];
    if (!result) continue;
    if (result->state == ItemState::invalid) {
      --model.items;
      continue;
    }
    ++model.done;
    model.refused += result->state == ItemState::filtered ? 1 : 0;
    model.failed += result->state == ItemState::failed ? 1 : 0;
    model.malformed += judged[i].malformed ? 1 : 0;
    if (judged[i].right) {
      ++model.judged;
      model.right += *judged[i].right ? 1 : 0;
    }
    costs.add(*result);
    add_usage(result->usage, model.usage);
    if (result->state == ItemState::succeeded && !result->cached && result->latency_ms) {
      latencies.push_back(*result->latency_ms);
    }
  }
  costs.finish(setup.items, model);
  model.interval = wilson_interval(model.right, model.judged);
  model.latency_p50_ms = percentile(latencies, 0.50);
  model.latency_p95_ms = percentile(latencies, 0.95);
  return model;
}

PairedCounts count_pairs(const JudgedModel& first, const JudgedModel& second) {
  PairedCounts counts;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!first[i].right || !second[i].right) continue;
    const bool a = *first[i].right;
    const bool b = *second[i].right;
    if (a && b) ++counts.both;
    if (a && !b) ++counts.only_first;
    if (!a && b) ++counts.only_second;
    if (!a && !b) ++counts.neither;
  }
  return counts;
}

/// Best first: accuracy, then the lower known cost, then the order in which they were named.
std::vector<std::size_t> ranking(const std::vector<CompareModel>& models) {
  std::vector<std::size_t> order(models.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    const CompareModel& first = models[a];
    const CompareModel& second = models[b];
    if (first.reference != second.reference) return first.reference;
    if ((first.judged > 0) != (second.judged > 0)) return first.judged > 0;
    if (first.accuracy() != second.accuracy()) return first.accuracy() > second.accuracy();
    if (first.cost_per_1000 && second.cost_per_1000) {
      return *first.cost_per_1000 < *second.cost_per_1000;
    }
    return first.cost_per_1000.has_value() && !second.cost_per_1000.has_value();
  });
  return order;
}

CompareAnswer shown_answer(const std::optional<ItemResult>& result, const Judged& judged) {
  CompareAnswer answer;
  answer.state = std::string(to_string(result ? result->state : ItemState::pending));
  answer.right = judged.right;
  if (judged.value) {
    answer.text = value_text(*judged.value);
  } else if (result && result->output) {
    answer.text = *result->output;
  }
  return answer;
}

class Disagreements {
 public:
  Disagreements(const std::vector<CompareItem>& items, const std::vector<ModelAnswers>& models,
                const std::vector<JudgedModel>& judged, const std::vector<std::size_t>& order)
      : items_(items), models_(models), judged_(judged), order_(order) {}

  void collect(std::int64_t wanted, CompareResult& result) const {
    for (std::size_t i = 0; i < items_.size(); ++i) {
      if (!differ(i)) continue;
      if (result.disagreement_count++ < wanted) result.disagreements.push_back(describe(i));
    }
  }

 private:
  /// One of several is wrong, or the only one is.
  bool differ(std::size_t item) const {
    return std::any_of(judged_.begin(), judged_.end(), [item](const JudgedModel& model) {
      return model[item].right && !*model[item].right;
    });
  }

  CompareDisagreement describe(std::size_t item) const {
    CompareDisagreement shown;
    shown.id = items_[item].id;
    shown.line = items_[item].line;
    shown.input = items_[item].input;
    if (items_[item].expected) shown.expected = value_text(*items_[item].expected);
    for (const std::size_t model : order_) {
      shown.answers.push_back(shown_answer(models_[model].results[item], judged_[model][item]));
    }
    return shown;
  }

  const std::vector<CompareItem>& items_;
  const std::vector<ModelAnswers>& models_;
  const std::vector<JudgedModel>& judged_;
  const std::vector<std::size_t>& order_;
};

/// Wrong answers that a more lenient --expect-mode would count as right.
std::int64_t count_near_misses(const std::vector<CompareItem>& items, const JudgedModel* reference,
                               const std::vector<JudgedModel>& models) {
  std::int64_t count = 0;
  for (const JudgedModel& model : models) {
    for (std::size_t i = 0; i < model.size(); ++i) {
      if (!model[i].right || *model[i].right || !model[i].value) continue;
      const auto& expected = reference != nullptr ? (*reference)[i].value : items[i].expected;
      if (expected && AnswerScorer::matches(*expected, *model[i].value, MatchMode::casefold)) {
        ++count;
      }
    }
  }
  return count;
}

/// Every model's answers next to what they are compared with.
std::vector<JudgedModel> judge_all(const AnswerScorer& scorer,
                                   const std::vector<CompareItem>& items,
                                   const std::vector<ModelAnswers>& models) {
  std::vector<JudgedModel> judged;
  judged.reserve(models.size());
  for (const ModelAnswers& model : models) judged.push_back(read_answers(scorer, model));
  const bool agreement = scorer.rule().expected_field.empty();
  const JudgedModel* reference = agreement && !judged.empty() ? judged.data() : nullptr;
  for (JudgedModel& model : judged) judge(scorer, items, reference, model);
  return judged;
}

}  // namespace

std::vector<std::vector<CompareAnswer>> judge_answers(const AnswerScorer& scorer,
                                                      const std::vector<CompareItem>& items,
                                                      const std::vector<ModelAnswers>& models) {
  const std::vector<JudgedModel> judged = judge_all(scorer, items, models);
  std::vector<std::vector<CompareAnswer>> answers(models.size());
  for (std::size_t m = 0; m < models.size(); ++m) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      answers[m].push_back(shown_answer(models[m].results[i], judged[m][i]));
    }
  }
  return answers;
}

CompareResult summarize_comparison(const CompareSetup& setup, const AnswerScorer& scorer,
                                   const std::vector<CompareItem>& items,
                                   const std::vector<ModelAnswers>& models) {
  CompareResult result;
  result.input = setup.input;
  result.directory = setup.directory;
  result.sample = static_cast<std::int64_t>(items.size());
  result.eligible = setup.eligible;
  result.items = setup.items;
  result.sample_seed = setup.sample_seed;
  result.expected_field = scorer.rule().expected_field;
  result.match_mode = to_string(scorer.rule().mode);
  result.answer_pointer = scorer.rule().answer_pointer;
  result.tolerance = setup.tolerance;

  const std::vector<JudgedModel> judged = judge_all(scorer, items, models);
  const bool agreement = result.expected_field.empty();
  const JudgedModel* reference = agreement && !judged.empty() ? judged.data() : nullptr;
  std::vector<CompareModel> measured;
  for (std::size_t i = 0; i < models.size(); ++i) {
    measured.push_back(measure(setup, models[i], judged[i]));
    measured.back().reference = agreement && i == 0;
  }
  const std::vector<std::size_t> order = ranking(measured);
  for (const std::size_t index : order) result.models.push_back(std::move(measured[index]));
  if (!result.models.empty() && result.models[0].judged > 0) result.best = 0;
  for (std::size_t i = 1; i < order.size() && result.best; ++i) {
    if (result.models[i].judged == 0) continue;
    CompareWithBest with_best;
    with_best.counts = count_pairs(judged[order[0]], judged[order[i]]);
    with_best.difference = paired_difference(with_best.counts);
    with_best.p_value = mcnemar_exact(with_best.counts);
    result.models[i].with_best = with_best;
  }
  Disagreements(items, models, judged, order).collect(setup.disagreements_wanted, result);
  const bool lenient = scorer.rule().mode != MatchMode::exact;
  choose_model(lenient ? 0 : count_near_misses(items, reference, judged), result);
  return result;
}

}  // namespace llmbatch
