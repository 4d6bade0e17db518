#include "spool_reader.h"

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

namespace llmbatch {

Result<SpoolReader> SpoolReader::open(const std::string& path) {
  std::FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) return failure(path + ": " + errno_text(errno));
  return SpoolReader(file, path);
}

SpoolReader::SpoolReader(SpoolReader&& other) noexcept
    : file_(std::exchange(other.file_, nullptr)),
      path_(std::move(other.path_)),
      buffer_(std::exchange(other.buffer_, nullptr)),
      capacity_(other.capacity_),
      number_(other.number_) {}

SpoolReader::~SpoolReader() {
  if (file_ != nullptr) std::fclose(file_);
  std::free(buffer_);
}

Result<bool> SpoolReader::next(std::string_view& line) {
  for (;;) {
    errno = 0;
    const auto length = getline(&buffer_, &capacity_, file_);
    if (length < 0) {
      if (std::ferror(file_) != 0) return failure(path_ + ": " + errno_text(errno));
      return false;
    }
    line = std::string_view(buffer_, static_cast<std::size_t>(length));
    if (++number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    line = trim(line);
    if (!line.empty()) return true;
  }
}

}  // namespace llmbatch
