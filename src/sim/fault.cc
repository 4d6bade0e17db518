#include "llmbatch/sim/fault.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "llmbatch/base/text.h"
#include "llmbatch/sim/latency.h"

namespace llmbatch::sim {
namespace {

// The first name of a fault is the one that is shown.
constexpr std::array<std::pair<std::string_view, Fault>, 30> kNames{{
    {"ok", Fault::none},
    {"noerror", Fault::none},
    {"502", Fault::html},
    {"html", Fault::html},
    {"503", Fault::unavailable},
    {"hang", Fault::hang},
    {"timeout", Fault::hang},
    {"reset", Fault::reset},
    {"cut", Fault::cut},
    {"truncated", Fault::truncated},
    {"empty", Fault::empty},
    {"error200", Fault::error_object},
    {"nochoices", Fault::no_choices},
    {"filter", Fault::filter},
    {"filter400", Fault::filter},
    {"filter200", Fault::filter200},
    {"refusal", Fault::refusal},
    {"length", Fault::length},
    {"nousage", Fault::no_usage},
    {"blank", Fault::blank},
    {"notjson", Fault::not_json},
    {"quota", Fault::quota},
    {"toolarge", Fault::too_large},
    {"context", Fault::context_length},
    {"badanswer", Fault::bad_answer},
    {"stubborn", Fault::stubborn},
    {"batch-expired", Fault::batch_expired},
    {"batch-missing", Fault::batch_missing},
    {"batch-zero", Fault::batch_zero},
    {"slow", Fault::slow},
}};

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  names.reserve(kNames.size());
  for (const auto& [name, fault] : kNames) names.emplace_back(name);
  return names;
}

std::optional<FaultStep> named_step(std::string_view name) {
  for (const auto& [known, fault] : kNames) {
    if (name == known) {
      FaultStep step;
      step.fault = fault;
      return step;
    }
  }
  int status = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), status);
  if (code != std::errc() || end != name.data() + name.size()) return std::nullopt;
  if (status < 400 || status > 599) return std::nullopt;
  FaultStep step;
  step.fault = Fault::status;
  step.status = status;
  return step;
}

bool takes_duration(const FaultStep& step) {
  return step.fault == Fault::slow || (step.fault == Fault::status && step.status == 429);
}

/// Calls `visit` with each trimmed part between commas; stops at the first failure.
template <typename Visit>
Status for_each_part(std::string_view text, Visit visit) {
  while (true) {
    const std::size_t comma = text.find(',');
    if (Status status = visit(trim(text.substr(0, comma))); !status) return status;
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

Result<double> parse_probability(std::string_view text, std::string_view part) {
  double value = 0;
  const auto [end, code] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  std::string_view rest = text.substr(static_cast<std::size_t>(end - text.data()));
  if (code == std::errc() && rest == "%") {
    value /= 100;
    rest = {};
  }
  if (code != std::errc() || !rest.empty() || value < 0 || value > 1) {
    return usage_error("'" + std::string(part) + "': '" + std::string(text) +
                       "' is not a probability (expected e.g. 0.01 or 1%)");
  }
  return value;
}

}  // namespace

std::string fault_name(const FaultStep& step) {
  if (step.fault == Fault::status) return std::to_string(step.status);
  for (const auto& [name, fault] : kNames) {
    if (fault == step.fault) return std::string(name);
  }
  return "ok";
}

Result<FaultStep> parse_fault_step(std::string_view text) {
  text = trim(text);
  const std::size_t split = text.find_first_of("=:");
  const std::string_view name = trim(text.substr(0, split));
  const auto step = named_step(name);
  if (!step) {
    std::string message = "'" + std::string(name) + "': not an error the simulator knows";
    if (const auto near = nearest_word(name, all_names())) {
      message += " (did you mean " + *near + "?)";
    } else {
      message += fmt::format(" (400 to 599, {})", fmt::join(all_names(), ", "));
    }
    return usage_error(message);
  }
  FaultStep result = *step;
  if (split == std::string_view::npos) {
    if (step->fault == Fault::slow) return usage_error("'slow': how long? (expected slow=500ms)");
    return result;
  }
  if (!takes_duration(*step)) {
    return usage_error("'" + std::string(text) + "': only slow and 429 take a duration");
  }
  const Result<Duration> duration = parse_delay(text.substr(split + 1));
  if (!duration) return forward_error(duration);
  result.duration = *duration;
  result.has_duration = true;
  return result;
}

Result<std::vector<FaultStep>> parse_script(std::string_view text) {
  std::vector<FaultStep> steps;
  const Status status = for_each_part(text, [&](std::string_view part) -> Status {
    const Result<FaultStep> step = parse_fault_step(part);
    if (!step) return forward_error(step);
    steps.push_back(*step);
    return {};
  });
  if (!status) return forward_error(status);
  return steps;
}

FaultStep FaultMix::draw(double uniform) const {
  for (const FaultChance& chance : chances) {
    if (uniform < chance.probability) return chance.step;
    uniform -= chance.probability;
  }
  return {};
}

Result<FaultMix> parse_fault_mix(std::string_view text) {
  FaultMix mix;
  if (trim(text).empty()) return mix;
  double total = 0;
  const Status status = for_each_part(text, [&](std::string_view part) -> Status {
    const std::size_t equals = part.rfind('=');
    if (equals == std::string_view::npos) {
      return usage_error("'" + std::string(part) + "': no probability (expected NAME=0.01)");
    }
    const Result<double> probability = parse_probability(trim(part.substr(equals + 1)), part);
    if (!probability) return forward_error(probability);
    const Result<FaultStep> step = parse_fault_step(part.substr(0, equals));
    if (!step) return forward_error(step);
    total += *probability;
    mix.chances.push_back({*step, *probability});
    return {};
  });
  if (!status) return forward_error(status);
  // Ten times 0.1 is a little more than 1 in binary.
  if (total > 1 + 1e-9) {
    return usage_error("'" + std::string(text) + "': the probabilities add up to more than 1");
  }
  return mix;
}

}  // namespace llmbatch::sim
