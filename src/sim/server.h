// Simulator::Server: the HTTP side. libmicrohttpd serves every connection from one epoll thread; a
// request that has to wait is suspended, which costs no thread, and a timer thread resumes it.
// Thread rule: start, stop and the destructor belong to one thread.
#pragma once

#include <microhttpd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "llmbatch/sim/simulator.h"
#include "request_log.h"
#include "responder.h"

namespace llmbatch::sim {

class Simulator::Server {
 public:
  Server(SimulatorSettings settings, RequestLog log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Status start();
  void stop();
  std::uint16_t port() const { return port_; }
  SimulatorStats stats() const { return responder_.stats(); }

 private:
  /// One request from its first header to its last byte; owned by the connection.
  struct Exchange;
  struct Waiting {
    SteadyTime due;
    SteadyTime
        deadline;  ///< of a hanging request; `due` is when to look whether the client is gone
    Exchange* exchange;
    bool operator<(const Waiting& other) const { return due > other.due; }
  };

  static MHD_Result on_access(void* self, MHD_Connection* connection, const char* url,
                              const char* method, const char* version, const char* upload,
                              std::size_t* upload_size, void** state);
  static void on_completed(void* self, MHD_Connection* connection, void** state,
                           MHD_RequestTerminationCode code);

  MHD_Daemon* open_daemon(std::uint16_t port);
  MHD_Result handle(Exchange& exchange);
  bool is_leaving();
  /// Puts the exchange to sleep; false when the server is going away.
  bool suspend(Exchange& exchange, SteadyTime now);
  void run_timer();
  void resume_due(SteadyTime now);
  void drop_waiting();
  void restart(std::unique_lock<std::mutex>& lock);

  const SimulatorSettings settings_;
  SystemClock clock_;
  Responder responder_;
  RequestLog log_;
  std::uint16_t port_ = 0;
  MHD_Daemon* daemon_ =
      nullptr;  ///< used by the timer thread while it runs, by the owner otherwise
  std::thread timer_;

  std::mutex mutex_;
  std::condition_variable wake_;
  // Guarded by mutex_.
  std::vector<Waiting> waiting_;  ///< a heap, soonest first
  bool stopping_ = false;
  bool going_down_ = false;
};

}  // namespace llmbatch::sim
