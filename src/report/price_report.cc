#include "llmbatch/report/price_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr std::size_t kColumns = 9;
using Row = std::array<std::string, kColumns>;

std::string price_text(const std::optional<Money>& price) {
  return price ? price->to_decimal() : "-";
}

std::string factor_decimal(Factor factor) {
  return Money::from_pico(factor.millionths * (Money::kPicoPerDollar / Factor::kOne)).to_decimal();
}

std::string count_text(const std::optional<TokenCount>& count) {
  return count ? group_digits(*count) : "-";
}

std::string rates_text(const TokenRates& rates) {
  return fmt::format("{} / {} / {}", rates.input.to_decimal(), price_text(rates.cached_input),
                     rates.output.to_decimal());
}

std::string minute_text(std::int32_t minute) {
  return fmt::format("{:02}:{:02}", minute / 60, minute % 60);
}

/// What a flat price cannot say, in the order input / cached / output.
std::string remarks(const ModelPrice& model) {
  std::vector<std::string> parts;
  if (const auto& tier = model.long_context) {
    const std::string limit = group_digits(tier->over_input_tokens);
    parts.push_back(
        tier->rates
            ? fmt::format("over {} in: {}", limit, rates_text(*tier->rates))
            : fmt::format("over {} in: x{} / x{} / x{}", limit, factor_decimal(tier->input),
                          factor_decimal(tier->cached_input), factor_decimal(tier->output)));
  }
  if (const auto& peak = model.peak) {
    std::vector<std::string> spans;
    for (const PeakHours::Span& span : peak->spans) {
      spans.push_back(minute_text(span.begin_minute) + "-" + minute_text(span.end_minute));
    }
    parts.push_back(fmt::format("x{} at {} UTC{}", factor_decimal(peak->factor),
                                fmt::join(spans, " and "), peak->weekdays_only ? " Mon-Fri" : ""));
  }
  if (const auto& change = model.change) {
    parts.push_back(fmt::format("from {}: {}", change->from_date, rates_text(change->rates)));
  }
  const CacheWriteFactors& writes = model.cache_writes;
  if (writes.five_minutes != Factor{} || writes.one_hour != Factor{}) {
    std::string text = "cache writes x" + factor_decimal(writes.five_minutes);
    if (writes.one_hour != writes.five_minutes) {
      text += fmt::format(" (1 h: x{})", factor_decimal(writes.one_hour));
    }
    parts.push_back(std::move(text));
  }
  return fmt::format("{}", fmt::join(parts, "; "));
}

Row row_of(const ModelPrice& model) {
  return {sanitize_for_terminal(model.name()),
          model.rates.input.to_decimal(),
          price_text(model.rates.cached_input),
          model.rates.output.to_decimal(),
          price_text(model.rates.batch_input),
          price_text(model.rates.batch_output),
          count_text(model.context),
          count_text(model.max_output),
          remarks(model)};
}

void append_price(std::string& out, std::string_view name, const std::optional<Money>& price) {
  out += fmt::format(R"(,"{}":{})", name, price ? price->to_decimal() : "null");
}

void append_count(std::string& out, std::string_view name, const std::optional<TokenCount>& count) {
  out += fmt::format(R"(,"{}":{})", name, count ? std::to_string(*count) : "null");
}

void append_rates(std::string& out, const TokenRates& rates) {
  out += fmt::format(R"("input":{})", rates.input.to_decimal());
  append_price(out, "cached_input", rates.cached_input);
  append_price(out, "output", rates.output);
}

void append_text(std::string& out, std::string_view name, std::string_view text) {
  out += fmt::format(R"("{}":)", name);
  append_json_string(out, text);
}

void append_long_context(std::string& out, const LongContextTier& tier) {
  out += fmt::format(R"("over_input_tokens":{},)", tier.over_input_tokens);
  if (tier.rates) {
    append_rates(out, *tier.rates);
  } else {
    out += fmt::format(R"("input_multiplier":{},"cached_multiplier":{},"output_multiplier":{})",
                       factor_decimal(tier.input), factor_decimal(tier.cached_input),
                       factor_decimal(tier.output));
  }
}

void append_peak(std::string& out, const PeakHours& peak) {
  out += fmt::format(R"("multiplier":{},"weekdays_only":{},"utc":[)", factor_decimal(peak.factor),
                     peak.weekdays_only);
  for (std::size_t i = 0; i < peak.spans.size(); ++i) {
    out += fmt::format(R"({}"{}-{}")", i == 0 ? "" : ",", minute_text(peak.spans[i].begin_minute),
                       minute_text(peak.spans[i].end_minute));
  }
  out += ']';
}

template <typename T, typename Append>
void append_optional(std::string& out, std::string_view name, const std::optional<T>& value,
                     Append append) {
  out += fmt::format(R"(,"{}":)", name);
  if (!value) {
    out += "null";
    return;
  }
  out += '{';
  append(out, *value);
  out += '}';
}

void append_model(std::string& out, const ModelPrice& model) {
  out += '{';
  append_text(out, "model", model.name());
  out += ',';
  append_text(out, "provider", model.provider);
  out += ',';
  append_text(out, "id", model.id);
  out += ',';
  append_rates(out, model.rates);
  append_price(out, "batch_input", model.rates.batch_input);
  append_price(out, "batch_output", model.rates.batch_output);
  append_count(out, "context", model.context);
  append_count(out, "max_output", model.max_output);
  out += fmt::format(R"(,"cache_write_multiplier":{},"cache_write_multiplier_1h":{})",
                     factor_decimal(model.cache_writes.five_minutes),
                     factor_decimal(model.cache_writes.one_hour));
  append_optional(out, "long_context", model.long_context, append_long_context);
  append_optional(out, "peak", model.peak, append_peak);
  append_optional(out, "change", model.change, [](std::string& text, const PriceChange& change) {
    append_text(text, "from", change.from_date);
    text += ',';
    append_rates(text, change.rates);
  });
  out += ',';
  append_text(out, "source", model.source);
  out += '}';
}

}  // namespace

bool matches_filter(const ModelPrice& model, std::string_view filter) {
  return contains_ignore_case(model.name(), filter);
}

std::string format_prices(const PriceTable& table, std::string_view filter) {
  std::vector<Row> rows{
      {"MODEL", "INPUT", "CACHED", "OUTPUT", "BATCH IN", "BATCH OUT", "CONTEXT", "MAX OUT", ""}};
  for (const ModelPrice& model : table.models()) {
    if (matches_filter(model, filter)) rows.push_back(row_of(model));
  }
  if (rows.size() == 1) return {};
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out = fmt::format("USD per million tokens, as of {}", table.date());
  for (const std::string& file : table.overrides()) {
    out += fmt::format(", with {}", sanitize_for_terminal(file));
  }
  out += '\n';
  for (const Row& row : rows) {
    std::string line = fmt::format("{:<{}}", row[0], widths[0]);
    for (std::size_t i = 1; i + 1 < kColumns; ++i)
      line += fmt::format("  {:>{}}", row[i], widths[i]);
    if (!row.back().empty()) line += "  " + row.back();
    out += line + '\n';
  }
  return out;
}

std::string prices_json(const PriceTable& table, std::string_view filter) {
  std::string out = "{";
  append_text(out, "as_of", table.as_of());
  out += ',';
  append_text(out, "source", table.source());
  out += R"(,"unit":"USD per 1,000,000 tokens","overrides":[)";
  for (const std::string& file : table.overrides()) {
    if (out.back() != '[') out += ',';
    append_json_string(out, file);
  }
  out += R"(],"models":[)";
  for (const ModelPrice& model : table.models()) {
    if (!matches_filter(model, filter)) continue;
    if (out.back() != '[') out += ',';
    append_model(out, model);
  }
  out += "]}";
  return out;
}

}  // namespace llmbatch
