// CurlTransport against a server that answers well, oddly and wrongly.
#include "llmbatch/net/curl_transport.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <thread>

#include "llmbatch/base/fd.h"
#include "support/raw_server.h"
#include "support/transport_loop.h"

namespace llmbatch::test {
namespace {

/// `{"text":"aaaa..."}` with 1,000 letters, compressed by gzip.
constexpr std::array<unsigned char, 39> kGzipBody = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0xff, 0xab, 0x56, 0x2a,
    0x49, 0xad, 0x28, 0x51, 0xb2, 0x52, 0x4a, 0x1c, 0x05, 0xa3, 0x60, 0x14, 0x0c,
    0x7b, 0xa0, 0x54, 0x0b, 0x00, 0x98, 0xba, 0x8c, 0x72, 0xf3, 0x03, 0x00, 0x00};

std::string gzip_body() { return {kGzipBody.begin(), kGzipBody.end()}; }

class CurlTransportTest : public testing::Test {
 protected:
  CurlTransport& transport() {
    if (!transport_) transport_ = std::move(*CurlTransport::create(config_, clock_));
    return *transport_;
  }

  HttpReply post(const RawServer& server) { return call(transport(), clock_, server.url()); }

  /// A server that answers each connection's first request with `bytes` and closes.
  static RawServer::Script closing_after(std::string bytes) {
    return [bytes = std::move(bytes)](RawConnection& connection, int) {
      connection.read_request();
      connection.send(bytes);
    };
  }

  static RawServer::Handler keeping_alive_after(std::string bytes) {
    return [bytes = std::move(bytes)](RawConnection& connection, const std::string&, int) {
      connection.send(bytes);
      return true;
    };
  }

  SystemClock clock_;
  TransportConfig config_;
  std::unique_ptr<CurlTransport> transport_;
};

TEST_F(CurlTransportTest, RequestIsAPlainJsonPost) {
  config_.headers = {"Authorization: Bearer k", "X-Custom: 1"};
  config_.user_agent = "llmbatch/9.9";
  const RawServer server{keeping_alive_after(http_answer("{}"))};
  ASSERT_EQ(call(transport(), clock_, server.url("/v1/x?a=b"), R"({"a":1})").status, 200);
  const std::string request = server.last_request();
  EXPECT_TRUE(request.starts_with("POST /v1/x?a=b HTTP/1.1\r\n")) << request;
  EXPECT_TRUE(request.ends_with("\r\n\r\n{\"a\":1}")) << request;
  EXPECT_NE(request.find("Content-Type: application/json\r\n"), std::string::npos);
  EXPECT_NE(request.find("Authorization: Bearer k\r\n"), std::string::npos);
  EXPECT_NE(request.find("X-Custom: 1\r\n"), std::string::npos);
  EXPECT_NE(request.find("User-Agent: llmbatch/9.9\r\n"), std::string::npos);
  EXPECT_NE(request.find("gzip"), std::string::npos);
  EXPECT_EQ(request.find("Expect:"), std::string::npos);
}

TEST_F(CurlTransportTest, GivenHeadersReplaceTheStandardOnes) {
  config_.headers = {"content-type: application/x-custom"};
  const RawServer server{keeping_alive_after(http_answer("{}"))};
  ASSERT_EQ(post(server).status, 200);
  EXPECT_NE(server.last_request().find("application/x-custom"), std::string::npos);
  EXPECT_EQ(server.last_request().find("application/json\r\nContent"), std::string::npos);
}

TEST_F(CurlTransportTest, LargeBodyArrivesWholeAndAtOnce) {
  const RawServer server{keeping_alive_after(http_answer("{}"))};
  const std::string body(3 << 20, 'y');
  const HttpReply reply = call(transport(), clock_, server.url(), body);
  EXPECT_EQ(reply.status, 200) << reply.error_message;
  EXPECT_TRUE(server.last_request().ends_with("\r\n\r\n" + body));
  EXPECT_EQ(server.last_request().find("Expect:"), std::string::npos) << "it would wait a second";
}

TEST_F(CurlTransportTest, ConnectionIsReused) {
  const RawServer server{keeping_alive_after(http_answer("{}"))};
  for (int i = 0; i < 5; ++i) ASSERT_EQ(post(server).status, 200);
  EXPECT_EQ(server.requests(), 5);
  EXPECT_EQ(server.connections(), 1);
}

TEST_F(CurlTransportTest, ConcurrentConnectionsAreAllKept) {
  config_.max_concurrency = 30;
  const RawServer server{keeping_alive_after(http_answer("{}"))};
  for (int round = 0; round < 3; ++round) {
    for (CallId id = 0; id < 30; ++id) {
      ASSERT_TRUE(transport().start(id, server.url(), "{}").has_value());
    }
    ASSERT_EQ(complete(transport(), clock_, 30).size(), 30U);
  }
  EXPECT_EQ(server.requests(), 90);
  EXPECT_EQ(server.connections(), 30);
}

TEST_F(CurlTransportTest, HeadersOfTheFinalAnswerAreKeptRaw) {
  const RawServer server{keeping_alive_after(
      "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\n" +
      http_answer("{}", "x-request-id: req_1\r\nX-RateLimit-Remaining:  7 \r\n"))};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers,
            "Content-Type: application/json\r\nx-request-id: req_1\r\n"
            "X-RateLimit-Remaining:  7 \r\nContent-Length: 2\r\n");
  EXPECT_EQ(find_header(reply.headers, "x-ratelimit-remaining"), "7");
}

TEST_F(CurlTransportTest, ChunkedAnswerIsJoined) {
  const RawServer server{
      keeping_alive_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n")};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::none) << reply.error_message;
  EXPECT_EQ(reply.body, "hello world");
}

TEST_F(CurlTransportTest, AnswerInDripsIsJoined) {
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    for (const char byte : http_answer("slow body")) {
      connection.send(std::string_view(&byte, 1));
      std::this_thread::yield();
    }
    return true;
  })};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "slow body");
}

TEST_F(CurlTransportTest, EmptyAnswerIsAnAnswer) {
  const RawServer server{keeping_alive_after(http_answer(""))};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::none);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
}

TEST_F(CurlTransportTest, CutBodyIsAResetWithWhatCame) {
  const RawServer server{closing_after("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":")};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::reset);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "{\"half\":");
  EXPECT_EQ(reply.transmissions, 1U);
}

TEST_F(CurlTransportTest, CutChunkedBodyIsAReset) {
  const RawServer server{
      closing_after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::reset);
  EXPECT_EQ(reply.body, "hello");
}

TEST_F(CurlTransportTest, AnswerCutInsideItsHeadersIsAReset) {
  for (const char* bytes : {"HTTP/1.1 200 OK\r\nContent-Type: appl", "HTTP/1.1 200 OK\r\n",
                            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", "HTTP/1.1 2",
                            "HT", "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n"}) {
    const RawServer server{closing_after(bytes)};
    const HttpReply reply = post(server);
    EXPECT_EQ(reply.error, TransportError::reset) << bytes;
    EXPECT_FALSE(reply.error_message.empty()) << bytes;
  }
}

TEST_F(CurlTransportTest, CutHeadersOfAReusedConnectionDoNotTakeTheOldStatus) {
  const RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string&, int number) {
        connection.send(number == 0 ? http_answer("{}") : std::string("HTTP/1.1 2"));
        return number == 0;
      })};
  ASSERT_EQ(post(server).status, 200);
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::reset);
  EXPECT_NE(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(reply.headers, "");
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(CurlTransportTest, CloseDelimitedBodyIsTakenAsItIs) {
  const RawServer server{closing_after("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"a\":")};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::none);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "{\"a\":");
}

TEST_F(CurlTransportTest, GarbageIsAProtocolError) {
  const RawServer server{closing_after("\x16\x03\x01 this is not HTTP at all\r\n\r\n")};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::protocol);
  EXPECT_EQ(reply.status, 0);
}

TEST_F(CurlTransportTest, CompressedAnswerIsDecoded) {
  const RawServer server{
      keeping_alive_after(http_answer(gzip_body(), "Content-Encoding: gzip\r\n"))};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::none) << reply.error_message;
  EXPECT_EQ(reply.body, "{\"text\":\"" + std::string(1000, 'a') + "\"}");
}

TEST_F(CurlTransportTest, CapCountsDecodedBytes) {
  config_.max_response_bytes = 500;
  const RawServer server{
      keeping_alive_after(http_answer(gzip_body(), "Content-Encoding: gzip\r\n"))};
  ASSERT_LT(gzip_body().size(), 500U);
  EXPECT_EQ(post(server).error, TransportError::too_large);
}

TEST_F(CurlTransportTest, BrokenGzipIsAProtocolError) {
  const RawServer server{
      keeping_alive_after(http_answer("not gzip at all", "Content-Encoding: gzip\r\n"))};
  EXPECT_EQ(post(server).error, TransportError::protocol);
}

TEST_F(CurlTransportTest, BodyOfExactlyTheCapIsAccepted) {
  config_.max_response_bytes = 1000;
  const RawServer server{keeping_alive_after(http_answer(std::string(1000, 'z')))};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::none);
  EXPECT_EQ(reply.body.size(), 1000U);
}

TEST_F(CurlTransportTest, BodyOverTheCapIsTooLargeAndTheNextCallWorks) {
  config_.max_response_bytes = 1000;
  const RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string&, int number) {
        connection.send(http_answer(std::string(number == 0 ? 1001 : 10, 'z')));
        return true;
      })};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::too_large);
  EXPECT_EQ(reply.error_message, "the answer is larger than 1000 bytes");
  EXPECT_EQ(reply.status, 200);
  EXPECT_LE(reply.body.size(), 1000U);
  EXPECT_EQ(post(server).error, TransportError::none);
}

TEST_F(CurlTransportTest, EndlessAnswerStopsAtTheCap) {
  config_.max_response_bytes = 100'000;
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
    for (int i = 0; i < 1000; ++i) connection.send(std::string(10'000, 'z'));
    return false;
  })};
  EXPECT_EQ(post(server).error, TransportError::too_large);
}

TEST_F(CurlTransportTest, EndlessHeadersAreTooLarge) {
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send("HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 1000; ++i) connection.send("X-A: " + std::string(1000, 'z') + "\r\n");
    return false;
  })};
  EXPECT_EQ(post(server).error, TransportError::too_large);
}

TEST_F(CurlTransportTest, RedirectIsAStatusAndIsNotFollowed) {
  const RawServer other{keeping_alive_after(http_answer("stolen"))};
  const RawServer server{keeping_alive_after(
      http_answer("moved", "Location: " + other.url() + "\r\n", "307 Temporary Redirect"))};
  config_.headers = {"Authorization: Bearer secret"};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::none);
  EXPECT_EQ(reply.status, 307);
  EXPECT_EQ(reply.body, "moved");
  EXPECT_EQ(other.connections(), 0);
}

TEST_F(CurlTransportTest, SilenceEndsWithATimeout) {
  config_.total_timeout = std::chrono::milliseconds(60);
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.wait_for_close();
    return false;
  })};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::timeout);
  EXPECT_EQ(reply.transmissions, 1U);
  EXPECT_GE(reply.latency, std::chrono::milliseconds(59));
  EXPECT_LT(reply.latency, std::chrono::seconds(5));
}

TEST_F(CurlTransportTest, TimeoutInsideTheBodyKeepsWhatCame) {
  config_.total_timeout = std::chrono::milliseconds(60);
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome");
    connection.wait_for_close();
    return false;
  })};
  const HttpReply reply = post(server);
  EXPECT_EQ(reply.error, TransportError::timeout);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "some");
}

TEST_F(CurlTransportTest, LatencyAndFirstByteAreTold) {
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.pause(std::chrono::milliseconds(40));
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{");
    connection.pause(std::chrono::milliseconds(40));
    connection.send("}");
    return true;
  })};
  const WallTime before = clock_.wall_now();
  const HttpReply reply = post(server);
  EXPECT_GE(reply.started_at, before);
  EXPECT_GE(reply.time_to_first_byte, std::chrono::milliseconds(39));
  EXPECT_GE(reply.latency, std::chrono::milliseconds(79));
  EXPECT_LT(reply.time_to_first_byte, reply.latency);
}

TEST_F(CurlTransportTest, UnknownHostIsAResolveError) {
  const HttpReply reply = call(transport(), clock_, "http://does-not-exist.invalid/v1");
  EXPECT_EQ(reply.error, TransportError::resolve) << reply.error_message;
  EXPECT_EQ(reply.transmissions, 0U);
}

TEST_F(CurlTransportTest, NameLookupsAndConnectionsDoNotDisturbEachOther) {
  // Lookups bring descriptors that libcurl opens and closes by itself; their numbers come back as
  // those of connections and of later lookups.
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.pause(std::chrono::milliseconds(10));
    connection.send(http_answer("{}", "Connection: close\r\n"));
    return false;
  })};
  config_.total_timeout = std::chrono::seconds(5);
  int failed = 0;
  int answered = 0;
  for (CallId round = 0; round < 3; ++round) {
    for (CallId id = 0; id < 6; ++id) {
      const std::string host = "n" + std::to_string(round * 6 + id) + ".invalid";
      ASSERT_TRUE(transport().start(id, "http://" + host + "/", "{}").has_value());
    }
    for (const auto& completion : complete(transport(), clock_, 6)) {
      if (completion.reply.error != TransportError::none) ++failed;
    }
    for (CallId id = 0; id < 6; ++id) {
      ASSERT_TRUE(transport().start(id, server.url(), "{}").has_value());
    }
    for (const auto& completion : complete(transport(), clock_, 6)) {
      if (completion.reply.status == 200) ++answered;
    }
  }
  EXPECT_EQ(failed, 18);
  EXPECT_EQ(answered, 18);
}

TEST_F(CurlTransportTest, OutOfDescriptorsIsAConnectErrorThatSaysSo) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the undefined-behaviour sanitizer opens a pipe to check a virtual call";
#endif
  const RawServer server{keeping_alive_after(http_answer("{}"))};
  transport();
  std::vector<UniqueFd> hoard;
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit lowered{.rlim_cur = 64, .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &lowered), 0);
  do hoard.emplace_back(open("/dev/null", O_RDONLY | O_CLOEXEC));
  while (hoard.back().valid());
  const HttpReply reply = post(server);
  hoard.clear();
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(reply.error, TransportError::connect);
  EXPECT_EQ(reply.error_message, "no socket: too many open files");
  EXPECT_EQ(reply.transmissions, 0U);
}

TEST_F(CurlTransportTest, MalformedUrlIsRefusedAtTheStart) {
  for (const char* url : {"", "http://", "ftp://host/x", "http://[::1", "not a url"}) {
    EXPECT_FALSE(transport().start(1, url, "{}").has_value()) << url;
  }
  EXPECT_EQ(transport().in_flight(), 0U);
}

TEST_F(CurlTransportTest, ManyUrlsAreServedByOneTransport) {
  const RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string& request, int) {
        connection.send(http_answer(request.substr(0, request.find(" HTTP"))));
        return true;
      })};
  for (int i = 0; i < 150; ++i) {
    const std::string path = "/" + std::to_string(i);
    ASSERT_EQ(call(transport(), clock_, server.url(path)).body, "POST " + path);
  }
}

TEST_F(CurlTransportTest, HeaderWithALineBreakIsAConfigurationErrorThatHidesItsValue) {
  config_.headers = {"Authorization: Bearer secret\r\nX: y"};
  const auto created = CurlTransport::create(config_, clock_);
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().kind, ErrorKind::usage);
  EXPECT_EQ(created.error().message.find("secret"), std::string::npos);
  EXPECT_NE(created.error().message.find("Authorization"), std::string::npos);
}

TEST_F(CurlTransportTest, MissingCertificateFileIsAConfigurationError) {
  config_.ca_file = "/nowhere/ca.pem";
  const auto created = CurlTransport::create(config_, clock_);
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().kind, ErrorKind::usage);
  EXPECT_NE(created.error().message.find("/nowhere/ca.pem"), std::string::npos);
}

TEST_F(CurlTransportTest, WakeFromAnotherThreadEndsWait) {
  CurlTransport& waiting = transport();
  std::vector<TransportCompletion> completions;
  const SteadyTime begin = clock_.now();
  std::thread waker([&] { waiting.wake(); });
  waiting.wait(begin + std::chrono::seconds(20), completions);
  waker.join();
  EXPECT_LT(clock_.now() - begin, std::chrono::seconds(10));
}

TEST_F(CurlTransportTest, WaitMeetsItsDeadlineWithinAMillisecond) {
  std::vector<TransportCompletion> completions;
  constexpr Duration kPrecise = std::chrono::microseconds(700);
  Duration best = std::chrono::hours(1);
  // A poll of whole milliseconds is never as precise; a busy machine is late often, not always.
  for (int i = 0; i < 300 && best >= kPrecise; ++i) {
    const SteadyTime deadline = clock_.now() + std::chrono::microseconds(2300);
    transport().wait(deadline, completions);
    const Duration late = clock_.now() - deadline;
    EXPECT_GE(late, Duration::zero());
    best = std::min(best, late);
  }
  EXPECT_LT(best, kPrecise);
}

TEST_F(CurlTransportTest, TransportMayEndWithCallsInFlight) {
  const RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.wait_for_close();
    return false;
  })};
  for (CallId id = 0; id < 3; ++id) {
    ASSERT_TRUE(transport().start(id, server.url(), "{}").has_value());
  }
  std::vector<TransportCompletion> completions;
  transport().wait(clock_.now() + std::chrono::milliseconds(20), completions);
  transport_.reset();
  EXPECT_TRUE(completions.empty());
}

}  // namespace
}  // namespace llmbatch::test
