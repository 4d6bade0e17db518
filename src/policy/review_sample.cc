#include "llmbatch/policy/review_sample.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace llmbatch {
namespace {

constexpr std::uint64_t kMaxCount = 10'000'000;

bool by_rank(const SampledItem& a, const SampledItem& b) {
  return a.rank != b.rank ? a.rank < b.rank : a.seq < b.seq;
}

}  // namespace

std::optional<SampleSize> parse_sample_size(std::string_view text) {
  const bool percent = text.ends_with('%');
  if (percent) text.remove_suffix(1);
  while (percent && text.ends_with(' ')) text.remove_suffix(1);
  const char* end = text.data() + text.size();
  SampleSize size;
  if (percent) {
    double value = 0;
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || !(value > 0) || value > 100) return std::nullopt;
    size.share = value / 100;
    return size;
  }
  const auto [rest, error] = std::from_chars(text.data(), end, size.count);
  const bool whole = error == std::errc() && rest == end;
  if (!whole || size.count == 0 || size.count > kMaxCount) return std::nullopt;
  return size;
}

std::uint64_t sample_rank(const Hash128& id_hash, std::uint64_t seed) {
  const auto bytes = to_bytes(id_hash);
  return hash64({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, seed);
}

ReviewSample::ReviewSample(SampleSize size, std::size_t strata)
    : size_(size),
      heap_limit_(size.share ? kLeastPerStratum : std::max(size.count, kLeastPerStratum)),
      parts_(strata) {
  if (!size.share) return;
  const double threshold = std::ldexp(*size.share, 64);
  threshold_ = threshold >= 0x1p64 ? UINT64_MAX : static_cast<std::uint64_t>(threshold);
}

void ReviewSample::add(const SampledItem& item) {
  Part& part = parts_[item.stratum];
  ++part.population;
  if (size_.share && item.rank <= threshold_) part.below.push_back(item);
  std::vector<SampledItem>& heap = part.lowest;
  if (heap.size() == heap_limit_) {
    if (!by_rank(item, heap.front())) return;
    std::pop_heap(heap.begin(), heap.end(), by_rank);
    heap.pop_back();
  }
  heap.push_back(item);
  std::push_heap(heap.begin(), heap.end(), by_rank);
}

/// How many of each stratum `--sample COUNT` draws.
std::vector<std::uint64_t> ReviewSample::allocate() const {
  std::uint64_t population = 0;
  for (const Part& part : parts_) population += part.population;
  std::vector<std::uint64_t> sizes;
  std::uint64_t total = 0;
  for (const Part& part : parts_) {
    const double fair = static_cast<double>(size_.count) * static_cast<double>(part.population) /
                        static_cast<double>(std::max<std::uint64_t>(population, 1));
    const auto wanted = std::max(kLeastPerStratum, static_cast<std::uint64_t>(std::llround(fair)));
    sizes.push_back(std::min(part.population, wanted));
    total += sizes.back();
  }
  // What rounding left over or took too much of.
  for (std::size_t i = 0; i < parts_.size() && total < size_.count; ++i) {
    const std::uint64_t more = std::min(parts_[i].population - sizes[i], size_.count - total);
    sizes[i] += more;
    total += more;
  }
  const auto largest = std::max_element(sizes.begin(), sizes.end());
  if (largest == sizes.end() || total <= size_.count) return sizes;
  const std::uint64_t spare = *largest - std::min(*largest, kLeastPerStratum);
  *largest -= std::min(spare, total - size_.count);
  return sizes;
}

std::vector<SampledItem> ReviewSample::draw() {
  const std::vector<std::uint64_t> sizes = allocate();
  std::vector<std::pair<double, SampledItem>> placed;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    Part& part = parts_[i];
    const bool enough = part.below.size() >= kLeastPerStratum;
    std::vector<SampledItem> drawn = std::move(enough ? part.below : part.lowest);
    std::sort(drawn.begin(), drawn.end(), by_rank);
    if (!size_.share) drawn.resize(std::min<std::size_t>(drawn.size(), sizes[i]));
    for (std::size_t place = 0; place < drawn.size(); ++place) {
      const double depth = (static_cast<double>(place) + 0.5) / static_cast<double>(drawn.size());
      placed.emplace_back(depth, drawn[place]);
    }
  }
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<SampledItem> sample;
  sample.reserve(placed.size());
  for (const auto& [depth, item] : placed) sample.push_back(item);
  return sample;
}

}  // namespace llmbatch
