// PageBuffer: memory straight from the system, so that what a scan used is really gone when it ends
// (freed heap memory would stay with the process). Thread rule: plain value, no sharing.
#pragma once

#include <cstddef>

namespace llmbatch {

class PageBuffer {
 public:
  PageBuffer() = default;
  explicit PageBuffer(std::size_t size_bytes) { resize(size_bytes); }
  PageBuffer(PageBuffer&& other) noexcept;
  PageBuffer& operator=(PageBuffer&& other) noexcept;
  PageBuffer(const PageBuffer&) = delete;
  PageBuffer& operator=(const PageBuffer&) = delete;
  ~PageBuffer() { release(); }

  /// Grows or shrinks, keeping the content; new bytes are zero and cost nothing until touched.
  /// Running out of address space ends the process, as with the heap.
  void resize(std::size_t size_bytes);
  void release();

  char* data() const { return data_; }
  std::size_t size() const { return size_bytes_; }

 private:
  char* data_ = nullptr;
  std::size_t size_bytes_ = 0;
};

}  // namespace llmbatch
