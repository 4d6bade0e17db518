// PartitionFile: fixed-size records divided into partitions, each read back in the order of
// writing. What does not fit a block per partition goes to an unlinked temporary file; small
// amounts never touch the disk. Memory: one block per partition in use, whatever the number of
// records. Thread rule: one thread appends; then several may read different partitions.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"
#include "llmbatch/input/page_buffer.h"

namespace llmbatch {

/// Reads exactly `size` bytes at `offset`.
Status read_temporary_block(int fd, char* buffer, std::size_t size, std::uint64_t offset);

template <typename Record>
class PartitionFile {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  PartitionFile(std::string directory, std::size_t partitions)
      : directory_(std::move(directory)), chains_(partitions), blocks_(partitions * kBlockBytes) {}

  Status append(std::size_t partition, const Record& record) {
    Chain& chain = chains_[partition];
    if (chain.here == kRecordsPerBlock) [[unlikely]] {
      if (auto written = write_block(partition); !written) return written;
    }
    std::memcpy(block(partition) + sizeof(Header) + chain.here * sizeof(Record), &record,
                sizeof(Record));
    ++chain.here;
    ++chain.total;
    return {};
  }

  std::size_t partitions() const { return chains_.size(); }
  std::uint64_t size(std::size_t partition) const { return chains_[partition].total; }

  /// Calls `visit(record)` for every record of the partition, oldest first.
  template <typename Visit>
  Status for_each(std::size_t partition, Visit&& visit) const {
    const Chain& chain = chains_[partition];
    alignas(64) std::array<char, kBlockBytes> buffer;
    std::uint64_t number = chain.first;
    for (std::uint64_t i = 0; i < chain.written; ++i) {
      auto read =
          read_temporary_block(file_.get(), buffer.data(), buffer.size(), number * kBlockBytes);
      if (!read) return read;
      visit_block(buffer.data(), kRecordsPerBlock, visit);
      Header header;
      std::memcpy(&header, buffer.data(), sizeof(header));
      number = header.next_block;
    }
    visit_block(blocks_.data() + partition * kBlockBytes, chain.here, visit);
    return {};
  }

 private:
  struct Header {
    std::uint64_t next_block = 0;
  };
  struct Chain {
    std::uint64_t first = 0;    ///< block numbers in the file
    std::uint64_t current = 0;  ///< where the block in memory will be written
    std::uint64_t written = 0;
    std::uint64_t total = 0;
    std::size_t here = 0;  ///< records of the block in memory
  };
  static constexpr std::size_t kBlockBytes = 4096;
  static constexpr std::size_t kRecordsPerBlock = (kBlockBytes - sizeof(Header)) / sizeof(Record);

  char* block(std::size_t partition) { return blocks_.data() + partition * kBlockBytes; }

  template <typename Visit>
  static void visit_block(const char* bytes, std::size_t count, Visit& visit) {
    Record record;
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(&record, bytes + sizeof(Header) + i * sizeof(Record), sizeof(Record));
      visit(std::as_const(record));
    }
  }

  /// A block names its successor, whose number is therefore taken before it is needed.
  Status write_block(std::size_t partition) {
    if (!file_.valid()) {
      auto file = open_temporary_file(directory_);
      if (!file) return forward_error(file);
      file_ = std::move(*file);
    }
    Chain& chain = chains_[partition];
    if (chain.written == 0) chain.first = chain.current = next_block_++;
    const Header header{next_block_++};
    std::memcpy(block(partition), &header, sizeof(header));
    auto written = pwrite_all(file_.get(), std::string_view(block(partition), kBlockBytes),
                              chain.current * kBlockBytes);
    if (!written) return failure("temporary file: " + written.error().message);
    chain.current = header.next_block;
    chain.here = 0;
    ++chain.written;
    return {};
  }

  std::string directory_;
  std::vector<Chain> chains_;
  PageBuffer blocks_;
  UniqueFd file_;
  std::uint64_t next_block_ = 0;
};

}  // namespace llmbatch
