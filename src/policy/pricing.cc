#include "llmbatch/policy/pricing.h"

#include <algorithm>
#include <charconv>

#include "llmbatch/base/check.h"
#include "price_file.h"

namespace llmbatch {

extern const std::string_view kShippedPricesJson;

namespace {

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_date(std::string_view year, std::string_view month, std::string_view day) {
  return all_digits(year) && all_digits(month) && all_digits(day) && year >= "2020" &&
         year <= "2099" && month >= "01" && month <= "12" && day >= "01" && day <= "31";
}

/// What follows the model's name in a dated snapshot of it: `-2024-07-18`, `-20251001`,
/// `@20251001`.
bool is_snapshot_date(std::string_view text) {
  if (text.size() == 9 && (text[0] == '-' || text[0] == '@')) {
    return is_date(text.substr(1, 4), text.substr(5, 2), text.substr(7, 2));
  }
  if (text.size() == 11 && text[0] == '-' && text[5] == '-' && text[8] == '-') {
    return is_date(text.substr(1, 4), text.substr(6, 2), text.substr(9, 2));
  }
  return false;
}

/// The version of an OpenAI model, in tenths (`gpt-5.6-sol` is 56); 0 for those without one.
int gpt_tenths(std::string_view id) {
  constexpr std::string_view kPrefix = "gpt-";
  if (!id.starts_with(kPrefix)) return 0;
  id.remove_prefix(kPrefix.size());
  int major = 0;
  auto [at, error] = std::from_chars(id.data(), id.data() + id.size(), major);
  if (error != std::errc() || major > 1000) return 0;
  int minor = 0;
  const char* end = id.data() + id.size();
  if (at != end && *at == '.') std::from_chars(at + 1, end, minor);
  return major * 10 + std::min(minor, 9);
}

/// Source: the price pages of OpenAI (recent models list a halved cached price for batches, older
/// ones list none), Anthropic (discounts multiply), Google and Groq (they do not).
CachedInBatch cached_in_batch(const ModelPrice& model) {
  constexpr int kGpt5 = 50;
  if (model.provider == "anthropic") return CachedInBatch::halved;
  if (model.provider != "openai") return CachedInBatch::normal;
  return gpt_tenths(model.id) >= kGpt5 ? CachedInBatch::halved : CachedInBatch::no_discount;
}

/// Source: the batch pages of the providers. Others have no batches, or no verified discount.
std::optional<Money> half_in_batch(std::string_view provider, Money price) {
  for (const std::string_view halving :
       {"openai", "anthropic", "gemini", "azure", "mistral", "groq", "fireworks"}) {
    if (provider == halving) return Money::from_pico((price.pico() + 1) / 2);
  }
  return std::nullopt;
}

}  // namespace

const PriceTable& PriceTable::shipped() {
  static const PriceTable kTable = [] {
    auto parsed = parse(kShippedPricesJson, "the shipped prices");
    LLMBATCH_CHECK(parsed.has_value());
    return std::move(*parsed);
  }();
  return kTable;
}

Result<PriceTable> PriceTable::parse(std::string_view json, const std::string& name) {
  PriceTable table;
  if (auto status = table.merge(json, name); !status) return forward_error(status);
  table.overrides_.clear();
  return table;
}

Status PriceTable::merge(std::string_view json, const std::string& name) {
  auto root = parse_decimal_json(json);
  if (!root) return usage_error(name + ": " + root.error().message);
  PriceTable merged = *this;
  if (auto status = PriceFileReader(merged, name).read(*root); !status) return status;
  if (merged.as_of_.empty()) {
    for (const auto& [member, text] :
         {std::pair("as_of", &merged.as_of_), std::pair("source", &merged.source_)}) {
      if (const DecimalJson* value = root->find(member)) *text = value->text;
    }
  }
  merged.overrides_.push_back(name);
  merged.finish();
  *this = std::move(merged);
  return {};
}

/// The rules that hold for a provider or a generation of models become those of each row.
void PriceTable::apply_rules(ModelPrice& model) const {
  constexpr int kGpt56 = 56;
  model.cached_in_batch = cached_in_batch(model);
  model.cache_writes = {};
  for (const ProviderWrites& writes : writes_) {
    if (writes.provider == model.provider) model.cache_writes = writes.factors;
  }
  if (model.provider == "openai" && recent_openai_writes_ && gpt_tenths(model.id) >= kGpt56) {
    model.cache_writes = {*recent_openai_writes_, *recent_openai_writes_};
  }
}

void PriceTable::finish() {
  for (ModelPrice& model : models_) apply_rules(model);
}

const ModelPrice* PriceTable::find_exactly(std::string_view provider, std::string_view id) const {
  for (const ModelPrice& model : models_) {
    if (model.id == id && model.provider == provider) return &model;
  }
  return nullptr;
}

ModelPrice* PriceTable::find_exactly(std::string_view provider, std::string_view id) {
  for (ModelPrice& model : models_) {
    if (model.id == id && model.provider == provider) return &model;
  }
  return nullptr;
}

const ModelPrice* PriceTable::find(std::string_view provider, std::string_view model) const {
  if (const ModelPrice* exact = find_exactly(provider, model)) return exact;
  const ModelPrice* longest = nullptr;
  for (const ModelPrice& candidate : models_) {
    if (candidate.provider != provider || !model.starts_with(candidate.id)) continue;
    if (!is_snapshot_date(model.substr(candidate.id.size()))) continue;
    if (longest == nullptr || candidate.id.size() > longest->id.size()) longest = &candidate;
  }
  return longest;
}

Result<JobPrices> JobPrices::make(const PriceTable& table, std::string provider, std::string model,
                                  const FlatPrice& flat) {
  JobPrices prices;
  prices.table_ = table;
  prices.provider_ = std::move(provider);
  if (!flat.any()) return prices;
  prices.flat_model_ = std::move(model);
  const ModelPrice* known =
      prices.flat_model_.empty() ? nullptr : table.find(prices.provider_, prices.flat_model_);
  if (known == nullptr && (!flat.input || !flat.output)) {
    return usage_error(
        "--price-input and --price-output are both needed: the table has no price "
        "for " +
        (prices.flat_model_.empty() ? "the models of the input"
                                    : prices.provider_ + '/' + prices.flat_model_));
  }
  ModelPrice price;
  if (known != nullptr) price = *known;
  price.provider = prices.provider_;
  price.id = prices.flat_model_;
  price.source = "given for this job";
  table.apply_rules(price);
  // A flat price has no tiers: it is what the user pays, whatever the table says.
  if (flat.input) {
    price.rates.input = *flat.input;
    price.rates.cached_input = std::nullopt;
    price.rates.batch_input = half_in_batch(price.provider, *flat.input);
  }
  if (flat.output) {
    price.rates.output = *flat.output;
    price.rates.batch_output = half_in_batch(price.provider, *flat.output);
  }
  if (flat.cached_input) price.rates.cached_input = *flat.cached_input;
  price.long_context.reset();
  price.peak.reset();
  price.change.reset();
  prices.flat_ = std::move(price);
  return prices;
}

const ModelPrice* JobPrices::find(std::string_view model) const {
  if (flat_ && (flat_model_.empty() || model == flat_model_)) return &*flat_;
  return table_.find(provider_, model);
}

}  // namespace llmbatch
