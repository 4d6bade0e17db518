#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "exchange.h"

namespace llmbatch::sim {
namespace {

constexpr Duration kGoneCheck = std::chrono::milliseconds(200);
constexpr unsigned int kMaxConnections = 60'000;

/// Whether the client has closed its side. MHD does not look at suspended connections.
bool is_gone(int fd) {
  char byte = 0;
  const ssize_t size = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return size == 0 || (size < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

Simulator::Server::Server(SimulatorSettings settings, RequestLog log)
    : settings_(std::move(settings)), responder_(settings_, clock_), log_(std::move(log)) {}

Simulator::Server::~Server() { stop(); }

MHD_Daemon* Simulator::Server::open_daemon(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const unsigned int flags = static_cast<unsigned int>(MHD_USE_EPOLL_INTERNAL_THREAD) |
                             static_cast<unsigned int>(MHD_ALLOW_SUSPEND_RESUME) |
                             static_cast<unsigned int>(MHD_USE_ITC);
  return MHD_start_daemon(flags, port, nullptr, nullptr, &Server::on_access, this,
                          MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_CONNECTION_LIMIT,
                          kMaxConnections, MHD_OPTION_NOTIFY_COMPLETED, &Server::on_completed, this,
                          MHD_OPTION_END);
}

Status Simulator::Server::start() {
  daemon_ = open_daemon(settings_.port);
  if (daemon_ == nullptr) {
    return usage_error("127.0.0.1:" + std::to_string(settings_.port) +
                       ": cannot listen: " + errno_text(errno));
  }
  const MHD_DaemonInfo* info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_BIND_PORT);
  port_ = info == nullptr ? settings_.port : info->port;
  timer_ = std::thread([this] { run_timer(); });
  return {};
}

void Simulator::Server::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  if (timer_.joinable()) timer_.join();
  if (daemon_ == nullptr) return;
  {
    const std::scoped_lock lock(mutex_);
    drop_waiting();
  }
  MHD_stop_daemon(daemon_);
  daemon_ = nullptr;
}

// NOLINTNEXTLINE(readability-function-size): libmicrohttpd decides the parameters.
MHD_Result Simulator::Server::on_access(void* self, MHD_Connection* connection, const char* url,
                                        const char* method, const char* /*version*/,
                                        const char* upload, std::size_t* upload_size,
                                        void** state) {
  // MHD calls three times: when the headers are there, for each part of the body, and at its end;
  // and once more after a suspended connection was resumed.
  auto* exchange = static_cast<Exchange*>(*state);
  if (exchange == nullptr) {
    *state = new Exchange(connection, url, method);
    return MHD_YES;
  }
  if (*upload_size > 0) {
    exchange->add_body({upload, *upload_size});
    *upload_size = 0;
    return MHD_YES;
  }
  return static_cast<Server*>(self)->handle(*exchange);
}

void Simulator::Server::on_completed(void* self, MHD_Connection* /*connection*/, void** state,
                                     MHD_RequestTerminationCode /*code*/) {
  auto* exchange = static_cast<Exchange*>(*state);
  if (exchange == nullptr) return;
  if (exchange->decided && exchange->reply.counted) {
    static_cast<Server*>(self)->responder_.finished();
  }
  delete exchange;
  *state = nullptr;
}

MHD_Result Simulator::Server::handle(Exchange& exchange) {
  if (!exchange.decided) {
    // Between the decision to go down and the end of the listener nobody is served any more.
    if (is_leaving()) return MHD_NO;
    exchange.read_headers();
    exchange.reply = responder_.respond(exchange.http);
    exchange.decided = true;
    if (exchange.reply.counted) log_.write(exchange.reply, clock_.wall_now());
    exchange.release_body();
    if (exchange.reply.server_goes_down) {
      const std::scoped_lock lock(mutex_);
      going_down_ = true;
      wake_.notify_all();
    } else if (exchange.reply.delay > Duration::zero() || exchange.reply.ending == Ending::hang) {
      return suspend(exchange, clock_.now()) ? MHD_YES : MHD_NO;
    }
  }
  return exchange.send();
}

bool Simulator::Server::is_leaving() {
  const std::scoped_lock lock(mutex_);
  return stopping_ || going_down_;
}

bool Simulator::Server::suspend(Exchange& exchange, SteadyTime now) {
  const std::scoped_lock lock(mutex_);
  if (stopping_ || going_down_) return false;
  const bool hangs = exchange.reply.ending == Ending::hang;
  const SteadyTime due = now + (hangs ? kGoneCheck : exchange.reply.delay);
  MHD_suspend_connection(exchange.connection);
  const bool soonest = waiting_.empty() || due < waiting_.front().due;
  waiting_.push_back({due, hangs ? now + settings_.hang_for : due, &exchange});
  std::push_heap(waiting_.begin(), waiting_.end());
  if (soonest) wake_.notify_one();
  return true;
}

void Simulator::Server::run_timer() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (going_down_) {
      restart(lock);
    } else if (waiting_.empty()) {
      wake_.wait(lock);
    } else if (const SteadyTime due = waiting_.front().due; due > clock_.now()) {
      wake_.wait_until(lock, due);
    } else {
      resume_due(clock_.now());
    }
  }
}

void Simulator::Server::resume_due(SteadyTime now) {
  while (!waiting_.empty() && waiting_.front().due <= now) {
    std::pop_heap(waiting_.begin(), waiting_.end());
    Waiting& last = waiting_.back();
    if (last.deadline > now && !is_gone(last.exchange->fd)) {
      last.due = now + kGoneCheck;
      std::push_heap(waiting_.begin(), waiting_.end());
      continue;
    }
    MHD_resume_connection(last.exchange->connection);
    waiting_.pop_back();
  }
}

void Simulator::Server::drop_waiting() {
  for (const Waiting& waiting : waiting_) {
    waiting.exchange->reply.ending = Ending::no_answer;
    MHD_resume_connection(waiting.exchange->connection);
  }
  waiting_.clear();
}

void Simulator::Server::restart(std::unique_lock<std::mutex>& lock) {
  drop_waiting();
  // Nothing is suspended from here on: suspend() refuses while going_down_ is set.
  lock.unlock();
  MHD_stop_daemon(daemon_);
  daemon_ = nullptr;
  lock.lock();
  const auto stopped = [this] { return stopping_; };
  if (settings_.down_for == Duration::zero()) {
    wake_.wait(lock, stopped);
    return;
  }
  wake_.wait_for(lock, settings_.down_for, stopped);
  while (!stopping_ && daemon_ == nullptr) {
    daemon_ = open_daemon(port_);
    if (daemon_ == nullptr) wake_.wait_for(lock, std::chrono::milliseconds(20), stopped);
  }
  going_down_ = false;
}

}  // namespace llmbatch::sim
