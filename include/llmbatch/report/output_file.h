// OutputFile: buffered output to a file or stdout. A file is written beside its target and renamed
// over it by finish(), so that a reader sees all of it or what was there before. Targets that are
// no regular files (/dev/null, a FIFO) are written directly. Thread rule: one thread. The process
// must ignore SIGPIPE.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

class OutputFile {
 public:
  /// `-` and `/dev/stdout` are stdout.
  static Result<OutputFile> open(const std::string& path);
  /// Writes to a descriptor that stays the caller's; `name` is for errors.
  static OutputFile borrow(int fd, std::string name);

  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  /// Without finish() the temporary file is removed and the target stays what it was.
  ~OutputFile();

  /// Succeeds, and does nothing, when nobody reads any more.
  Status write(std::string_view bytes);
  /// True when the reader of a pipe is gone.
  bool reader_gone() const { return reader_gone_; }
  /// Writes what is buffered; syncs and renames a file.
  Status finish();

 private:
  OutputFile(UniqueFd owned, int fd, std::string path, std::string temporary_path);
  Status flush();

  UniqueFd owned_;  ///< closed at the end; empty when borrowed
  int fd_;
  std::string path_;
  std::string temporary_path_;  ///< empty: written directly
  std::string buffer_;
  bool reader_gone_ = false;
};

}  // namespace llmbatch
