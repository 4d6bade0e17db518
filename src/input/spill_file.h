// SpillFile: bytes written once and read in order any number of times; beyond a small buffer they
// are in an unlinked temporary file. Thread rule: one thread writes; then each SpillReader has one.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

class SpillFile {
 public:
  explicit SpillFile(std::string directory) : directory_(std::move(directory)) {}

  Status append(std::string_view bytes);
  template <typename Record>
  Status append_record(const Record& record) {
    return append(std::string_view(reinterpret_cast<const char*>(&record), sizeof(record)));
  }

  std::uint64_t size_bytes() const { return written_bytes_ + buffer_.size(); }
  /// Reads up to `size` bytes at `offset`; fewer only at the end.
  Result<std::size_t> read_at(std::uint64_t offset, char* buffer, std::size_t size) const;

 private:
  std::string directory_;
  std::string buffer_;
  std::uint64_t written_bytes_ = 0;
  UniqueFd file_;
};

class SpillReader {
 public:
  explicit SpillReader(const SpillFile& file) : file_(&file) {}

  /// Exactly `size` bytes; false when there are none left. The file must have been cut at `size`.
  Result<bool> read(char* bytes, std::size_t size);
  template <typename Record>
  Result<bool> read_record(Record& record) {
    return read(reinterpret_cast<char*>(&record), sizeof(record));
  }
  void rewind();

 private:
  const SpillFile* file_;
  std::string buffer_;
  std::size_t position_ = 0;
  std::uint64_t offset_ = 0;  ///< in the file, behind the buffer
};

}  // namespace llmbatch
