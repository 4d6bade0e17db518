// One request at a time, of any size, against a scripted server: what is sent, what is stored, and
// what is never sent twice or to the wrong place.
#include "llmbatch/net/curl_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "support/raw_server.h"

namespace llmbatch::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// Signals come through a pipe.
class PipeInterrupts final : public Interrupts {
 public:
  PipeInterrupts() {
    if (pipe(ends_.data()) != 0) std::abort();
  }
  ~PipeInterrupts() override {
    close(ends_[0]);
    close(ends_[1]);
  }
  PipeInterrupts(const PipeInterrupts&) = delete;
  PipeInterrupts& operator=(const PipeInterrupts&) = delete;
  InterruptState poll() override { return {}; }
  int fd() const override { return ends_[0]; }
  void signal() const { ASSERT_EQ(write(ends_[1], "x", 1), 1); }

 private:
  std::array<int, 2> ends_{};
};

class CurlClientTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "llmbatch-client-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    TransportConfig config;
    config.headers = {"Authorization: Bearer sk-secret"};
    config.user_agent = "llmbatch/test";
    auto created = CurlClient::create(config, clock_, interrupts_);
    ASSERT_TRUE(created.has_value()) << created.error().message;
    client_ = std::move(*created);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::string file(const std::string& name, const std::string& bytes) const {
    std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }
  static std::string read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  static ApiRequest get(const std::string& url) {
    ApiRequest request;
    request.url = url;
    return request;
  }
  static ApiRequest post(const std::string& url, const std::string& body = "{}") {
    ApiRequest request;
    request.method = HttpMethod::post;
    request.url = url;
    request.body = body;
    return request;
  }
  HttpReply send(const ApiRequest& request) { return client_->send(request, {}); }
  HttpReply download(const std::string& url) { return client_->download(get(url), path(), {}); }
  std::string path() const { return directory_ + "/result"; }

  SystemClock clock_;
  PipeInterrupts interrupts_;
  std::unique_ptr<CurlClient> client_;
  std::string directory_;
};

bool answer_ok(RawConnection& connection, const std::string&, int) {
  connection.send(http_answer("{}"));
  return true;
}

/// Answers the first request of each connection and hangs up after reading the second.
bool die_when_reused(RawConnection& connection, const std::string&, int number) {
  if (number % 2 == 1) return false;
  connection.send(http_answer("{}"));
  return true;
}

std::string redirect_to(const std::string& url, std::string_view status = "302 Found") {
  return http_answer("moved", "Location: " + url + "\r\n", status);
}

std::string head_of(const std::string& request) {
  return request.substr(0, request.find("\r\n\r\n"));
}
std::string body_of(const std::string& request) {
  return request.substr(request.find("\r\n\r\n") + 4);
}

TEST_F(CurlClientTest, ABodyOfThreePartsArrivesWhole) {
  RawServer server{RawServer::Handler(&answer_ok)};
  std::string middle;
  for (int i = 0; i < 300'000; ++i) middle += std::to_string(i % 10);
  middle += std::string(1, '\0') + "\r\n";
  ApiRequest request = post(server.url("/v1/files"), "--b\r\n\r\n");
  request.body_file = file("requests", middle);
  request.body_end = "\r\n--b--";
  request.headers = {"Content-Type: multipart/form-data; boundary=b", "X-Own: 1"};
  const HttpReply reply = send(request);
  EXPECT_EQ(reply.error, TransportError::none) << reply.error_message;
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.transmissions, 1U);
  const std::string sent = server.last_request();
  EXPECT_EQ(body_of(sent), "--b\r\n\r\n" + middle + "\r\n--b--");
  const std::string head = head_of(sent);
  EXPECT_THAT(head, testing::StartsWith("POST /v1/files HTTP/1.1\r\n"));
  EXPECT_THAT(head, HasSubstr("Authorization: Bearer sk-secret"));
  EXPECT_THAT(head, HasSubstr("User-Agent: llmbatch/test"));
  EXPECT_THAT(head, HasSubstr("X-Own: 1"));
  EXPECT_THAT(head, HasSubstr("Content-Type: multipart/form-data; boundary=b"));
  EXPECT_THAT(head, Not(HasSubstr("application/json")));
  EXPECT_THAT(head, Not(HasSubstr("Expect:")));
}

TEST_F(CurlClientTest, APostIsJsonAndMayBeEmpty) {
  RawServer server{RawServer::Handler(&answer_ok)};
  EXPECT_EQ(send(post(server.url(), "")).status, 200);
  EXPECT_THAT(server.last_request(), HasSubstr("Content-Length: 0\r\n"));
  EXPECT_THAT(server.last_request(), HasSubstr("Content-Type: application/json\r\n"));
}

TEST_F(CurlClientTest, MethodsAreThoseOfTheRequest) {
  RawServer server{RawServer::Handler(&answer_ok)};
  ApiRequest request = get(server.url("/x"));
  request.method = HttpMethod::remove;
  EXPECT_EQ(send(request).status, 200);
  EXPECT_THAT(server.last_request(), testing::StartsWith("DELETE /x HTTP/1.1\r\n"));
  // Nothing of it stays with the connection's handle.
  EXPECT_EQ(send(get(server.url("/y"))).status, 200);
  EXPECT_THAT(server.last_request(), testing::StartsWith("GET /y HTTP/1.1\r\n"));
}

TEST_F(CurlClientTest, ABodyFileThatCannotBeReadIsNotSent) {
  RawServer server{RawServer::Handler(&answer_ok)};
  ApiRequest request = post(server.url());
  request.body_file = directory_ + "/missing";
  const HttpReply reply = send(request);
  EXPECT_EQ(reply.error, TransportError::aborted);
  EXPECT_THAT(reply.error_message, HasSubstr(request.body_file));
  EXPECT_EQ(reply.transmissions, 0U);
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlClientTest, LargeAnswersComeWholeAndErrorsKeepTheirBody) {
  const std::string large(5 << 20, 'x');
  RawServer server{
      RawServer::Handler([&](RawConnection& connection, const std::string&, int number) {
        connection.send(number == 0 ? http_answer(large, "X-Id: 7\r\n")
                                    : http_answer("why", "", "500 Internal Server Error"));
        return true;
      })};
  const HttpReply reply = send(get(server.url()));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, large);
  EXPECT_EQ(find_header(reply.headers, "X-Id"), "7");
  const HttpReply error = send(get(server.url()));
  EXPECT_EQ(error.error, TransportError::none);
  EXPECT_EQ(error.status, 500);
  EXPECT_EQ(error.body, "why");
}

TEST_F(CurlClientTest, AnAnswerThatFillsTheMemoryIsCutOff) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer(std::string((64 << 20) + 1, 'x')));
    return true;
  })};
  EXPECT_EQ(send(get(server.url())).error, TransportError::too_large);
}

TEST_F(CurlClientTest, AnAnswerThatEndsInsideItsHeadersIsNone) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n");
    return false;
  })};
  EXPECT_EQ(send(get(server.url())).error, TransportError::reset);
  const std::string before = "what was there";
  std::ofstream(path()) << before;
  EXPECT_EQ(download(server.url()).error, TransportError::reset);
  EXPECT_EQ(read(path()), before);
}

TEST_F(CurlClientTest, ADownloadGoesIntoItsFileAndNowhereElse) {
  const std::string large(3 << 20, 'r');
  RawServer server{RawServer::Handler([&](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer(large));
    return true;
  })};
  std::int64_t received = 0;
  const HttpReply reply =
      client_->download(get(server.url()), path(), [&](const TransferProgress& progress) {
        received = progress.received_bytes;
        return true;
      });
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "");
  EXPECT_EQ(read(path()), large);
  EXPECT_EQ(received, std::int64_t{3} << 20);
  EXPECT_THAT(server.last_request(), Not(HasSubstr("Range:")));
  EXPECT_THAT(server.last_request(), Not(HasSubstr("Accept-Encoding")));
  EXPECT_EQ(std::filesystem::status(path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(CurlClientTest, AnEmptyResultIsAnEmptyFile) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer(""));
    return true;
  })};
  EXPECT_EQ(download(server.url()).error, TransportError::none);
  EXPECT_TRUE(std::filesystem::exists(path()));
  EXPECT_EQ(read(path()), "");
}

TEST_F(CurlClientTest, ACutDownloadGoesOnWhereItEnded) {
  RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string&, int number) {
        if (number == 0) {
          connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
          return false;
        }
        connection.send(
            http_answer("456789", "Content-Range: bytes 4-9/10\r\n", "206 Partial Content"));
        return true;
      })};
  EXPECT_EQ(download(server.url()).error, TransportError::reset);
  EXPECT_EQ(read(path()), "0123");
  const HttpReply rest = download(server.url());
  EXPECT_EQ(rest.error, TransportError::none) << rest.error_message;
  EXPECT_EQ(rest.status, 206);
  EXPECT_THAT(server.last_request(), HasSubstr("Range: bytes=4-\r\n"));
  EXPECT_EQ(read(path()), "0123456789");
}

TEST_F(CurlClientTest, AServerThatSendsTheWholeReplacesThePart) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer("new"));
    return true;
  })};
  std::ofstream(path()) << "an old part that is longer";
  EXPECT_EQ(download(server.url()).status, 200);
  EXPECT_EQ(read(path()), "new");
}

TEST_F(CurlClientTest, WithNothingBehindThePartTheFileStays) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(
        http_answer("nothing there", "Content-Range: bytes */4\r\n", "416 Range Not Satisfiable"));
    return true;
  })};
  std::ofstream(path()) << "0123";
  const HttpReply reply = download(server.url());
  EXPECT_EQ(reply.error, TransportError::none);
  EXPECT_EQ(reply.status, 416);
  EXPECT_EQ(reply.body, "nothing there");
  EXPECT_EQ(read(path()), "0123");
}

TEST_F(CurlClientTest, AnotherPartThanAskedForIsNotTaken) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer("89", "Content-Range: bytes 8-9/10\r\n", "206 Partial Content"));
    return true;
  })};
  std::ofstream(path()) << "0123";
  const HttpReply reply = download(server.url());
  EXPECT_EQ(reply.error, TransportError::protocol);
  EXPECT_THAT(reply.error_message, HasSubstr("another part"));
  EXPECT_EQ(read(path()), "0123");
}

TEST_F(CurlClientTest, AnErrorDoesNotTouchTheFile) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer("gone", "", "404 Not Found"));
    return true;
  })};
  std::ofstream(path()) << "0123";
  const HttpReply reply = download(server.url());
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body, "gone");
  EXPECT_EQ(read(path()), "0123");
}

TEST_F(CurlClientTest, AFileThatCannotBeWrittenIsNoFaultOfTheNetwork) {
  RawServer server{RawServer::Handler(&answer_ok)};
  const HttpReply reply = client_->download(get(server.url()), directory_ + "/no/result", {});
  EXPECT_EQ(reply.error, TransportError::aborted);
  EXPECT_THAT(reply.error_message, HasSubstr("/no/result: no such file"));
  EXPECT_EQ(server.connections(), 0);
}

TEST_F(CurlClientTest, RedirectsWithinTheOriginKeepTheKey) {
  RawServer server{
      RawServer::Handler([](RawConnection& connection, const std::string&, int number) {
        connection.send(number == 0 ? redirect_to("/elsewhere") : http_answer("here"));
        return true;
      })};
  const HttpReply reply = send(get(server.url("/first")));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "here");
  EXPECT_THAT(server.last_request(), testing::StartsWith("GET /elsewhere "));
  EXPECT_THAT(server.last_request(), HasSubstr("sk-secret"));
}

TEST_F(CurlClientTest, AnotherOriginDoesNotGetTheKey) {
  RawServer storage{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer("results"));
    return true;
  })};
  RawServer api{RawServer::Handler([&](RawConnection& connection, const std::string&, int) {
    connection.send(redirect_to(storage.url("/signed?x=1")));
    return true;
  })};
  EXPECT_EQ(download(api.url()).status, 200);
  EXPECT_EQ(read(path()), "results");
  EXPECT_THAT(api.last_request(), HasSubstr("sk-secret"));
  EXPECT_THAT(storage.last_request(), testing::StartsWith("GET /signed?x=1 "));
  EXPECT_THAT(storage.last_request(), Not(HasSubstr("sk-secret")));
}

TEST_F(CurlClientTest, ACutDownloadGoesOnBehindARedirect) {
  RawServer storage{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(http_answer("45", "Content-Range: bytes 4-5/6\r\n", "206 Partial Content"));
    return true;
  })};
  RawServer api{RawServer::Handler([&](RawConnection& connection, const std::string&, int) {
    connection.send(redirect_to(storage.url()));
    return true;
  })};
  std::ofstream(path()) << "0123";
  EXPECT_EQ(download(api.url()).status, 206);
  EXPECT_THAT(storage.last_request(), HasSubstr("Range: bytes=4-\r\n"));
  EXPECT_EQ(read(path()), "012345");
}

TEST_F(CurlClientTest, RedirectsEndSomewhere) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(redirect_to("/again"));
    return true;
  })};
  const HttpReply reply = send(get(server.url()));
  EXPECT_EQ(reply.error, TransportError::protocol);
  EXPECT_EQ(reply.error_message, "too many redirects");
  EXPECT_EQ(server.requests(), 6);
}

TEST_F(CurlClientTest, RedirectsToOtherSchemesAreRefused) {
  for (const char* target : {"file:///etc/passwd", "ftp://127.0.0.1/x", ""}) {
    RawServer server{RawServer::Handler([&](RawConnection& connection, const std::string&, int) {
      connection.send(redirect_to(target));
      return true;
    })};
    const HttpReply reply = send(get(server.url()));
    EXPECT_EQ(reply.error, TransportError::protocol) << target;
    EXPECT_EQ(server.requests(), 1) << target;
  }
}

TEST_F(CurlClientTest, APostIsNotRedirected) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send(redirect_to("/elsewhere", "307 Temporary Redirect"));
    return true;
  })};
  EXPECT_EQ(send(post(server.url())).status, 307);
  EXPECT_EQ(server.requests(), 1);
}

TEST_F(CurlClientTest, TheWatchEndsARequestThatHangs) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.wait_for_close();
    return false;
  })};
  int asked = 0;
  const HttpReply reply =
      client_->send(post(server.url()), [&](const TransferProgress&) { return ++asked < 4; });
  EXPECT_EQ(reply.error, TransportError::aborted);
  EXPECT_EQ(reply.status, 0);
  EXPECT_EQ(asked, 4);
}

TEST_F(CurlClientTest, TheWatchSeesAnUploadGrow) {
  RawServer server{RawServer::Handler(&answer_ok)};
  ApiRequest request = post(server.url(), "");
  request.body_file = file("requests", std::string(4 << 20, 'u'));
  TransferProgress last;
  bool grows = true;
  const HttpReply reply = client_->send(request, [&](const TransferProgress& progress) {
    grows = grows && progress.sent_bytes >= last.sent_bytes;
    last = progress;
    return true;
  });
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(grows);
  EXPECT_EQ(last.sent_bytes, std::int64_t{4} << 20);
  EXPECT_EQ(last.to_send_bytes, std::int64_t{4} << 20);
}

TEST_F(CurlClientTest, AnAbortedDownloadKeepsWhatCame) {
  RawServer server{RawServer::Handler([](RawConnection& connection, const std::string&, int) {
    connection.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123");
    connection.wait_for_close();
    return false;
  })};
  const HttpReply reply = client_->download(
      get(server.url()), path(),
      [](const TransferProgress& progress) { return progress.received_bytes < 4; });
  EXPECT_EQ(reply.error, TransportError::aborted);
  EXPECT_EQ(read(path()), "0123");
}

TEST_F(CurlClientTest, AFreshConnectionIsANewOne) {
  RawServer server{RawServer::Handler(&answer_ok)};
  ASSERT_EQ(send(post(server.url())).status, 200);
  ASSERT_EQ(send(post(server.url())).status, 200);
  EXPECT_EQ(server.connections(), 1);
  ApiRequest fresh = post(server.url());
  fresh.fresh_connection = true;
  ASSERT_EQ(send(fresh).status, 200);
  EXPECT_EQ(server.connections(), 2);
}

TEST_F(CurlClientTest, AFreshConnectionIsNotTheDeadOne) {
  RawServer server{RawServer::Handler(&die_when_reused)};
  ASSERT_EQ(send(post(server.url())).status, 200);
  ApiRequest fresh = post(server.url());
  fresh.fresh_connection = true;
  const HttpReply reply = send(fresh);
  // The server hangs up on its second request, whatever connection it comes on.
  EXPECT_EQ(reply.error, TransportError::reset);
  EXPECT_EQ(reply.transmissions, 1U);
  EXPECT_EQ(server.connections(), 2);
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(CurlClientTest, APostOnAConnectionThatDiesIsNotRepeated) {
  for (const HttpMethod method : {HttpMethod::post, HttpMethod::remove}) {
    RawServer server{RawServer::Handler(&die_when_reused)};
    ApiRequest request = post(server.url());
    request.method = method;
    ASSERT_EQ(send(request).status, 200);
    const HttpReply second = send(request);
    EXPECT_EQ(second.error, TransportError::reset);
    EXPECT_EQ(second.status, 0);
    EXPECT_EQ(second.transmissions, 1U);
    EXPECT_FALSE(second.error_message.empty());
    EXPECT_EQ(server.requests(), 2);
  }
}

TEST_F(CurlClientTest, AnUploadOnAConnectionThatDiesIsNotRepeated) {
  RawServer server{RawServer::Handler(&die_when_reused)};
  ApiRequest request = post(server.url(), "");
  request.body_file = file("requests", std::string(1 << 20, 'u'));
  ASSERT_EQ(send(request).status, 200);
  const HttpReply second = send(request);
  EXPECT_EQ(second.error, TransportError::reset);
  EXPECT_EQ(second.transmissions, 1U);
  EXPECT_EQ(server.requests(), 2);
}

TEST_F(CurlClientTest, AGetOnAConnectionThatDiesGoesThrough) {
  RawServer server{RawServer::Handler(&die_when_reused)};
  ASSERT_EQ(send(get(server.url())).status, 200);
  const HttpReply second = send(get(server.url()));
  EXPECT_EQ(second.status, 200) << second.error_message;
  EXPECT_EQ(second.transmissions, 2U);
}

TEST_F(CurlClientTest, NothingWasSentWhenNobodyListens) {
  std::string url;
  {
    const RawServer gone{RawServer::Script([](RawConnection&, int) {})};
    url = gone.url();
  }
  const HttpReply reply = send(post(url));
  EXPECT_EQ(reply.error, TransportError::connect);
  EXPECT_EQ(reply.transmissions, 0U);
}

TEST_F(CurlClientTest, WaitingEndsWithTheDeadlineOrASignal) {
  const SteadyTime started = clock_.now();
  client_->wait_until(started - 1s);
  client_->wait_until(started + 5ms);
  EXPECT_GE(clock_.now(), started + 5ms);
  interrupts_.signal();
  client_->wait_until(clock_.now() + 1h);
}

}  // namespace
}  // namespace llmbatch::test
