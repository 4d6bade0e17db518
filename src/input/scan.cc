#include "llmbatch/input/scan.h"

#include <exception>
#include <functional>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "scan_fold.h"
#include "scan_join.h"
#include "scan_reader.h"
#include "scan_repeats.h"

namespace llmbatch {
namespace {

constexpr std::uint64_t kFewLines = 20'000;

Status spool_index(const ItemIndex& index, PartitionFile<StoredItem>& stored) {
  Status status;
  auto visited = index.for_each([&](const IndexRecord& record) {
    if (!status) return;
    const auto state = static_cast<std::uint64_t>(record.state);
    status = stored.append(scan_partition(record.id_hash),
                           {record.id_hash, record.request_hash, record.seq << 3U | state});
  });
  return visited ? status : visited;
}

/// Runs every `step`-th partition from `first`.
Status join_some(ScanJoin& join, std::size_t first, std::size_t step, const ScanOptions& options) {
  for (std::size_t i = first; i < kScanPartitions; i += step) {
    if (options.cancelled && options.cancelled()) return failure(kScanCancelled);
    if (auto joined = join.join(i); !joined) return joined;
  }
  return {};
}

Status join_all(const std::vector<std::unique_ptr<ScanJoin>>& joins, const ScanOptions& options) {
  if (joins.size() == 1) return join_some(*joins[0], 0, 1, options);
  Status second_status;
  std::thread second;
  try {
    second = std::thread([&] { second_status = join_some(*joins[1], 1, 2, options); });
  } catch (const std::system_error&) {
    second_status = join_some(*joins[1], 1, 2, options);
  }
  auto first_status = join_some(*joins[0], 0, 2, options);
  if (second.joinable()) second.join();
  return first_status ? second_status : first_status;
}

Status find_repeats(ScanRepeats& repeats, const PartitionFile<RequestLine>& requests,
                    const std::vector<std::unique_ptr<ScanJoin>>& joins, const ItemIndex& index,
                    const ScanOptions& options) {
  for (std::size_t i = 0; i < kScanPartitions; ++i) {
    if (options.cancelled && options.cancelled()) return failure(kScanCancelled);
    if (auto found = repeats.find_repeats(requests, i); !found) return found;
  }
  std::vector<const PartitionFile<RequestLine>*> wanted;
  wanted.reserve(joins.size());
  for (const auto& join : joins) wanted.push_back(&join->wanted());
  return index.empty() ? Status() : repeats.find_donors(wanted, index);
}

Result<ScanResult> scan(const InputFile& input, const Provider& provider, const ItemIndex& index,
                        const ScanOptions& options) {
  const std::string& directory = options.temporary_directory;
  std::optional<PartitionFile<StoredItem>> stored;
  if (!index.empty()) {
    stored.emplace(directory, kScanPartitions);
    if (auto spooled = spool_index(index, *stored); !spooled) return forward_error(spooled);
  }
  PartitionFile<ScannedLine> found(directory, kScanPartitions);
  PartitionFile<RequestLine> requests(directory, kScanPartitions);
  auto invalid = std::make_shared<SpillFile>(directory);
  auto lines = ScanReader(input, provider, options, found, requests, *invalid).run();
  if (!lines) return forward_error(lines);

  const SliceLayout layout(*lines);
  std::vector<std::unique_ptr<ScanJoin>> joins(options.threads > 1 && *lines > kFewLines ? 2 : 1);
  for (auto& join : joins) {
    join = std::make_unique<ScanJoin>(found, stored ? &*stored : nullptr, options.retry, layout,
                                      directory);
  }
  if (auto joined = join_all(joins, options); !joined) return forward_error(joined);
  ScanRepeats repeats(layout, directory);
  if (auto looked = find_repeats(repeats, requests, joins, index, options); !looked) {
    return forward_error(looked);
  }
  ScanFold fold(input, options, index.next_seq());
  return fold.fold(*lines, layout, joins, repeats, std::move(invalid));
}

}  // namespace

Result<ScanResult> scan_input(const InputFile& input, const Provider& provider,
                              const ItemIndex& index, const ScanOptions& options) {
  try {
    return scan(input, provider, index, options);
  } catch (const std::exception& error) {
    return failure(input.name() + ": cannot be scanned: " + error.what());
  }
}

}  // namespace llmbatch
