#include "llmbatch/app/text_file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

tl::unexpected<Error> cannot_read(const std::string& path, int reason) {
  return usage_error(
      fmt::format("{}: cannot be read: {}", sanitize_for_terminal(path), std::strerror(reason)));
}

}  // namespace

Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes) {
  UniqueFd opened;
  if (path != "-") opened = UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const int fd = path == "-" ? STDIN_FILENO : opened.get();
  if (fd < 0) return cannot_read(path, errno);
  std::string text;
  std::array<char, 65536> buffer{};
  while (true) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return cannot_read(path, errno);
    if (got == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > max_bytes) {
      return usage_error(fmt::format("{}: larger than {} bytes", sanitize_for_terminal(path),
                                     group_digits(static_cast<std::int64_t>(max_bytes))));
    }
  }
}

}  // namespace llmbatch
