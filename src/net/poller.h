// Poller: an epoll set with an eventfd for waking it. Sockets stay registered while libcurl does
// not want them, because it takes every socket out and puts it back for each transfer; a kept-alive
// connection then costs no epoll_ctl at all. Thread rule: the loop thread; wake() from any thread.
#pragma once

#include <cstdint>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/base/result.h"

namespace llmbatch::net {

class Poller {
 public:
  struct Ready {
    int fd = -1;
    bool readable = false;
    bool writable = false;
  };

  Status open();
  /// The socket is a connection, which forget() will announce the closing of; only these stay
  /// registered. libcurl also brings descriptors of its own (name lookup) and closes them silently.
  void keep(int fd);
  /// What is wanted of a socket from now on; neither means that a kept one stays, unheard.
  void want(int fd, bool readable, bool writable);
  /// The socket is about to be closed.
  void forget(int fd);
  void watch(int fd);
  void wake();

  /// Waits up to `timeout` (precise to microseconds) and fills `ready` with sockets that are
  /// wanted. True when wake() was called or a watched descriptor is readable.
  bool wait(Duration timeout, std::vector<Ready>& ready);

 private:
  struct Socket {
    std::uint32_t registered = 0;  ///< epoll events the kernel knows; 0: not in the set
    std::uint32_t wanted = 0;
    bool kept = false;
    std::uint32_t generation = 0;  ///< tells events of a closed socket from its successor's
  };

  void handle_socket(std::uint64_t tag, std::uint32_t events, std::vector<Ready>& ready);
  Socket& socket_of(int fd);
  void control(int operation, int fd, std::uint32_t events, std::uint64_t tag);

  UniqueFd epoll_;
  UniqueFd wake_;
  std::vector<Socket> sockets_;  ///< by descriptor
  bool has_pwait2_ = true;
};

}  // namespace llmbatch::net
