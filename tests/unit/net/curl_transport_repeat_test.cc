// A POST may cost money, so the transport never repeats one by itself: what the server counted is
// what the replies report.
#include <gtest/gtest.h>

#include "llmbatch/net/curl_transport.h"
#include "support/raw_server.h"
#include "support/transport_loop.h"

namespace llmbatch::test {
namespace {

class CurlTransportRepeat : public testing::Test {
 protected:
  void create() {
    auto created = CurlTransport::create({}, clock_);
    ASSERT_TRUE(created.has_value());
    transport_ = std::move(*created);
  }

  SystemClock clock_;
  std::unique_ptr<CurlTransport> transport_;
};

/// Answers the first request of each connection and hangs up after reading the second.
bool die_when_reused(RawConnection& connection, const std::string&, int number) {
  if (number % 2 == 1) return false;
  connection.send(http_answer("{}"));
  return true;
}

TEST_F(CurlTransportRepeat, ReusedConnectionThatDiesIsAResetSentOnce) {
  create();
  RawServer server{RawServer::Handler(&die_when_reused)};
  ASSERT_EQ(call(*transport_, clock_, server.url()).status, 200);
  const HttpReply second = call(*transport_, clock_, server.url());
  EXPECT_EQ(second.error, TransportError::reset);
  EXPECT_EQ(second.transmissions, 1U);
  EXPECT_EQ(second.status, 0);
  EXPECT_FALSE(second.error_message.empty());
  EXPECT_EQ(server.requests(), 2);
  EXPECT_EQ(server.connections(), 1) << "no connection is opened for a repetition";
}

TEST_F(CurlTransportRepeat, ReusedConnectionThatIsResetIsAResetSentOnce) {
  create();
  RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string&, int number) {
        if (number == 1) {
          connection.close_with_reset();
          return false;
        }
        connection.send(http_answer("{}"));
        return true;
      })};
  ASSERT_EQ(call(*transport_, clock_, server.url()).status, 200);
  const HttpReply second = call(*transport_, clock_, server.url());
  EXPECT_EQ(second.error, TransportError::reset);
  EXPECT_EQ(second.transmissions, 1U);
  EXPECT_EQ(server.requests(), 2);
  EXPECT_EQ(call(*transport_, clock_, server.url()).status, 200) << "the next call goes through";
}

TEST_F(CurlTransportRepeat, LargeBodyIsNotRepeatedEither) {
  create();
  RawServer server{RawServer::Handler(&die_when_reused)};
  const std::string body(1 << 20, 'x');
  ASSERT_EQ(call(*transport_, clock_, server.url(), body).status, 200);
  const HttpReply second = call(*transport_, clock_, server.url(), body);
  EXPECT_EQ(second.error, TransportError::reset);
  EXPECT_EQ(second.transmissions, 1U);
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(CurlTransportRepeat, EmptyBodyIsNotRepeatedEither) {
  create();
  RawServer server{RawServer::Handler(&die_when_reused)};
  ASSERT_EQ(call(*transport_, clock_, server.url(), "").status, 200);
  const HttpReply second = call(*transport_, clock_, server.url(), "");
  EXPECT_EQ(second.error, TransportError::reset);
  EXPECT_EQ(second.transmissions, 1U);
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(CurlTransportRepeat, IdleConnectionsAreNotUsedForARepetition) {
  create();
  RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string&, int number) {
        if (number == 4) return false;
        connection.send(http_answer("{}"));
        return true;
      })};
  for (CallId id = 0; id < 4; ++id) {
    ASSERT_TRUE(transport_->start(id, server.url(), "{}").has_value());
  }
  ASSERT_EQ(complete(*transport_, clock_, 4).size(), 4U);
  const HttpReply fifth = call(*transport_, clock_, server.url());
  EXPECT_EQ(fifth.error, TransportError::reset);
  EXPECT_EQ(fifth.transmissions, 1U);
  EXPECT_EQ(server.requests(), 5);
}

TEST_F(CurlTransportRepeat, ServerAndRepliesCountTheSameRequests) {
  create();
  // Every third request is read and not answered, whether its connection is new or reused.
  RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string&, int number) {
        if (number % 3 == 2) return false;
        connection.send(http_answer("{}"));
        return true;
      })};
  constexpr int kRounds = 20;
  constexpr std::size_t kCalls = 8;
  int transmissions = 0;
  int resets = 0;
  for (int round = 0; round < kRounds; ++round) {
    for (CallId id = 0; id < kCalls; ++id) {
      ASSERT_TRUE(transport_->start(id, server.url(), "{}").has_value());
    }
    const auto completions = complete(*transport_, clock_, kCalls);
    ASSERT_EQ(completions.size(), kCalls);
    for (const auto& completion : completions) {
      transmissions += static_cast<int>(completion.reply.transmissions);
      if (completion.reply.error == TransportError::reset) ++resets;
    }
  }
  EXPECT_EQ(transmissions, kRounds * static_cast<int>(kCalls));
  EXPECT_EQ(server.requests(), transmissions);
  EXPECT_EQ(resets, server.requests() / 3);
}

TEST_F(CurlTransportRepeat, ConnectionClosedWhileIdleIsReplacedWithoutAFailure) {
  create();
  RawServer server{RawServer::Script([](RawConnection& connection, int) {
    connection.read_request();
    connection.send(http_answer("{}"));
  })};
  ASSERT_EQ(call(*transport_, clock_, server.url()).status, 200);
  // The transport hears of the closed connection while it waits, and must not spin on it.
  std::vector<TransportCompletion> none;
  do transport_->wait(clock_.now() + std::chrono::milliseconds(5), none);
  while (server.closed() == 0);
  const HttpReply second = call(*transport_, clock_, server.url());
  EXPECT_EQ(second.error, TransportError::none) << second.error_message;
  EXPECT_EQ(second.transmissions, 1U);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlTransportRepeat, NothingWasSentWhenNobodyListens) {
  create();
  std::string url;
  {
    const RawServer gone{RawServer::Script([](RawConnection&, int) {})};
    url = gone.url();
  }
  const HttpReply reply = call(*transport_, clock_, url);
  EXPECT_EQ(reply.error, TransportError::connect);
  EXPECT_EQ(reply.transmissions, 0U);
  EXPECT_EQ(reply.status, 0);
}

}  // namespace
}  // namespace llmbatch::test
