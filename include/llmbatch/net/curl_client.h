// CurlClient: the HttpClient over libcurl's easy interface. TLS is always verified; a stalled
// transfer ends after five minutes without a byte, a whole one has no limit of time.
// Thread rule: one thread.
#pragma once

#include <memory>

#include "llmbatch/base/result.h"
#include "llmbatch/net/transport_config.h"
#include "llmbatch/port/http_client.h"
#include "llmbatch/port/interrupts.h"

namespace llmbatch {

class CurlClient final : public HttpClient {
 public:
  /// `config.headers` go with every request to the origin that it names, and nowhere else.
  /// `interrupts` and `clock` outlive the client. Fails on headers that libcurl does not take.
  static Result<std::unique_ptr<CurlClient>> create(TransportConfig config, const Clock& clock,
                                                    const Interrupts& interrupts);
  ~CurlClient() override;

  HttpReply send(const ApiRequest& request, const Watch& watch) override;
  HttpReply download(const ApiRequest& request, const std::string& path,
                     const Watch& watch) override;
  void wait_until(SteadyTime deadline) override;

 private:
  class Transfer;
  CurlClient(TransportConfig config, const Clock& clock, const Interrupts& interrupts);
  HttpReply follow(const ApiRequest& request, const std::string* path, const Watch& watch);

  TransportConfig config_;
  const Clock& clock_;
  const Interrupts& interrupts_;
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace llmbatch
