// SpoolReader: the lines of a file of our own, of any length, one at a time. Thread rule: one
// thread.
#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_set>

#include "llmbatch/base/result.h"

namespace llmbatch {

class SpoolReader {
 public:
  static Result<SpoolReader> open(const std::string& path);
  SpoolReader(SpoolReader&& other) noexcept;
  SpoolReader& operator=(SpoolReader&&) = delete;
  SpoolReader(const SpoolReader&) = delete;
  SpoolReader& operator=(const SpoolReader&) = delete;
  ~SpoolReader();

  /// The next line that is not blank, without its line end; false at the end of the file.
  Result<bool> next(std::string_view& line);
  std::int64_t number() const { return number_; }  ///< of that line, from 1

 private:
  explicit SpoolReader(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}

  std::FILE* file_;
  std::string path_;
  char* buffer_ = nullptr;
  std::size_t capacity_ = 0;
  std::int64_t number_ = 0;
};

/// Removes the files `<prefix><key>.jsonl` and `<prefix><key>.result<N>.jsonl` whose key is not
/// among `keys`: a kill between the last commit of a batch and the removal of its files leaves
/// them.
void remove_spool_leftovers(const std::string& prefix, const std::unordered_set<std::string>& keys);

}  // namespace llmbatch
