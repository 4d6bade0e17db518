// InputFile: an opened input: a file, or what came through a pipe, spooled to an unlinked temporary
// file. Every reader of one InputFile shares its descriptor, so a run keeps reading the file it
// opened even when the path is given to another one.
// Thread rule: copies are cheap and may be used from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"
#include "llmbatch/input/byte_source.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/line_plan.h"

namespace llmbatch {

class InputFile {
 public:
  /// Opens `path`; `-` is stdin. What is not a regular file (stdin, a pipe) is first copied into
  /// `spool_directory` to its end. Fails with ErrorKind::usage when it cannot be read.
  static Result<InputFile> open(const std::string& path, const std::string& spool_directory);

  const std::string& name() const { return name_; }
  /// The bytes are a copy that ends with the process: items need their text stored.
  bool spooled() const { return spooled_; }
  /// gzip or zstd: offsets are of the decompressed text and cannot be sought.
  bool compressed() const { return compressed_; }
  /// Of the file, compressed as it is.
  std::uint64_t size_bytes() const { return size_bytes_; }

  Result<std::unique_ptr<ByteSource>> bytes() const;

  /// What the file is now (device, inode, size, times, a hash of both ends).
  Result<InputIdentity> identity() const;

  /// True while the bytes that `seen` describes are still there: nothing changed, or lines were
  /// only appended (both ends of the old part are compared, and `seen` takes the new times).
  Result<bool> still_holds(InputIdentity& seen) const;

  /// The text of one line; of compressed files and after the end it is an error, and so is a place
  /// that does not begin after a line end or end before one (the file changed).
  Result<std::string> fetch(const InputPlace& place) const;

 private:
  InputFile() = default;

  std::shared_ptr<const UniqueFd> fd_;
  std::string name_;
  std::string path_;
  std::uint64_t size_bytes_ = 0;
  bool spooled_ = false;
  bool compressed_ = false;
};

/// Identity of the file at `path` without keeping it open. Fails like InputFile::open.
Result<InputIdentity> identify_input(const std::string& path);

}  // namespace llmbatch
