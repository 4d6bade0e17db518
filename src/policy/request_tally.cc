#include "llmbatch/policy/request_tally.h"

#include <algorithm>
#include <cmath>

namespace llmbatch {

void RequestTally::add(const Request& request, TokenCount input) {
  if (!looked_up_ || request.model != last_model_) {
    last_model_ = request.model;
    last_price_ = prices_->find(last_model_);
    looked_up_ = true;
    if (last_price_ == nullptr) keep_name(last_model_);
  }
  const ModelPrice* price = last_price_;
  const bool long_context =
      price != nullptr && price->long_context && input > price->long_context->over_input_tokens;
  RequestGroup& own = group(price, long_context);
  ++own.items;
  own.input += input;
  TokenCount cap = request.output_cap;
  if (cap > 0) {
    ++own.own_caps;
  } else if (price != nullptr && price->max_output) {
    cap = *price->max_output;
    ++own.model_caps;
  }
  own.caps += cap;
}

void RequestTally::merge(const RequestTally& other) {
  for (const RequestGroup& theirs : other.groups_) {
    RequestGroup& own = group(theirs.price, theirs.long_context);
    own.items += theirs.items;
    own.input += theirs.input;
    own.own_caps += theirs.own_caps;
    own.model_caps += theirs.model_caps;
    own.caps += theirs.caps;
  }
  for (const std::string& name : other.unpriced_models_) keep_name(name);
}

std::vector<RequestGroup> RequestTally::scaled_to(std::int64_t items) const {
  std::vector<RequestGroup> groups;
  const std::int64_t sampled = this->items();
  if (sampled == 0) return groups;
  const double factor = static_cast<double>(items) / static_cast<double>(sampled);
  const auto scaled = [factor](std::int64_t count) -> std::int64_t {
    return std::llround(static_cast<double>(count) * factor);
  };
  for (RequestGroup group : groups_) {
    const bool all_capped = group.uncapped() == 0;
    group.items = scaled(group.items);
    group.input = scaled(group.input);
    // Rounding must neither open nor close the upper bound.
    const std::int64_t capped =
        all_capped ? group.items : std::max<std::int64_t>(0, group.items - 1);
    group.own_caps = std::min(capped, scaled(group.own_caps));
    group.model_caps = all_capped ? capped - group.own_caps
                                  : std::min(capped - group.own_caps, scaled(group.model_caps));
    group.caps = scaled(group.caps);
    groups.push_back(group);
  }
  return groups;
}

std::int64_t RequestTally::items() const {
  std::int64_t sum = 0;
  for (const RequestGroup& group : groups_) sum += group.items;
  return sum;
}

TokenCount RequestTally::input() const {
  TokenCount sum = 0;
  for (const RequestGroup& group : groups_) sum += group.input;
  return sum;
}

std::int64_t RequestTally::unpriced() const {
  std::int64_t sum = 0;
  for (const RequestGroup& group : groups_) sum += group.price == nullptr ? group.items : 0;
  return sum;
}

RequestGroup& RequestTally::group(const ModelPrice* price, bool long_context) {
  for (RequestGroup& group : groups_) {
    if (group.price == price && group.long_context == long_context) return group;
  }
  RequestGroup fresh;
  fresh.price = price;
  fresh.long_context = long_context;
  return groups_.emplace_back(fresh);
}

void RequestTally::keep_name(std::string_view model) {
  const bool known =
      std::find(unpriced_models_.begin(), unpriced_models_.end(), model) != unpriced_models_.end();
  if (!known && unpriced_models_.size() < kNamesKept) unpriced_models_.emplace_back(model);
}

void SharedPrefix::add(std::string_view body) {
  if (!any_) {
    any_ = true;
    text_ = body.substr(0, kMaxBytes);
    return;
  }
  const std::size_t length = std::min(text_.size(), body.size());
  const auto [end, unused] = std::mismatch(
      text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(length), body.begin());
  text_.resize(static_cast<std::size_t>(end - text_.begin()));
}

void SharedPrefix::merge(const SharedPrefix& other) {
  if (other.any_) add(other.text_);
}

}  // namespace llmbatch
