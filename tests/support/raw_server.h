// RawServer: a scripted HTTP server for tests, on loopback and a port of the system's choice. It
// answers whole requests with exactly the bytes it is told, and counts what reached it. Each
// connection has a thread of its own; everything ends with the object.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace llmbatch::test {

/// One connection of the server, used by the script from that connection's thread.
class RawConnection {
 public:
  RawConnection(int fd, const std::atomic<bool>& stopping) : fd_(fd), stopping_(stopping) {}

  /// The next request, head and body; empty when the client closed or the server ends.
  std::string read_request() {
    std::size_t end = 0;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return {};
    }
    const std::size_t size = end + 4 + content_length(std::string_view(buffer_).substr(0, end));
    while (buffer_.size() < size) {
      if (!fill()) return {};
    }
    std::string request = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return request;
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  /// Waits until the client closes the connection or the server ends.
  void wait_for_close() {
    while (fill()) buffer_.clear();
  }

  /// Sleeps on the server's side, but not beyond its end.
  void pause(std::chrono::milliseconds time) {
    for (; time.count() > 0 && !stopping_; time -= std::chrono::milliseconds(1)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  /// Closing then sends RST instead of FIN.
  void close_with_reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  }

 private:
  static std::size_t content_length(std::string_view head) {
    constexpr std::string_view kName = "Content-Length: ";
    const std::size_t at = head.find(kName);
    if (at == std::string_view::npos) return 0;
    return std::strtoull(std::string(head.substr(at + kName.size(), 20)).c_str(), nullptr, 10);
  }

  bool fill() {
    for (;;) {
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      const int count = ::poll(&waiting, 1, 10);
      if (stopping_) return false;
      if (count == 0) continue;
      char bytes[16384];
      const ssize_t size = recv(fd_, bytes, sizeof(bytes), 0);
      if (size <= 0) return false;
      buffer_.append(bytes, static_cast<std::size_t>(size));
      return true;
    }
  }

  int fd_;
  const std::atomic<bool>& stopping_;
  std::string buffer_;
};

class RawServer {
 public:
  /// Serves one connection; its end closes it. `number` counts connections from 0.
  using Script = std::function<void(RawConnection& connection, int number)>;
  /// Answers one request, `number` from 0 over all connections; false closes the connection.
  using Handler =
      std::function<bool(RawConnection& connection, const std::string& request, int number)>;

  explicit RawServer(Script script) : script_(std::move(script)) { listen_on_loopback(); }

  explicit RawServer(Handler handler) {
    script_ = [this, handler = std::move(handler)](RawConnection& connection, int) {
      for (;;) {
        const std::string request = connection.read_request();
        if (request.empty()) return;
        const int number = requests_++;
        {
          const std::lock_guard lock(mutex_);
          last_request_ = request;
        }
        if (!handler(connection, request, number)) return;
      }
    };
    listen_on_loopback();
  }

  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  ~RawServer() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(listener_);
  }

  std::string url(std::string_view path = "/v1/chat/completions") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int port() const { return port_; }
  int requests() const { return requests_; }
  int connections() const { return connections_; }
  /// Connections that the server has closed.
  int closed() const { return closed_; }
  std::string last_request() const {
    const std::lock_guard lock(mutex_);
    return last_request_;
  }

 private:
  void listen_on_loopback() {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 4096) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      std::abort();
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  void accept_all() {
    while (!stopping_) {
      pollfd waiting{.fd = listener_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, 10) <= 0) continue;
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int number = connections_++;
      threads_.emplace_back([this, fd, number] {
        RawConnection connection(fd, stopping_);
        script_(connection, number);
        ::close(fd);
        ++closed_;
      });
    }
  }

  Script script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::atomic<int> requests_ = 0;
  std::atomic<int> connections_ = 0;
  std::atomic<int> closed_ = 0;
  std::list<std::thread> threads_;  ///< only the acceptor adds to it
  std::thread acceptor_;
  mutable std::mutex mutex_;
  std::string last_request_;  ///< Guarded by mutex_.
};

/// A complete keep-alive answer.
inline std::string http_answer(std::string_view body, std::string_view extra_headers = "",
                               std::string_view status = "200 OK") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Type: application/json\r\n" +
         std::string(extra_headers) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

}  // namespace llmbatch::test
