// Proxies from the environment, as curl reads them.
#include <gtest/gtest.h>

#include <cstdlib>

#include "llmbatch/net/curl_transport.h"
#include "support/raw_server.h"
#include "support/transport_loop.h"

namespace llmbatch::test {
namespace {

class CurlTransportProxy : public testing::Test {
 protected:
  void TearDown() override {
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("no_proxy");
  }

  HttpReply post(const std::string& url, std::vector<std::string> headers = {}) {
    TransportConfig config;
    config.headers = std::move(headers);
    apply_environment(config, [](const char* name) { return std::getenv(name); });
    auto transport = CurlTransport::create(config, clock_);
    if (!transport) return {};
    return call(**transport, clock_, url);
  }

  SystemClock clock_;
  RawServer proxy_{
      RawServer::Handler([](RawConnection& connection, const std::string& request, int) {
        if (request.starts_with("CONNECT")) {
          connection.send("HTTP/1.1 403 Forbidden\r\nX-Proxy: yes\r\nContent-Length: 0\r\n\r\n");
          return false;
        }
        connection.send(http_answer("by proxy"));
        return true;
      })};
};

TEST_F(CurlTransportProxy, PlainRequestsGoThroughTheProxy) {
  setenv("http_proxy", proxy_.url("").c_str(), 1);
  const HttpReply reply = post("http://api.invalid/v1/x");
  EXPECT_EQ(reply.body, "by proxy") << reply.error_message;
  EXPECT_TRUE(proxy_.last_request().starts_with("POST http://api.invalid/v1/x HTTP/1.1\r\n"));
}

TEST_F(CurlTransportProxy, ExceptedHostsAreCalledDirectly) {
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer("direct"));
    return true;
  })};
  setenv("http_proxy", proxy_.url("").c_str(), 1);
  setenv("no_proxy", "127.0.0.1", 1);
  EXPECT_EQ(post(server.url()).body, "direct");
  EXPECT_EQ(proxy_.connections(), 0);
}

TEST_F(CurlTransportProxy, LoopbackIsCalledDirectlyWhateverTheVariablesSay) {
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer("direct"));
    return true;
  })};
  setenv("http_proxy", proxy_.url("").c_str(), 1);
  EXPECT_EQ(post(server.url()).body, "direct");
  EXPECT_EQ(proxy_.connections(), 0);
}

TEST_F(CurlTransportProxy, RefusedTunnelIsAConnectErrorAndShowsNoKey) {
  setenv("https_proxy", proxy_.url("").c_str(), 1);
  const HttpReply reply = post("https://api.invalid/v1/x", {"Authorization: Bearer secret"});
  EXPECT_EQ(reply.error, TransportError::connect) << reply.error_message;
  EXPECT_EQ(reply.transmissions, 0U);
  EXPECT_EQ(reply.headers, "");
  EXPECT_TRUE(proxy_.last_request().starts_with("CONNECT api.invalid:443 "));
  EXPECT_EQ(proxy_.last_request().find("secret"), std::string::npos);
}

}  // namespace
}  // namespace llmbatch::test
