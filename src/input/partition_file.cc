#include "partition_file.h"

namespace llmbatch {

Status read_temporary_block(int fd, char* buffer, std::size_t size, std::uint64_t offset) {
  auto count = pread_all(fd, buffer, size, offset);
  if (!count) return failure("temporary file: " + count.error().message);
  if (*count != size) return failure("temporary file: ends early");
  return {};
}

}  // namespace llmbatch
