// CurlTransport: the Transport over libcurl's multi interface (curl_multi_socket_action and epoll).
// Keep-alive, TLS always verified, redirects never followed. libcurl's own repetition of a POST
// whose reused connection died is prevented: such a call completes as `reset` with
// transmissions == 1, and the engine decides. The same goes for a stream that an HTTP/2 server
// refused. `transmissions` is 0 when nothing was sent at all.
//
// Calls go out in the wait() that follows start(). `clock` has to tell the system's time, and
// SIGPIPE has to be ignored (SignalInterrupts::block_signals), as TLS libraries write to sockets.
//
// Reported as TransportError: connect also when the connect timeout passed before anything was
// sent; reset also when the answer ended inside its headers or before its Content-Length, with
// whatever came; the status is kept where a status line was read.
//
// Thread rule: one loop thread owns it; only wake() may be called from other threads.
#pragma once

#include <memory>

#include "llmbatch/net/transport_config.h"
#include "llmbatch/port/transport.h"

namespace llmbatch {

class CurlTransport final : public Transport {
 public:
  /// `clock` outlives the transport. Fails on unusable CA files and headers (usage error) and when
  /// the system has no descriptors.
  static Result<std::unique_ptr<CurlTransport>> create(TransportConfig config, const Clock& clock);
  ~CurlTransport() override;

  Status start(CallId id, std::string_view url, std::string_view body) override;
  void wait(SteadyTime deadline, std::vector<TransportCompletion>& completions) override;
  void wake() override;
  void watch(int fd) override;
  void abort_all() override;
  std::size_t in_flight() const override;

 private:
  class Loop;
  explicit CurlTransport(std::unique_ptr<Loop> loop);

  std::unique_ptr<Loop> loop_;
};

}  // namespace llmbatch
