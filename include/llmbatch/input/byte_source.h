// ByteSource: the bytes of an input, decompressed when they are gzip or zstd (recognised by their
// first bytes; concatenated members and frames are read as one).
// Thread rule: one thread at a time. Errors name the input and are of ErrorKind::usage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  /// Fills `buffer` with up to `size` bytes; 0 only at the end.
  virtual Result<std::size_t> read(char* buffer, std::size_t size) = 0;

  /// True when seek() works at a price that does not grow with the offset (plain files).
  virtual bool seekable() const = 0;
  /// The next read() starts at `offset_bytes` of the decompressed input.
  virtual Status seek(std::uint64_t offset_bytes) = 0;

  /// How much of the file itself was read, for a progress display.
  virtual std::uint64_t consumed_bytes() const = 0;
};

/// Reads the file behind `fd` from its start with pread, so that several sources may share one
/// descriptor. `name` is for messages.
Result<std::unique_ptr<ByteSource>> make_byte_source(std::shared_ptr<const UniqueFd> fd,
                                                     std::string name);

}  // namespace llmbatch
