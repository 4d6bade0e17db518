#include "poller.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "llmbatch/base/check.h"

namespace llmbatch::net {
namespace {

constexpr std::size_t kEventsPerWait = 256;
constexpr std::uint32_t kBrokenEvents = EPOLLERR | EPOLLHUP;
constexpr std::uint64_t kSocketTag = std::uint64_t{1} << 63;
constexpr std::uint64_t kWatchTag = std::uint64_t{1} << 62;
constexpr std::uint32_t kGenerationMask = 0x3fffffff;

std::uint64_t socket_tag(int fd, std::uint32_t generation) {
  return kSocketTag | (std::uint64_t{generation & kGenerationMask} << 32) |
         static_cast<std::uint32_t>(fd);
}

timespec to_timespec(Duration duration) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration);
  return {.tv_sec = static_cast<time_t>(seconds.count()),
          .tv_nsec = static_cast<long>((duration - seconds).count())};
}

}  // namespace

Status Poller::open() {
  epoll_.reset(epoll_create1(EPOLL_CLOEXEC));
  if (!epoll_.valid()) return failure("network: no epoll: " + errno_text(errno));
  wake_.reset(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_.valid()) return failure("network: no eventfd: " + errno_text(errno));
  control(EPOLL_CTL_ADD, wake_.get(), EPOLLIN, 0);
  return {};
}

void Poller::control(int operation, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  epoll_ctl(epoll_.get(), operation, fd, &event);
}

Poller::Socket& Poller::socket_of(int fd) {
  LLMBATCH_CHECK(fd >= 0);
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sockets_.size()) sockets_.resize(std::max(index + 1, sockets_.size() * 2));
  return sockets_[index];
}

void Poller::keep(int fd) { socket_of(fd).kept = true; }

void Poller::want(int fd, bool readable, bool writable) {
  Socket& socket = socket_of(fd);
  socket.wanted =
      (readable ? std::uint32_t{EPOLLIN} : 0U) | (writable ? std::uint32_t{EPOLLOUT} : 0U);
  if (socket.wanted == socket.registered) return;
  if (socket.wanted == 0) {
    if (socket.kept) return;
    control(EPOLL_CTL_DEL, fd, 0, 0);
  } else {
    control(socket.registered == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, socket.wanted,
            socket_tag(fd, socket.generation));
  }
  socket.registered = socket.wanted;
}

void Poller::forget(int fd) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= sockets_.size()) return;
  Socket& socket = sockets_[index];
  // Closing takes the descriptor out of the set by itself: libcurl does not duplicate sockets.
  const std::uint32_t generation = socket.generation + 1;
  socket = Socket();
  socket.generation = generation;
}

void Poller::watch(int fd) {
  if (fd >= 0) control(EPOLL_CTL_ADD, fd, EPOLLIN, kWatchTag);
}

void Poller::wake() {
  const std::uint64_t one = 1;
  // A full counter (EAGAIN) wakes as well.
  [[maybe_unused]] const ssize_t written = write(wake_.get(), &one, sizeof(one));
}

void Poller::handle_socket(std::uint64_t tag, std::uint32_t events, std::vector<Ready>& ready) {
  const auto fd = static_cast<int>(tag & 0xffffffffU);
  Socket& socket = sockets_[static_cast<std::size_t>(fd)];
  if (tag != socket_tag(fd, socket.generation)) return;
  if (socket.wanted == 0) {
    // An idle connection has news (its server closed it); libcurl looks before it reuses one.
    control(EPOLL_CTL_DEL, fd, 0, 0);
    socket.registered = 0;
    return;
  }
  // After an error the next read or write tells libcurl what happened.
  const bool broken = (events & kBrokenEvents) != 0;
  const bool readable = (socket.wanted & EPOLLIN) != 0 && (broken || (events & EPOLLIN) != 0);
  const bool writable = (socket.wanted & EPOLLOUT) != 0 && (broken || (events & EPOLLOUT) != 0);
  if (readable || writable) ready.push_back({fd, readable, writable});
}

bool Poller::wait(Duration timeout, std::vector<Ready>& ready) {
  std::array<epoll_event, kEventsPerWait> events;
  const timespec limit = to_timespec(std::max(timeout, Duration::zero()));
  int count = -1;
  if (has_pwait2_) {
    count = epoll_pwait2(epoll_.get(), events.data(), kEventsPerWait, &limit, nullptr);
    if (count < 0 && errno == ENOSYS) has_pwait2_ = false;
  }
  if (!has_pwait2_) {
    const auto millis = std::chrono::ceil<std::chrono::milliseconds>(timeout).count();
    count = epoll_wait(epoll_.get(), events.data(), kEventsPerWait,
                       static_cast<int>(std::clamp<std::int64_t>(millis, 0, 60'000)));
  }
  bool woken = false;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if ((event.data.u64 & kSocketTag) != 0) {
      handle_socket(event.data.u64, event.events, ready);
    } else {
      woken = true;
      std::uint64_t drained = 0;
      if (event.data.u64 == 0) {
        [[maybe_unused]] const ssize_t size = read(wake_.get(), &drained, sizeof(drained));
      }
    }
  }
  return woken;
}

}  // namespace llmbatch::net
