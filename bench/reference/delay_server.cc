// A server that answers every POST with the same bytes after a delay, for measuring clients that
// have many slow calls in flight. One thread, epoll, HTTP/1.1 keep-alive.
//
// usage: delay_server PORT MIN_MS MAX_MS BODY_FILE
// The delay of each answer lies between MIN_MS and MAX_MS. GET requests are answered at once with
// the number of POSTs so far.
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <queue>
#include <random>
#include <string>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
  std::string input;
  std::uint32_t generation = 0;
};

struct Due {
  Clock::time_point at;
  int fd;
  std::uint32_t generation;
  bool operator>(const Due& other) const { return at > other.at; }
};

struct Server {
  int epoll = -1;
  std::vector<Connection> connections;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  std::string answer;
  std::mt19937 random{1};
  std::uniform_int_distribution<int> delay_us;
  long posts = 0;
};

std::string wrap(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void send_all(int fd, const std::string& data) {
  // Answers are small: they fit into the send buffer of a connection that waits for them.
  if (send(fd, data.data(), data.size(), MSG_NOSIGNAL) < 0) perror("send");
}

std::size_t content_length(const std::string& head) {
  const char* found = strcasestr(head.c_str(), "\r\ncontent-length:");
  return found == nullptr ? 0 : std::strtoul(found + 17, nullptr, 10);
}

// Takes one request from the input of a connection, if it is there completely.
bool take_request(Server& server, int fd) {
  Connection& connection = server.connections[static_cast<std::size_t>(fd)];
  const std::size_t head = connection.input.find("\r\n\r\n");
  if (head == std::string::npos) return false;
  const std::size_t length = head + 4 + content_length(connection.input.substr(0, head + 2));
  if (connection.input.size() < length) return false;
  const bool post = connection.input.compare(0, 4, "POST") == 0;
  connection.input.erase(0, length);
  if (post) {
    ++server.posts;
    const std::chrono::microseconds delay(server.delay_us(server.random));
    server.due.push({Clock::now() + delay, fd, connection.generation});
  } else {
    send_all(fd, wrap(std::to_string(server.posts) + "\n"));
  }
  return true;
}

void accept_all(Server& server, int listener) {
  for (;;) {
    const int fd = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    const auto index = static_cast<std::size_t>(fd);
    if (server.connections.size() <= index) server.connections.resize(index + 64);
    server.connections[index].input.clear();
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event);
  }
}

void read_from(Server& server, int fd) {
  static char buffer[65536];
  Connection& connection = server.connections[static_cast<std::size_t>(fd)];
  const ssize_t size = read(fd, buffer, sizeof buffer);
  if (size <= 0) {
    ++connection.generation;
    close(fd);
    return;
  }
  connection.input.append(buffer, static_cast<std::size_t>(size));
  while (take_request(server, fd)) {
  }
}

void answer_due(Server& server) {
  const auto now = Clock::now();
  while (!server.due.empty() && server.due.top().at <= now) {
    const Due due = server.due.top();
    server.due.pop();
    const bool alive =
        server.connections[static_cast<std::size_t>(due.fd)].generation == due.generation;
    if (alive) send_all(due.fd, server.answer);
  }
}

int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      listen(listener, 4096) != 0) {
    perror("delay_server");
    std::exit(1);
  }
  return listener;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  Server server;
  std::ifstream body(arguments[4], std::ios::binary);
  server.answer = wrap({std::istreambuf_iterator<char>(body), {}});
  server.delay_us = std::uniform_int_distribution<int>(1000 * std::atoi(arguments[2]),
                                                       1000 * std::atoi(arguments[3]));
  server.epoll = epoll_create1(EPOLL_CLOEXEC);
  const int listener = listen_on(std::atoi(arguments[1]));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener;
  epoll_ctl(server.epoll, EPOLL_CTL_ADD, listener, &event);

  std::vector<epoll_event> events(512);
  for (;;) {
    timespec timeout{};
    if (!server.due.empty()) {
      const auto left = std::chrono::nanoseconds(server.due.top().at - Clock::now()).count();
      timeout.tv_sec = left > 0 ? left / 1'000'000'000 : 0;
      timeout.tv_nsec = left > 0 ? left % 1'000'000'000 : 0;
    }
    const int ready = epoll_pwait2(server.epoll, events.data(), static_cast<int>(events.size()),
                                   server.due.empty() ? nullptr : &timeout, nullptr);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == listener) {
        accept_all(server, listener);
      } else {
        read_from(server, fd);
      }
    }
    answer_due(server);
  }
}
