#include "spool_reader.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
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

void remove_spool_leftovers(const std::string& prefix,
                            const std::unordered_set<std::string>& keys) {
  namespace fs = std::filesystem;
  constexpr std::size_t kKeyDigits = 16;
  const fs::path path(prefix);
  const std::string name_prefix = path.filename().string();
  std::error_code ignored;
  fs::directory_iterator files(path.has_parent_path() ? path.parent_path() : fs::path("."),
                               ignored);
  for (const auto& file : files) {
    const std::string name = file.path().filename().string();
    if (!name.starts_with(name_prefix) || !name.ends_with(".jsonl")) continue;
    const std::string key = name.substr(name_prefix.size(), kKeyDigits);
    const bool ours = key.size() == kKeyDigits &&
                      key.find_first_not_of("0123456789abcdef") == std::string::npos &&
                      name[name_prefix.size() + kKeyDigits] == '.';
    if (ours && !keys.contains(key)) fs::remove(file.path(), ignored);
  }
}

}  // namespace llmbatch
