// RequestTally: the requests of a job added up for an estimate, in groups that have one price.
// Memory follows the number of models, not of requests. Thread rule: one thread each; tallies of
// several threads are merged.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/model/item.h"
#include "llmbatch/policy/pricing.h"

namespace llmbatch {

/// Tokens that an answer is assumed to have at least, where nothing is known: a short paragraph.
inline constexpr TokenCount kAssumedOutput = 50;

/// Requests of one model in one tier.
struct RequestGroup {
  const ModelPrice* price = nullptr;  ///< null: unknown
  bool long_context = false;          ///< counted above the limit of the price's tier
  std::int64_t items = 0;
  TokenCount input = 0;
  std::int64_t own_caps = 0;    ///< requests that limit their output themselves
  std::int64_t model_caps = 0;  ///< the others, of models with a known maximum
  TokenCount caps = 0;          ///< sum of both kinds
  TokenCount least_output = 0;  ///< sum of kAssumedOutput, or the cap where that is lower
  std::int64_t uncapped() const { return items - own_caps - model_caps; }
};

class RequestTally {
 public:
  static constexpr std::size_t kNamesKept = 3;

  /// `prices` must outlive it.
  explicit RequestTally(const JobPrices& prices) : prices_(&prices) {}

  void add(const Request& request, TokenCount input);
  void merge(const RequestTally& other);
  /// What a sample of requests says of `items` of them; nothing when it is empty.
  std::vector<RequestGroup> scaled_to(std::int64_t items) const;

  std::span<const RequestGroup> groups() const { return groups_; }
  std::int64_t items() const;
  TokenCount input() const;
  std::int64_t unpriced() const;
  /// A few models without a known price; an empty name: the request names none.
  const std::vector<std::string>& unpriced_models() const { return unpriced_models_; }

 private:
  RequestGroup& group(const ModelPrice* price, bool long_context);
  void keep_name(std::string_view model);

  const JobPrices* prices_;
  std::vector<RequestGroup> groups_;
  std::vector<std::string> unpriced_models_;
  bool looked_up_ = false;
  std::string last_model_;
  const ModelPrice* last_price_ = nullptr;
};

/// What all request bodies begin with: the part that a provider's prompt cache can serve.
/// Thread rule: as RequestTally.
class SharedPrefix {
 public:
  static constexpr std::size_t kMaxBytes = 4U << 20U;

  void add(std::string_view body);
  void merge(const SharedPrefix& other);
  std::string_view text() const { return text_; }

 private:
  bool any_ = false;
  std::string text_;
};

}  // namespace llmbatch
