// Log: the file of --log-file. Silent when there is none, so that nobody has to ask. Owned by the
// app and handed to whoever has something to say. Thread rule: every method from any thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

namespace spdlog {
class logger;
}

namespace llmbatch {

class Log {
 public:
  /// A silent log.
  Log() = default;

  /// Appends to the file at `path`, which is created where it is missing; silent when `path` is
  /// empty. With `json` every line is an object with `time`, `level` and `message`. Fails with a
  /// usage error when the file cannot be written.
  static Result<Log> open(const std::string& path, bool json);

  /// Each writes one line at once; control characters and line ends in `message` are made harmless.
  void info(std::string_view message) const;
  void warn(std::string_view message) const;
  void error(std::string_view message) const;

 private:
  std::string encode(std::string_view message) const;

  std::shared_ptr<spdlog::logger> logger_;
  bool json_ = false;
};

}  // namespace llmbatch
