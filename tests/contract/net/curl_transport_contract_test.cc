// CurlTransport keeps the promises of every Transport.
#include "contract/transport_contract.h"
#include "llmbatch/net/curl_transport.h"
#include "support/raw_server.h"

namespace llmbatch::test {
namespace {

class CurlWorld final : public TransportWorld {
 public:
  CurlWorld()
      : server_(RawServer::Handler(&CurlWorld::answer)),
        transport_(std::move(*CurlTransport::create({}, clock_))) {}

  Transport& transport() override { return *transport_; }
  SteadyTime now() override { return clock_.now(); }
  int requests_seen() override { return server_.requests(); }
  std::string url(Answer answer) override {
    return server_.url("/" + std::to_string(static_cast<int>(answer)));
  }

 private:
  static bool answer(RawConnection& connection, const std::string& request, int) {
    switch (static_cast<Answer>(request[request.find('/') + 1] - '0')) {
      case Answer::echo:
        connection.send(
            http_answer(request.substr(request.find("\r\n\r\n") + 4), "X-Request-Id: r-1\r\n"));
        return true;
      case Answer::server_error:
        connection.send(http_answer("busy", "", "503 Service Unavailable"));
        return true;
      case Answer::hang_up:
        return false;
      case Answer::never:
        connection.wait_for_close();
        return false;
    }
    return false;
  }

  SystemClock clock_;
  RawServer server_;
  std::unique_ptr<CurlTransport> transport_;
};

std::unique_ptr<TransportWorld> make_curl_world() { return std::make_unique<CurlWorld>(); }

INSTANTIATE_TEST_SUITE_P(Curl, TransportContract, testing::Values(&make_curl_world));

}  // namespace
}  // namespace llmbatch::test
