// Pricing: what tokens cost. The shipped price table (data/prices.json, compiled into the binary),
// overrides by a file of the same form, and the cost of one call from its reported usage. Prices
// are decimals, held in pico-dollars per million tokens; no double anywhere. Unknown is absent,
// never zero. Thread rule: const after construction, safe from any thread. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/money.h"
#include "llmbatch/model/usage.h"

namespace llmbatch {

enum class BillingMode : std::uint8_t { real_time, batch };

/// A multiplier such as 1.25.
struct Factor {
  static constexpr std::int64_t kOne = 1'000'000;
  std::int64_t millionths = kOne;
  friend bool operator==(const Factor&, const Factor&) = default;
};

/// USD per million tokens. What is absent was not published.
struct TokenRates {
  Money input;
  std::optional<Money> cached_input;  ///< absent: billed like other input
  Money output;                       ///< reasoning included
  std::optional<Money> batch_input;
  std::optional<Money> batch_output;
  friend bool operator==(const TokenRates&, const TokenRates&) = default;
};

/// A request with more input than this costs more, with every token of it. Either a price of its
/// own or multipliers.
struct LongContextTier {
  TokenCount over_input_tokens = 0;
  std::optional<TokenRates> rates;
  Factor input;
  Factor cached_input;
  Factor output;
};

/// Hours (UTC) in which everything costs more. Public holidays are not known here: they count as
/// working days, so the cost of such a day is an upper bound.
struct PeakHours {
  struct Span {
    std::int32_t begin_minute = 0;  ///< of the day
    std::int32_t end_minute = 0;    ///< exclusive
  };
  Factor factor;
  bool weekdays_only = false;
  std::vector<Span> spans;
};

/// Prices that are announced for a later date (00:00 UTC).
struct PriceChange {
  std::string from_date;  ///< `2027-01-01`
  WallTime from{};
  TokenRates rates;
};

/// What writing to the prompt cache costs, as a multiple of the input price.
struct CacheWriteFactors {
  Factor five_minutes;  ///< and providers that know one kind of write only
  Factor one_hour;
};

/// How a cached token is billed in a provider batch.
enum class CachedInBatch : std::uint8_t {
  normal,       ///< at the usual cached rate, if that is below the batch price
  halved,       ///< half of the usual cached rate
  no_discount,  ///< like other input of the batch
};

struct ModelPrice {
  std::string provider;  ///< a provider profile of ours (`gemini`, where the table says `google`)
  std::string id;
  TokenRates rates;
  std::optional<TokenCount> context;
  std::optional<TokenCount> max_output;
  std::optional<LongContextTier> long_context;
  std::optional<PeakHours> peak;
  std::optional<PriceChange> change;
  CacheWriteFactors cache_writes;
  CachedInBatch cached_in_batch = CachedInBatch::normal;
  std::string source;  ///< where the price is from, with its date

  std::string name() const { return provider + '/' + id; }
};

/// The prices per million tokens that apply to one request.
struct EffectivePrices {
  Money input;
  Money cached_input;
  Money output;
  Money cache_write;           ///< five minutes, or the only kind
  Money cache_write_one_hour;  ///< Anthropic's longer kind
};

/// For a request of `input_tokens` (cached ones included) that starts at `at`. Absent when the
/// model has no batch price and one is asked for.
std::optional<EffectivePrices> effective_prices(const ModelPrice& price, TokenCount input_tokens,
                                                WallTime at, BillingMode mode);

/// Tokens at a price per million, in whole pico-dollars, half up. At most a million dollars.
Money charge(TokenCount tokens, Money per_million);

/// The cost of one call that started at `at`. The exact sum over all kinds of tokens is rounded
/// once, half up, to a whole pico-dollar. Source of the formulas: the price pages of the providers;
/// Usage is normalised, so they all become (input - cached - written) x input + cached x cached
/// price + written x write price + output x output price. Absent when the price is unknown.
std::optional<Money> cost(const ModelPrice& price, const Usage& usage, WallTime at,
                          BillingMode mode);

class PriceTable {
 public:
  /// The table in this binary; parsed at the first call.
  static const PriceTable& shipped();
  /// Parses a table; `name` (a file) begins every message.
  static Result<PriceTable> parse(std::string_view json, const std::string& name);
  /// Takes another table over this one: its rows replace or add to those with the same provider and
  /// id; members that a row leaves out stay as they are, null makes them unknown. All or nothing.
  Status merge(std::string_view json, const std::string& name);

  /// The price of a model as it was requested; else of the model whose dated snapshot it is
  /// (`gpt-4o-mini-2024-07-18`, `claude-haiku-4-5@20251001`). Null: unknown. `provider` is the name
  /// of a profile.
  const ModelPrice* find(std::string_view provider, std::string_view model) const;

  /// Sorted by provider and id, in the order in which providers first appear.
  std::span<const ModelPrice> models() const { return models_; }
  const std::string& as_of() const { return as_of_; }  ///< a date, with remarks
  std::string date() const { return as_of_.substr(0, 10); }
  const std::string& source() const { return source_; }
  /// Names of the files that were merged in, in order.
  const std::vector<std::string>& overrides() const { return overrides_; }

 private:
  friend class PriceFileReader;
  friend class JobPrices;
  ModelPrice* find_exactly(std::string_view provider, std::string_view id);
  const ModelPrice* find_exactly(std::string_view provider, std::string_view id) const;
  void finish();
  void apply_rules(ModelPrice& model) const;

  struct ProviderWrites {
    std::string provider;
    CacheWriteFactors factors;
  };
  std::vector<ModelPrice> models_;
  std::vector<ProviderWrites> writes_;
  std::optional<Factor> recent_openai_writes_;  ///< GPT-5.6 and later
  std::string as_of_;
  std::string source_;
  std::vector<std::string> overrides_;
};

/// A flat price that the user gave for a job (--price-input, --price-output).
struct FlatPrice {
  std::optional<Money> input;
  std::optional<Money> output;
  std::optional<Money> cached_input;
  bool any() const { return input || output || cached_input; }
};

/// The prices of one job: the table, its provider, and the flat price of the job's own model (of
/// every model when the job names none).
class JobPrices {
 public:
  JobPrices() = default;
  /// Fails (usage) when a flat price lacks a part that the table does not know either.
  static Result<JobPrices> make(const PriceTable& table, std::string provider, std::string model,
                                const FlatPrice& flat);
  /// Null: unknown. `model`: as it was requested.
  const ModelPrice* find(std::string_view model) const;
  /// Date of the table.
  std::string date() const { return table_.date(); }

 private:
  PriceTable table_;
  std::string provider_;
  std::string flat_model_;  ///< empty: any
  std::optional<ModelPrice> flat_;
};

}  // namespace llmbatch
