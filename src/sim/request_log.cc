#include "request_log.h"

#include <fcntl.h>

#include <cerrno>

#include "llmbatch/base/text.h"

namespace llmbatch::sim {

Result<RequestLog> RequestLog::open(const std::string& path) {
  RequestLog log;
  if (path.empty()) return log;
  log.fd_.reset(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!log.fd_.valid()) return usage_error(path + ": cannot be opened: " + errno_text(errno));
  return log;
}

void RequestLog::write(const Reply& reply, WallTime now) {
  if (!fd_.valid()) return;
  const bool answered = reply.ending == Ending::complete || reply.ending == Ending::cut_body;
  std::string line = R"({"time":")" + format_rfc3339(now) + R"(","id_hint":")" +
                     to_hex(reply.body_hash) + R"(","attempt":)" + std::to_string(reply.attempt) +
                     R"(,"status":)" + std::to_string(answered ? reply.status : 0) +
                     R"(,"outcome":)";
  append_json_string(line, reply.outcome);
  line += "}\n";
  static_cast<void>(write_all(fd_.get(), line));
}

}  // namespace llmbatch::sim
