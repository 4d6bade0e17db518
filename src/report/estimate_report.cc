// The text of an estimate. Its JSON form is in estimate_json.cc.
#include "llmbatch/report/estimate_report.h"

#include <fmt/format.h>

#include "llmbatch/base/text.h"
#include "llmbatch/model/status_text.h"

namespace llmbatch {
namespace {

constexpr std::string_view kUnknown = "unknown";

std::string count_text(std::int64_t count) {
  constexpr std::int64_t kExactBelow = 100'000;
  return count < kExactBelow ? group_digits(count) : format_compact(static_cast<double>(count));
}

std::string interval_text(const std::string& low, const std::optional<std::string>& expected,
                          const std::optional<std::string>& high) {
  if (!high) {
    const std::string least = "at least " + low;
    return expected ? fmt::format("about {}, {}", *expected, least) : least;
  }
  if (low == *high) return low;
  if (!expected) return fmt::format("{} to {}", low, *high);
  return fmt::format("about {} ({} to {})", *expected, low, *high);
}

std::string tokens_text(const TokenInterval& tokens) {
  std::optional<std::string> expected;
  std::optional<std::string> high;
  if (tokens.expected) expected = count_text(*tokens.expected);
  if (tokens.high) high = count_text(*tokens.high);
  return interval_text(count_text(tokens.low), expected, high);
}

std::string cost_text(const MoneyInterval& cost) {
  std::optional<std::string> expected;
  std::optional<std::string> high;
  if (cost.expected) expected = cost.expected->to_display();
  if (cost.high) high = cost.high->to_display();
  return interval_text(cost.low.to_display(), expected, high);
}

/// A part of a cost whose own interval would say too much.
std::string part_text(const MoneyInterval& cost) {
  return cost.expected ? cost.expected->to_display() : cost_text(cost);
}

std::string duration_text(const DurationEstimate& duration) {
  const std::string low = format_span(duration.low_seconds);
  std::string text = "at least " + low;
  if (duration.high_seconds) {
    const std::string high = format_span(*duration.high_seconds);
    text = low == high ? "about " + low : fmt::format("{} to {}", low, high);
  }
  const std::string bound = duration.bound_by == "latency"
                                ? "how long answers took so far"
                                : fmt::format("{} limit", duration.bound_by);
  return fmt::format("{} ({})", text, bound);
}

std::string items_text(const EstimateReport& report) {
  std::string text = group_digits(report.to_do) + " to do";
  const auto add = [&text](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", group_digits(count), what);
  };
  add(report.items.finished() - report.items[ItemState::invalid], "done before");
  add(report.items[ItemState::invalid], "invalid");
  add(report.repeats, report.repeats == 1 ? "asks what another asks" : "ask what others ask");
  add(report.duplicates, report.duplicates == 1 ? "duplicate line" : "duplicate lines");
  return text;
}

/// Where a figure that comes from answers comes from.
std::string sample_text(const EstimateReport& report, const SampleInterval& sample) {
  return report.pilot ? fmt::format("a pilot of {} items", group_digits(sample.n))
                      : fmt::format("{} earlier answers", group_digits(sample.n));
}

std::string input_basis(const EstimateReport& report) {
  if (const auto& ratio = report.basis.input_ratio) {
    return fmt::format("counted, times {:.3f} by {}", ratio->value, sample_text(report, *ratio));
  }
  return report.basis.count_margin > 0 ? report.counter : "counted with " + report.counter;
}

std::string output_basis(const EstimateReport& report) {
  if (report.basis.no_output) return "embeddings have none";
  if (const auto& mean = report.basis.output) {
    return fmt::format("{:.0f} per item by {}, 90 % interval", mean->value,
                       sample_text(report, *mean));
  }
  std::string bound = "no known cap (--max-tokens sets one)";
  if (report.own_caps >= report.job.items) {
    bound = "the cap of the requests";
  } else if (report.own_caps + report.model_caps >= report.job.items) {
    bound = report.own_caps == 0 ? "the model's maximum" : "the caps and the model's maximum";
  }
  return "no answers are known yet: from 1 per item to " + bound;
}

class Lines {
 public:
  void add(std::string_view name, std::string_view value, std::string_view remark = "") {
    out_ += fmt::format("  {:<10} {}", name, value);
    if (!remark.empty()) out_ += fmt::format("  [{}]", remark);
    out_ += '\n';
  }
  void add_plain(std::string_view text) { out_ += fmt::format("{}\n", text); }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

std::string unpriced_text(const EstimateReport& report) {
  std::string names;
  for (const std::string& name : report.unpriced_models) {
    names += names.empty() ? "" : ", ";
    names += name.empty() ? "requests without a model" : sanitize_for_terminal(name);
  }
  return fmt::format("no price for {}: --price-input and --price-output, or --price-file", names);
}

void add_cost(Lines& lines, const EstimateReport& report) {
  if (!report.job.real_time) {
    lines.add("cost", kUnknown, unpriced_text(report));
    return;
  }
  const CostEstimate& cost = *report.job.real_time;
  lines.add("cost", cost_text(cost.total),
            fmt::format("{} in, {} out", part_text(cost.input), part_text(cost.output)));
  lines.add(
      "in batches", report.job.batch ? cost_text(report.job.batch->total) : std::string(kUnknown),
      report.job.batch ? "as batches of the provider" : "no batch price is known for this model");
}

void add_duration(Lines& lines, const EstimateReport& report) {
  if (!report.duration) {
    lines.add("duration", kUnknown, "no limit is given and no answer was seen yet");
    return;
  }
  lines.add("duration", duration_text(*report.duration),
            report.duration->latency_known ? "" : "if answers come fast enough; without retries");
}

void add_repeats(Lines& lines, const EstimateReport& report) {
  if (!report.repeats_saving) return;
  lines.add("identical", "about " + report.repeats_saving->to_display() + " less",
            fmt::format("in the figures above: {} identical requests are not paid again",
                        group_digits(report.repeats)));
}

void add_caching(Lines& lines, const EstimateReport& report) {
  if (!report.prompt_cache_saving) return;
  lines.add("caching", "up to " + report.prompt_cache_saving->to_display() + " less",
            fmt::format("if the provider's prompt cache serves the {} tokens that all requests "
                        "begin with",
                        group_digits(report.shared_prefix)));
}

void add_price(Lines& lines, const EstimateReport& report) {
  if (report.price == nullptr) return;
  const ModelPrice& price = *report.price;
  const bool table = price.source != "given for this job";
  lines.add(
      "price",
      fmt::format("${} in, ${} out per million tokens", price.rates.input.to_decimal(),
                  price.rates.output.to_decimal()),
      table ? fmt::format("{}, as of {}", sanitize_for_terminal(price.name()), report.prices_as_of)
            : price.source);
}

}  // namespace

std::string format_estimate(const EstimateReport& report) {
  Lines lines;
  lines.add_plain(fmt::format("{} with {}: nothing was sent for this estimate",
                              sanitize_for_terminal(report.input),
                              sanitize_for_terminal(report.model)));
  if (report.pilot) {
    lines = Lines();
    lines.add_plain(fmt::format("{} with {}: what is left after the pilot",
                                sanitize_for_terminal(report.input),
                                sanitize_for_terminal(report.model)));
  }
  lines.add_plain("");
  lines.add("items", items_text(report));
  if (report.to_do > 0) {
    lines.add("tokens in", tokens_text(report.job.input), input_basis(report));
    lines.add("tokens out", tokens_text(report.job.output), output_basis(report));
    add_cost(lines, report);
    add_duration(lines, report);
    add_repeats(lines, report);
    add_caching(lines, report);
    add_price(lines, report);
  }
  for (const std::string& note : report.notes) lines.add("note", note);
  return lines.take();
}

std::string format_estimate_line(const EstimateReport& report, BillingMode mode) {
  std::string text = fmt::format("{} tokens in", tokens_text(report.job.input));
  if (!report.basis.no_output) text += fmt::format(", {} out", tokens_text(report.job.output));
  const bool in_batches = mode == BillingMode::batch;
  const auto& cost = in_batches ? report.job.batch : report.job.real_time;
  text += cost ? fmt::format(", {}", cost_text(cost->total)) : std::string(", cost unknown");
  if (in_batches) return text + " in batches";
  if (report.duration) text += ", " + duration_text(*report.duration);
  return text;
}

}  // namespace llmbatch
