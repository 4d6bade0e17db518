// ReviewSample: draws the items of a spot check. Every item has a rank, a hash of its id and the
// seed; of each stratum those with the lowest ranks are drawn. So the sample depends on nothing but
// the items: asked again it is the same, and when items are added, those that were drawn by a share
// stay drawn and some of the new ones join. Memory: the sample. Thread rule: one thread. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "llmbatch/base/hash.h"

namespace llmbatch {

/// `1%` of the items, or `200` of them.
struct SampleSize {
  std::optional<double> share;  ///< 0-1
  std::uint64_t count = 0;      ///< without a share
};

/// Absent when it is neither a percentage above 0 and up to 100 nor a whole number above 0.
std::optional<SampleSize> parse_sample_size(std::string_view text);

/// Place of an item in the order of draws, uniform over all 64 bits.
std::uint64_t sample_rank(const Hash128& id_hash, std::uint64_t seed);

struct SampledItem {
  std::uint64_t seq = 0;
  std::uint64_t line = 0;
  std::size_t stratum = 0;
  std::uint64_t rank = 0;
};

class ReviewSample {
 public:
  /// Drawn of a stratum at least, if it has as many.
  static constexpr std::uint64_t kLeastPerStratum = 5;

  ReviewSample(SampleSize size, std::size_t strata);

  void add(const SampledItem& item);

  /// The sample in the order in which to walk through it: whoever stops half-way has seen half of
  /// every stratum, at random. By count: proportional to the strata, at least kLeastPerStratum of
  /// each, and no more than the count when that can be kept. Call once.
  std::vector<SampledItem> draw();

 private:
  struct Part {
    std::uint64_t population = 0;
    std::vector<SampledItem> lowest;  ///< a heap, the highest rank first
    std::vector<SampledItem> below;   ///< by share: every rank under the threshold
  };
  std::vector<std::uint64_t> allocate() const;

  SampleSize size_;
  std::uint64_t threshold_ = 0;
  std::uint64_t heap_limit_;
  std::vector<Part> parts_;
};

}  // namespace llmbatch
