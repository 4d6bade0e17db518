#include "llmbatch/base/log.h"

#include <fcntl.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include <cerrno>

#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr const char* kTextPattern = "%Y-%m-%dT%H:%M:%S.%eZ %l: %v";
constexpr const char* kJsonPattern =
    R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l","message":%v})";

}  // namespace

Result<Log> Log::open(const std::string& path, bool json) {
  Log log;
  if (path.empty()) return log;
  // Opened here first, because the library would create missing directories and words the failure
  // in its own way.
  const UniqueFd probe(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666));
  if (!probe.valid()) return usage_error(path + ": cannot open for writing: " + errno_text(errno));
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path);
    log.logger_ = std::make_shared<spdlog::logger>("llmbatch", std::move(sink));
    log.logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc));
    // The log is read while the run goes on and after it was killed.
    log.logger_->flush_on(spdlog::level::info);
    // A full disk is met by the store; a lost log line must not reach the user's terminal.
    log.logger_->set_error_handler([](const std::string&) {});
    log.json_ = json;
  } catch (const std::exception& error) {
    return usage_error(path + ": cannot open for writing: " + error.what());
  }
  return log;
}

void Log::info(std::string_view message) const {
  if (logger_) logger_->log(spdlog::level::info, encode(message));
}

void Log::warn(std::string_view message) const {
  if (logger_) logger_->log(spdlog::level::warn, encode(message));
}

void Log::error(std::string_view message) const {
  if (logger_) logger_->log(spdlog::level::err, encode(message));
}

std::string Log::encode(std::string_view message) const {
  if (!json_) return sanitize_for_terminal(message);
  std::string text;
  append_json_string(text, message);
  return text;
}

}  // namespace llmbatch
