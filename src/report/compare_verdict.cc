#include "compare_verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// Fewer than that say little whatever they say.
constexpr std::int64_t kSmallSample = 30;

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

/// `5`, `2.5`: of a share, in percentage points.
std::string points(double share) {
  std::string text = fmt::format("{:.1f}", share * 100);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text == "-0" ? "0" : text;
}

std::string point_word(double share) { return points(share) == "1" ? " point" : " points"; }

std::string name_of(const CompareModel& model) { return sanitize_for_terminal(model.model); }

bool within_tolerance(const CompareResult& result, const CompareModel& model) {
  constexpr double kRounding = 1e-9;
  return model.judged > 0 &&
         model.accuracy() + result.tolerance + kRounding >= result.models[*result.best].accuracy();
}

std::optional<std::size_t> cheapest(const CompareResult& result) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < result.models.size(); ++i) {
    const CompareModel& model = result.models[i];
    if (!model.cost_per_1000 || !within_tolerance(result, model)) continue;
    if (!found || *model.cost_per_1000 < *result.models[*found].cost_per_1000) found = i;
  }
  return found;
}

std::string unfinished_sentence(const CompareResult& result) {
  std::string text = "No verdict yet: ";
  bool first = true;
  for (const CompareModel& model : result.models) {
    if (model.complete()) continue;
    text += fmt::format("{}{} has {} of {} results", first ? "" : ", ", name_of(model),
                        group_digits(model.done), group_digits(model.items));
    if (!model.pause_reason.empty()) {
      text += fmt::format(" (paused: {})", sanitize_for_terminal(model.pause_reason));
    }
    first = false;
  }
  return text + "; the same command goes on.";
}

/// What is right about a model: `92.0 %`, or with whom it agrees how often.
std::string limit_text(const CompareResult& result) {
  return fmt::format("{} points", points(result.tolerance));
}

std::string saving_text(const CompareResult& result, const CompareModel& chosen,
                        const CompareModel& best) {
  if (!best.cost_per_1000) {
    return fmt::format("{} per 1,000 items; the price of {} is unknown, and so is what that saves",
                       chosen.cost_per_1000->to_display(), name_of(best));
  }
  std::string text =
      fmt::format("{} instead of {} per 1,000 items", chosen.cost_per_1000->to_display(),
                  best.cost_per_1000->to_display());
  if (result.saved) {
    text += fmt::format(", which saves {} on all {}", result.saved->to_display(),
                        group_digits(result.items));
  }
  return text;
}

std::string agreement_sentence(const CompareResult& result) {
  const CompareModel& best = result.models[*result.best];
  const std::string least = percent(1 - result.tolerance);
  if (result.chosen == result.best) {
    return fmt::format("No cheaper model agrees with {} on at least {} of the items.",
                       name_of(best), least);
  }
  if (!result.chosen) {
    return fmt::format(
        "No price of a model that agrees with {} on at least {} of the items is known, so none can "
        "be called the cheapest.",
        name_of(best), least);
  }
  const CompareModel& chosen = result.models[*result.chosen];
  return fmt::format(
      "{} is the cheapest model that agrees with {} on at least {} of the items: "
      "{}, {}.",
      name_of(chosen), name_of(best), least, percent(chosen.accuracy()),
      saving_text(result, chosen, best));
}

std::string verdict_sentence(const CompareResult& result) {
  const CompareModel& best = result.models[*result.best];
  if (!result.expected_field.empty() && result.models.size() == 1) {
    return fmt::format("{} is right on {} of {} items: {}, between {} and {} (95 %).",
                       name_of(best), group_digits(best.right), group_digits(best.judged),
                       percent(best.accuracy()), percent(best.interval.low),
                       percent(best.interval.high));
  }
  if (result.expected_field.empty()) return agreement_sentence(result);
  if (!result.chosen) {
    return fmt::format(
        "{} is the best ({}), but no price of a model within {} of it is known, so none can be "
        "called the cheapest.",
        name_of(best), percent(best.accuracy()), limit_text(result));
  }
  if (result.chosen == result.best) {
    return fmt::format("No cheaper model is within {} of the best: {}, {} at {} per 1,000 items.",
                       limit_text(result), name_of(best), percent(best.accuracy()),
                       best.cost_per_1000->to_display());
  }
  const CompareModel& chosen = result.models[*result.chosen];
  return fmt::format("{} is the cheapest model within {} of the best: {} against {} ({}), {}.",
                     name_of(chosen), limit_text(result), percent(chosen.accuracy()),
                     percent(best.accuracy()), name_of(best), saving_text(result, chosen, best));
}

void note_difference(CompareResult& result) {
  if (!result.chosen || result.chosen == result.best) return;
  const CompareModel& chosen = result.models[*result.chosen];
  if (!chosen.with_best) return;
  const PairedDifference& difference = chosen.with_best->difference;
  const std::string best = name_of(result.models[*result.best]);
  const std::string worse = fmt::format("{}{} worse than {} (95 %)", points(difference.high),
                                        point_word(difference.high), best);
  if (difference.high <= result.tolerance) {
    result.notes.push_back(fmt::format("{} is at most {}.", name_of(chosen), worse));
    return;
  }
  std::string note = fmt::format(
      "Not settled by {} items: {} may be up to {}, which is more than the tolerance of {}.",
      group_digits(chosen.with_best->counts.total()), name_of(chosen), worse,
      points(result.tolerance));
  if (const auto items = items_to_settle(chosen.with_best->counts, result.tolerance)) {
    note += *items <= result.eligible
                ? fmt::format(
                      " If the difference stays, about {} items settle it: --sample {} "
                      "keeps what is done.",
                      group_digits(*items), *items)
                : fmt::format(" It would take about {} items; the input has {}.",
                              group_digits(*items), group_digits(result.eligible));
  }
  result.notes.push_back(std::move(note));
}

/// A cheaper model that missed the tolerance, but not by more than chance can do.
void note_near_candidates(CompareResult& result) {
  if (!result.chosen) return;
  const Money price = *result.models[*result.chosen].cost_per_1000;
  for (const CompareModel& model : result.models) {
    const bool cheaper = model.cost_per_1000 && *model.cost_per_1000 < price;
    if (!cheaper || !model.with_best || within_tolerance(result, model)) continue;
    const PairedDifference& difference = model.with_best->difference;
    if (difference.low >= result.tolerance) continue;
    result.notes.push_back(fmt::format(
        "{} is cheaper and {}{} below the best, but that is {} to {} (95 %): it may be "
        "within the tolerance after all.",
        name_of(model), points(difference.difference), point_word(difference.difference),
        points(difference.low), points(difference.high)));
  }
}

void note_prices(CompareResult& result) {
  std::string names;
  int count = 0;
  for (const CompareModel& model : result.models) {
    if (model.cost_per_1000 || model.done == 0) continue;
    names += (count++ > 0 ? ", " : "") + name_of(model);
  }
  if (count == 0) return;
  result.notes.push_back(fmt::format("The {} of {} {} unknown: {} not considered as the cheapest.",
                                     count == 1 ? "price" : "prices", names,
                                     count == 1 ? "is" : "are", count == 1 ? "it is" : "they are"));
}

void note_quality(std::int64_t near_misses, CompareResult& result) {
  for (const CompareModel& model : result.models) {
    if (model.failed == 0) continue;
    result.notes.push_back(fmt::format(
        "{} of the items failed with {} and count as wrong; --retry failed takes them up again.",
        group_digits(model.failed), name_of(model)));
  }
  if (near_misses > 0) {
    result.notes.push_back(fmt::format(
        "{} wrong {} only in case, white space or punctuation from what was expected: "
        "--expect-mode casefold counts {} as right.",
        group_digits(near_misses), near_misses == 1 ? "answer differs" : "answers differ",
        near_misses == 1 ? "it" : "them"));
  }
  if (result.best && result.models[*result.best].judged < kSmallSample) {
    result.notes.push_back(fmt::format("Only {} items were compared: chance decides much.",
                                       group_digits(result.models[*result.best].judged)));
  }
  if (result.expected_field.empty() && result.best) {
    result.notes.push_back(fmt::format(
        "Agreement is not accuracy: where {} is wrong, a model that agrees with it is wrong, too.",
        name_of(result.models[*result.best])));
  }
}

}  // namespace

void choose_model(std::int64_t near_misses, CompareResult& result) {
  const bool complete = std::all_of(result.models.begin(), result.models.end(),
                                    [](const CompareModel& model) { return model.complete(); });
  note_quality(near_misses, result);
  if (!complete) {
    result.verdict = unfinished_sentence(result);
    return;
  }
  if (!result.best) {
    result.verdict = "No answer could be compared with anything, so there is no verdict.";
    return;
  }
  result.chosen = cheapest(result);
  if (result.chosen && result.models[*result.best].cost_per_1000) {
    const CompareModel& chosen = result.models[*result.chosen];
    const CompareModel& best = result.models[*result.best];
    result.saved_per_1000 = *best.cost_per_1000 - *chosen.cost_per_1000;
    if (best.projected && chosen.projected) result.saved = *best.projected - *chosen.projected;
  }
  note_difference(result);
  note_near_candidates(result);
  note_prices(result);
  result.verdict = verdict_sentence(result);
}

}  // namespace llmbatch
