#include "llmbatch/input/page_buffer.h"

#include <sys/mman.h>

#include <utility>

#include "llmbatch/base/check.h"

namespace llmbatch {

PageBuffer::PageBuffer(PageBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)) {}

PageBuffer& PageBuffer::operator=(PageBuffer&& other) noexcept {
  if (this != &other) {
    release();
    data_ = std::exchange(other.data_, nullptr);
    size_bytes_ = std::exchange(other.size_bytes_, 0);
  }
  return *this;
}

void PageBuffer::resize(std::size_t size_bytes) {
  if (size_bytes == size_bytes_) return;
  if (size_bytes == 0) return release();
  void* memory = data_ == nullptr ? mmap(nullptr, size_bytes, PROT_READ | PROT_WRITE,
                                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
                                  : mremap(data_, size_bytes_, size_bytes, MREMAP_MAYMOVE);
  LLMBATCH_CHECK(memory != MAP_FAILED);
  data_ = static_cast<char*>(memory);
  size_bytes_ = size_bytes;
}

void PageBuffer::release() {
  if (data_ != nullptr) munmap(data_, size_bytes_);
  data_ = nullptr;
  size_bytes_ = 0;
}

}  // namespace llmbatch
