// What the tests of this module share: a clock that is set by hand, a pipe and a pseudo terminal to
// write to, and a run in the middle of its work.
#pragma once

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/model/run_status.h"

namespace llmbatch::test {

class ManualClock final : public Clock {
 public:
  SteadyTime now() const override { return SteadyTime{} + std::chrono::hours(1) + passed_; }
  WallTime wall_now() const override {
    return *parse_rfc3339("2026-11-23T02:14:07.123Z") + passed_;
  }
  void advance(Duration duration) { passed_ += duration; }

 private:
  Duration passed_{};
};

/// Sets an environment variable for one test.
class ScopedVariable {
 public:
  ScopedVariable(const char* name, const char* value) : name_(name) {
    const char* old = std::getenv(name);
    had_value_ = old != nullptr;
    if (had_value_) old_ = old;
    if (value == nullptr) {
      ::unsetenv(name);
    } else {
      ::setenv(name, value, 1);
    }
  }
  ~ScopedVariable() {
    if (had_value_) {
      ::setenv(name_, old_.c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
  bool had_value_ = false;
  std::string old_;
};

/// Everything that can be read now without waiting.
inline std::string drain(int fd) {
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

struct Pipe {
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) std::abort();
    reader.reset(ends[0]);
    writer.reset(ends[1]);
  }
  std::string read() const { return drain(reader.get()); }
  UniqueFd reader;
  UniqueFd writer;
};

struct PseudoTerminal {
  explicit PseudoTerminal(unsigned short columns = 80, unsigned short rows = 24) {
    winsize size{rows, columns, 0, 0};
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0) std::abort();
    user.reset(master);
    program.reset(slave);
  }
  void resize(unsigned short columns, unsigned short rows) const {
    winsize size{rows, columns, 0, 0};
    if (::ioctl(program.get(), TIOCSWINSZ, &size) != 0) std::abort();
  }
  std::string read() const { return drain(user.get()); }
  UniqueFd user;
  UniqueFd program;
};

inline std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

inline RunStatus run_in_progress() {
  RunStatus status;
  status.database = "tickets.jsonl.llmbatch.db";
  status.input = "tickets.jsonl";
  status.model = "gpt-4o-mini";
  status.running = true;
  status.items[ItemState::succeeded] = 23832;
  status.items[ItemState::filtered] = 3;
  status.items[ItemState::failed] = 12;
  status.items[ItemState::in_flight] = 64;
  status.items[ItemState::pending] = 26089;
  status.attempts = 24078;
  status.retries = 231;
  status.usage.input = 11923500;
  status.usage.output = 4769400;
  status.spent = Money::parse_dollars("107.31");
  status.projected = Money::parse_dollars("225");
  status.requests_per_minute = 481;
  status.tokens_per_minute = 336700;
  status.eta_seconds = 54 * 60;
  status.error_rate = 0.005;
  status.concurrency = 64;
  status.finished_this_run = 23847;
  status.elapsed = std::chrono::minutes(50);
  return status;
}

}  // namespace llmbatch::test
