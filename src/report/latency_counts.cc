#include "llmbatch/report/latency_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <initializer_list>

namespace llmbatch {
namespace {

// Values below 64 have a bin each; above, every power of two is divided into 64 parts.
constexpr int kPartBits = 6;
constexpr std::uint64_t kParts = std::uint64_t{1} << kPartBits;
constexpr std::size_t kMostBins = 40;
constexpr std::size_t kFewestBins = 14;

std::size_t bin_of(std::uint64_t value) {
  if (value < kParts) return static_cast<std::size_t>(value);
  const int shift = static_cast<int>(std::bit_width(value)) - 1 - kPartBits;
  const std::uint64_t part = (value >> static_cast<unsigned>(shift)) - kParts;
  return static_cast<std::size_t>((static_cast<std::uint64_t>(shift) + 1) * kParts + part);
}

/// The smallest value of a bin.
double low_of(std::size_t bin) {
  if (bin < kParts) return static_cast<double>(bin);
  const auto shift = static_cast<int>(bin / kParts) - 1;
  return std::ldexp(static_cast<double>(kParts + bin % kParts), shift);
}

}  // namespace

void LatencyCounts::add(std::int64_t micros) {
  micros = std::max<std::int64_t>(micros, 0);
  const std::size_t bin = bin_of(static_cast<std::uint64_t>(micros));
  if (bin >= counts_.size()) counts_.resize(bin + 1);
  ++counts_[bin];
  smallest_ = count_ == 0 ? micros : std::min(smallest_, micros);
  largest_ = std::max(largest_, micros);
  ++count_;
}

void LatencyCounts::add(const LatencyCounts& other) {
  if (other.count_ == 0) return;
  if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
  for (std::size_t bin = 0; bin < other.counts_.size(); ++bin) counts_[bin] += other.counts_[bin];
  smallest_ = count_ == 0 ? other.smallest_ : std::min(smallest_, other.smallest_);
  largest_ = std::max(largest_, other.largest_);
  count_ += other.count_;
}

std::optional<std::int64_t> LatencyCounts::percentile(double share) const {
  if (count_ == 0) return std::nullopt;
  if (share >= 1) return largest_;
  const double wanted = std::max(1.0, std::ceil(share * static_cast<double>(count_)));
  std::int64_t below = 0;
  for (std::size_t bin = 0; bin < counts_.size(); ++bin) {
    below += counts_[bin];
    if (static_cast<double>(below) < wanted) continue;
    const double middle = (low_of(bin) + low_of(bin + 1)) / 2;
    return std::clamp<std::int64_t>(std::llround(std::floor(middle)), smallest_, largest_);
  }
  return largest_;
}

std::vector<LatencyCounts::Bin> LatencyCounts::log_bins() const {
  if (count_ == 0) return {};
  const auto low = std::max(1.0, static_cast<double>(*percentile(0.001)));
  const auto high = std::max(low, static_cast<double>(*percentile(0.999)));
  const double decades = std::log10(high / low);
  // Finer than 40 per decade would show the bins of this class.
  double per_decade = 40;
  for (const double finer : {5.0, 10.0, 20.0, 40.0}) {
    per_decade = finer;
    if (decades * finer >= static_cast<double>(kFewestBins)) break;
  }
  const double first = std::floor(std::log10(low) * per_decade);
  const double last = std::floor(std::log10(high) * per_decade);
  const auto number = std::min(kMostBins, static_cast<std::size_t>(last - first) + 1);
  std::vector<Bin> bins(number);
  for (std::size_t i = 0; i < number; ++i) {
    bins[i].low_micros = std::pow(10, (first + static_cast<double>(i)) / per_decade);
    bins[i].high_micros = std::pow(10, (first + static_cast<double>(i) + 1) / per_decade);
  }
  for (std::size_t fine = 0; fine < counts_.size(); ++fine) {
    if (counts_[fine] == 0) continue;
    const double middle = std::max(1.0, (low_of(fine) + low_of(fine + 1)) / 2);
    const double place = std::floor(std::log10(middle) * per_decade) - first;
    const double clamped = std::clamp(place, 0.0, static_cast<double>(number - 1));
    bins[static_cast<std::size_t>(clamped)].count += counts_[fine];
  }
  return bins;
}

}  // namespace llmbatch
