// RawHttpClient: a blocking HTTP/1.1 client over one loopback connection, for tests of servers. It
// shows what is on the wire: a cut body, a reset, blank lines. Not thread safe.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace llmbatch::test {

struct RawReply {
  int status = 0;         ///< 0: no status line came
  std::string headers;    ///< raw lines, lower case names not forced
  std::string body;       ///< as far as it came
  bool complete = false;  ///< the announced length arrived
  bool reset = false;     ///< the connection was reset (not just closed)

  std::string header(std::string_view name) const {
    const std::string wanted = "\n" + lower(name) + ":";
    const std::string all = "\n" + lower(headers);
    const std::size_t at = all.find(wanted);
    if (at == std::string::npos) return {};
    std::size_t start = at + wanted.size() - 1;
    while (start < headers.size() && headers[start] == ' ') ++start;
    return headers.substr(start, headers.find('\r', start) - start);
  }

  static std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return out;
  }
};

class RawHttpClient {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  explicit RawHttpClient(std::uint16_t port) : port_(port) {}
  RawHttpClient(const RawHttpClient&) = delete;
  RawHttpClient& operator=(const RawHttpClient&) = delete;
  ~RawHttpClient() { close(); }

  /// Connects if need be and sends the request; false when nobody listens.
  bool send(const std::string& method, const std::string& path, const std::string& body,
            const Headers& headers = {}) {
    if (fd_ < 0 && !connect()) return false;
    std::string text = method + " " + path + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : headers) text += name + ": " + value + "\r\n";
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    std::size_t sent = 0;
    while (sent < text.size()) {
      const ssize_t count = ::send(fd_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) return false;
      sent += static_cast<std::size_t>(count);
    }
    return true;
  }

  /// Reads one reply, or what comes before the connection ends.
  RawReply receive() {
    RawReply reply;
    std::size_t end_of_headers = 0;
    while ((end_of_headers = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!read_more(reply)) return reply;
    }
    const std::size_t end_of_status = buffer_.find("\r\n");
    reply.status = std::atoi(buffer_.substr(9, 3).c_str());
    reply.headers = buffer_.substr(end_of_status + 2, end_of_headers - end_of_status);
    buffer_.erase(0, end_of_headers + 4);
    const std::size_t length = std::strtoul(reply.header("content-length").c_str(), nullptr, 10);
    while (buffer_.size() < length && read_more(reply)) {
    }
    reply.complete = buffer_.size() >= length;
    reply.body = buffer_.substr(0, length);
    buffer_.erase(0, length);
    return reply;
  }

  RawReply post(const std::string& path, const std::string& body, const Headers& headers = {}) {
    return send("POST", path, body, headers) ? receive() : RawReply{};
  }
  RawReply get(const std::string& path) { return send("GET", path, "") ? receive() : RawReply{}; }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    buffer_.clear();
  }

 private:
  bool connect() {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sockaddr storage{};
    static_assert(sizeof storage == sizeof address);
    __builtin_memcpy(&storage, &address, sizeof storage);
    if (::connect(fd_, &storage, sizeof storage) == 0) return true;
    close();
    return false;
  }

  bool read_more(RawReply& reply) {
    char chunk[16384];
    const ssize_t count = ::recv(fd_, chunk, sizeof chunk, 0);
    if (count > 0) {
      buffer_.append(chunk, static_cast<std::size_t>(count));
      return true;
    }
    reply.reset = count < 0;
    close_keeping_buffer();
    return false;
  }

  void close_keeping_buffer() {
    ::close(fd_);
    fd_ = -1;
  }

  std::uint16_t port_;
  int fd_ = -1;
  std::string buffer_;
};

}  // namespace llmbatch::test
