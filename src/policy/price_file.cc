#include "price_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr Money kDearest = Money::from_pico(Money::kPicoPerDollar * 1'000'000);
constexpr std::string_view kOpenAiWrites = "openai_gpt_5_6_and_later";
constexpr std::string_view kChangePrefix = "from_";

/// The names of our profiles, where the table's differ.
std::string profile_of(std::string_view provider) {
  return provider == "google" ? "gemini" : std::string(provider);
}

std::string element(std::string_view list, std::size_t index) {
  return std::string(list) + '[' + std::to_string(index) + ']';
}

std::optional<std::int32_t> number_of(std::string_view digits) {
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return number;
}

/// `06:00` as minutes of the day, `24:00` included.
std::optional<std::int32_t> minute_of(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const auto hours = number_of(text.substr(0, 2));
  const auto minutes = number_of(text.substr(3));
  if (!hours || !minutes || *hours < 0 || *minutes < 0 || *minutes > 59) return std::nullopt;
  const std::int32_t minute = *hours * 60 + *minutes;
  return minute <= 24 * 60 ? std::optional(minute) : std::nullopt;
}

std::optional<PeakHours::Span> span_of(std::string_view text) {
  if (text.size() != 11 || text[5] != '-') return std::nullopt;
  const auto begin = minute_of(text.substr(0, 5));
  const auto end = minute_of(text.substr(6));
  if (!begin || !end || *begin >= *end) return std::nullopt;
  return PeakHours::Span{*begin, *end};
}

}  // namespace

tl::unexpected<Error> PriceFileReader::wrong(const std::string& place, const DecimalJson& value,
                                             std::string_view expected) const {
  return usage_error(name_ + ": " + place + ": " + value.describe() + " is not " +
                     std::string(expected));
}

Status PriceFileReader::check_names(const DecimalJson& object, const std::string& place,
                                    std::initializer_list<std::string_view> known) const {
  for (const auto& [member, value] : object.members) {
    if (member.starts_with(kChangePrefix) || member == "note") continue;
    if (std::find(known.begin(), known.end(), member) != known.end()) continue;
    std::string message = name_ + ": " + place + (place.empty() ? "" : ": ") + "unknown member '" +
                          sanitize_for_terminal(member) + "'";
    if (const auto near = nearest_word(member, {known.begin(), known.end()})) {
      message += "; did you mean '" + *near + "'?";
    }
    return usage_error(std::move(message));
  }
  return {};
}

Status PriceFileReader::read_text(const DecimalJson& object, std::string_view member,
                                  std::string& text) const {
  const DecimalJson* value = object.find(member);
  if (value == nullptr || value->is(Kind::null)) return {};
  if (!value->is(Kind::string)) return wrong(std::string(member), *value, "a text");
  text = value->text;
  return {};
}

Status PriceFileReader::read_price(const DecimalJson& object, std::string_view member,
                                   const std::string& place, std::optional<Money>& price) const {
  const DecimalJson* value = object.find(member);
  if (value == nullptr) return {};
  price.reset();
  if (value->is(Kind::null)) return {};
  if (value->is(Kind::number)) price = Money::parse_dollars(value->text);
  if (!price || *price < Money() || *price > kDearest) {
    return wrong(place + ": " + std::string(member), *value,
                 "a price (USD per million tokens, at most 1000000, null where unknown)");
  }
  return {};
}

Status PriceFileReader::read_count(const DecimalJson& object, std::string_view member,
                                   const std::string& place,
                                   std::optional<TokenCount>& count) const {
  const DecimalJson* value = object.find(member);
  if (value == nullptr) return {};
  count.reset();
  if (value->is(Kind::null)) return {};
  if (value->is(Kind::number)) count = number_of(value->text);
  if (!count || *count <= 0) {
    return wrong(place + ": " + std::string(member), *value, "a number of tokens");
  }
  return {};
}

Status PriceFileReader::read_factor(const DecimalJson& object, std::string_view member,
                                    const std::string& place, std::optional<Factor>& factor) const {
  const DecimalJson* value = object.find(member);
  if (value == nullptr || value->is(Kind::null)) return {};
  std::optional<Money> decimal;
  if (value->is(Kind::number)) decimal = Money::parse_dollars(value->text);
  const std::int64_t unit = Money::kPicoPerDollar / Factor::kOne;
  if (!decimal || decimal->pico() < 0 || decimal->pico() % unit != 0 ||
      decimal->pico() > 100 * Money::kPicoPerDollar) {
    return wrong(place + ": " + std::string(member), *value, "a factor (0 to 100)");
  }
  factor = Factor{decimal->pico() / unit};
  return {};
}

/// `complete`: input and output have to be there; else they may stay as they are.
Status PriceFileReader::read_rates(const DecimalJson& object, const std::string& place,
                                   bool complete, TokenRates& rates) const {
  std::optional<Money> input = complete ? std::nullopt : std::optional(rates.input);
  std::optional<Money> output = complete ? std::nullopt : std::optional(rates.output);
  if (auto s = read_price(object, "input", place, input); !s) return s;
  if (auto s = read_price(object, "output", place, output); !s) return s;
  for (const auto& [name, value] : {std::pair("input", &input), std::pair("output", &output)}) {
    if (!*value) return usage_error(name_ + ": " + place + ": " + name + ": a price is needed");
  }
  rates.input = *input;
  rates.output = *output;
  if (auto s = read_price(object, "cached_input", place, rates.cached_input); !s) return s;
  if (auto s = read_price(object, "batch_input", place, rates.batch_input); !s) return s;
  return read_price(object, "batch_output", place, rates.batch_output);
}

Status PriceFileReader::read_models(const DecimalJson& root) {
  const DecimalJson* models = root.find("models");
  if (models == nullptr) return {};
  if (!models->is(Kind::array)) return wrong("models", *models, "a list");
  const DecimalJson* sources = root.find("sources_by_model");
  for (std::size_t i = 0; i < models->elements.size(); ++i) {
    if (auto s = read_model(models->elements[i], element("models", i), sources); !s) return s;
  }
  return {};
}

Status PriceFileReader::read_model(const DecimalJson& row, std::string place,
                                   const DecimalJson* sources) {
  if (!row.is(Kind::object)) return wrong(place, row, "an object");
  std::string id;
  std::string provider;
  for (const auto& [member, text] : {std::pair("id", &id), std::pair("provider", &provider)}) {
    const DecimalJson* value = row.find(member);
    if (value == nullptr) return usage_error(name_ + ": " + place + ": " + member + " is missing");
    if (!value->is(Kind::string) || value->text.empty()) {
      return wrong(place + ": " + member, *value, "a name");
    }
    *text = value->text;
  }
  const std::string source_key = provider + ':' + id;
  provider = profile_of(provider);
  place += " (" + sanitize_for_terminal(provider + '/' + id) + ")";
  if (auto s = check_names(row, place,
                           {"id", "provider", "input", "cached_input", "output", "batch_input",
                            "batch_output", "context", "max_output"});
      !s) {
    return s;
  }
  ModelPrice* price = table_.find_exactly(provider, id);
  const bool is_new = price == nullptr;
  if (is_new) {
    price = &table_.models_.emplace_back();
    price->provider = provider;
    price->id = id;
  }
  if (auto s = read_rates(row, place, is_new, price->rates); !s) return s;
  if (auto s = read_count(row, "context", place, price->context); !s) return s;
  if (auto s = read_count(row, "max_output", place, price->max_output); !s) return s;
  price->source = name_;
  if (sources == nullptr || !sources->is(Kind::object)) return {};
  return read_text(*sources, source_key, price->source);
}

Result<std::vector<ModelPrice*>> PriceFileReader::rows_of(const DecimalJson& entry,
                                                          const std::string& place) {
  if (!entry.is(Kind::object)) return wrong(place, entry, "an object");
  const DecimalJson* ids = entry.find("ids");
  if (ids == nullptr) return usage_error(name_ + ": " + place + ": ids are missing");
  if (!ids->is(Kind::array)) return wrong(place + ": ids", *ids, "a list of model ids");
  std::vector<ModelPrice*> rows;
  for (std::size_t i = 0; i < ids->elements.size(); ++i) {
    const std::size_t before = rows.size();
    for (ModelPrice& model : table_.models_) {
      if (model.id == ids->elements[i].text) rows.push_back(&model);
    }
    if (rows.size() == before) {
      return wrong(place + ": " + element("ids", i), ids->elements[i], "the id of a known model");
    }
  }
  return rows;
}

Status PriceFileReader::read_long_context(const DecimalJson& root) {
  const DecimalJson* tiers = root.find("long_context_tiers");
  if (tiers == nullptr) return {};
  if (!tiers->is(Kind::array)) return wrong("long_context_tiers", *tiers, "a list");
  for (std::size_t i = 0; i < tiers->elements.size(); ++i) {
    auto s = read_long_tier(tiers->elements[i], element("long_context_tiers", i));
    if (!s) return s;
  }
  return {};
}

Status PriceFileReader::read_long_tier(const DecimalJson& entry, const std::string& place) {
  const auto rows = rows_of(entry, place);
  if (!rows) return forward_error(rows);
  if (auto s = check_names(entry, place,
                           {"ids", "over_input_tokens", "input", "cached_input", "output",
                            "input_multiplier", "cached_multiplier", "output_multiplier"});
      !s) {
    return s;
  }
  LongContextTier tier;
  std::optional<TokenCount> over;
  if (auto s = read_count(entry, "over_input_tokens", place, over); !s) return s;
  if (!over) return usage_error(name_ + ": " + place + ": over_input_tokens is missing");
  tier.over_input_tokens = *over;
  if (entry.find("input") != nullptr) {
    if (auto s = read_rates(entry, place, true, tier.rates.emplace()); !s) return s;
  } else {
    const std::pair<std::string_view, Factor*> factors[] = {
        {"input_multiplier", &tier.input},
        {"cached_multiplier", &tier.cached_input},
        {"output_multiplier", &tier.output}};
    for (const auto& [member, factor] : factors) {
      std::optional<Factor> read;
      if (auto s = read_factor(entry, member, place, read); !s) return s;
      if (!read)
        return usage_error(name_ + ": " + place + ": " + std::string(member) + " is missing");
      *factor = *read;
    }
  }
  for (ModelPrice* row : *rows) row->long_context = tier;
  return {};
}

Status PriceFileReader::read_times(const DecimalJson& root) {
  const DecimalJson* tiers = root.find("time_tiers");
  if (tiers == nullptr) return {};
  if (!tiers->is(Kind::array)) return wrong("time_tiers", *tiers, "a list");
  for (std::size_t i = 0; i < tiers->elements.size(); ++i) {
    const DecimalJson& entry = tiers->elements[i];
    const std::string place = element("time_tiers", i);
    const auto rows = rows_of(entry, place);
    if (!rows) return forward_error(rows);
    if (auto s = check_names(entry, place,
                             {"ids", "peak_multiplier", "peak_utc", "days", "valid_until"});
        !s) {
      return s;
    }
    if (entry.find("peak_multiplier") == nullptr) {
      if (auto s = read_change(entry, place); !s) return s;
      continue;
    }
    PeakHours peak;
    if (auto s = read_peak(entry, place, peak); !s) return s;
    for (ModelPrice* row : *rows) row->peak = peak;
  }
  return {};
}

Status PriceFileReader::read_peak(const DecimalJson& entry, const std::string& place,
                                  PeakHours& peak) const {
  std::optional<Factor> factor;
  if (auto s = read_factor(entry, "peak_multiplier", place, factor); !s) return s;
  if (factor) peak.factor = *factor;
  std::string days;
  if (auto s = read_text(entry, "days", days); !s) return s;
  peak.weekdays_only = days.starts_with("Mon-Fri");
  if (!peak.weekdays_only && !days.empty() && days != "daily") {
    return wrong(place + ": days", *entry.find("days"), "'Mon-Fri' or 'daily'");
  }
  const DecimalJson* spans = entry.find("peak_utc");
  if (spans == nullptr) return usage_error(name_ + ": " + place + ": peak_utc is missing");
  for (std::size_t i = 0; i < spans->elements.size(); ++i) {
    const auto span = span_of(spans->elements[i].text);
    if (!span) {
      return wrong(place + ": " + element("peak_utc", i), spans->elements[i],
                   "a span such as \"01:00-04:00\"");
    }
    peak.spans.push_back(*span);
  }
  return {};
}

/// A member `from_2027_01_01` holds the prices from that day on.
Status PriceFileReader::read_change(const DecimalJson& entry, const std::string& place) {
  const auto rows = rows_of(entry, place);
  if (!rows) return forward_error(rows);
  for (const auto& [member, rates] : entry.members) {
    if (!member.starts_with(kChangePrefix)) continue;
    PriceChange change;
    change.from_date = member.substr(kChangePrefix.size());
    std::replace(change.from_date.begin(), change.from_date.end(), '_', '-');
    const auto from = parse_rfc3339(change.from_date + "T00:00:00Z");
    const std::string where = fmt::format("{}: {}", place, member);
    if (!from) return usage_error(fmt::format("{}: {} names no date", name_, where));
    change.from = *from;
    if (auto s = read_rates(rates, where, true, change.rates); !s) return s;
    for (ModelPrice* row : *rows) row->change = change;
  }
  return {};
}

Status PriceFileReader::read_cache_writes(const DecimalJson& root) {
  const DecimalJson* writes = root.find("cache_write_multipliers");
  if (writes == nullptr) return {};
  const std::string place = "cache_write_multipliers";
  if (!writes->is(Kind::object)) return wrong(place, *writes, "an object");
  for (const DecimalJson::Member& member : writes->members) {
    const std::string& provider = member.name;
    const DecimalJson& value = member.value;
    std::optional<Factor> five_minutes;
    std::optional<Factor> one_hour;
    if (provider == "others") continue;
    if (value.is(Kind::object)) {
      const std::string inner = fmt::format("{}: {}", place, provider);
      if (auto s = check_names(value, inner, {"5m", "1h"}); !s) return s;
      if (auto s = read_factor(value, "5m", inner, five_minutes); !s) return s;
      if (auto s = read_factor(value, "1h", inner, one_hour); !s) return s;
    } else if (auto s = read_factor(*writes, provider, place, five_minutes); !s) {
      return s;
    }
    if (provider == kOpenAiWrites) {
      table_.recent_openai_writes_ = five_minutes;
      continue;
    }
    CacheWriteFactors factors;
    if (five_minutes) factors.five_minutes = *five_minutes;
    factors.one_hour = one_hour.value_or(factors.five_minutes);
    std::erase_if(table_.writes_,
                  [&](const auto& other) { return other.provider == profile_of(provider); });
    table_.writes_.push_back({profile_of(provider), factors});
  }
  return {};
}

Status PriceFileReader::read(const DecimalJson& root) {
  if (!root.is(Kind::object)) return usage_error(name_ + ": not a JSON object");
  if (auto s = check_names(root, "",
                           {"as_of", "source", "models", "sources_by_model", "long_context_tiers",
                            "time_tiers", "cache_write_multipliers", "caveats"});
      !s) {
    return s;
  }
  if (auto s = read_models(root); !s) return s;
  if (auto s = read_long_context(root); !s) return s;
  if (auto s = read_times(root); !s) return s;
  return read_cache_writes(root);
}

}  // namespace llmbatch
