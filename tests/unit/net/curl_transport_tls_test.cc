// TLS is always verified. The server is `openssl s_server` with a certificate made for the test;
// without the openssl program these tests are skipped.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "llmbatch/base/fd.h"
#include "llmbatch/net/curl_transport.h"
#include "support/raw_server.h"
#include "support/transport_loop.h"

extern char** environ;

namespace llmbatch::test {
namespace {

/// Starts a program with its output going to `log` and its input empty; -1 when it cannot.
pid_t spawn(std::vector<std::string> arguments, const std::string& log) {
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  posix_spawn_file_actions_adddup2(&actions, 1, 2);
  pid_t pid = -1;
  if (posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) pid = -1;
  posix_spawn_file_actions_destroy(&actions);
  return pid;
}

bool run(std::vector<std::string> arguments, const std::string& log) {
  const pid_t pid = spawn(std::move(arguments), log);
  int status = 1;
  return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

class CurlTransportTls : public testing::Test {
 protected:
  void SetUp() override {
    // As the program does: the TLS library may write to a connection that its peer has closed.
    std::signal(SIGPIPE, SIG_IGN);
    directory_ =
        std::filesystem::temp_directory_path() / ("llmbatch-tls-" + std::to_string(getpid()));
    std::filesystem::create_directories(directory_);
    if (!run({"openssl", "version"}, log())) GTEST_SKIP() << "no openssl program";
  }

  void TearDown() override {
    if (server_ > 0) {
      kill(server_, SIGTERM);
      waitpid(server_, nullptr, 0);
    }
    std::filesystem::remove_all(directory_);
  }

  std::string path(const char* name) const { return (directory_ / name).string(); }
  std::string log() const { return path("log"); }

  /// Makes a certificate for `name` and serves it; every line comes back reversed, so that an
  /// accepted request ends as a protocol error.
  void serve(const std::string& name) {
    ASSERT_TRUE(run({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout",
                     path("key.pem"), "-out", path("cert.pem"), "-days", "2", "-subj",
                     "/CN=llmbatch test", "-addext", "subjectAltName=" + name},
                    log()));
    server_ = spawn({"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", path("key.pem"),
                     "-cert", path("cert.pem"), "-rev"},
                    log());
    ASSERT_GT(server_, 0);
    // It tells the port that the system chose: `ACCEPT 127.0.0.1:41234`.
    for (int i = 0; i < 500 && port_.empty(); ++i) {
      usleep(10'000);
      const auto text = read_file(log(), 1 << 20);
      const std::size_t at = text ? text->find("ACCEPT 127.0.0.1:") : std::string::npos;
      if (at == std::string::npos) continue;
      const std::size_t end = text->find('\n', at);
      if (end != std::string::npos) port_ = text->substr(at + 17, end - at - 17);
    }
    ASSERT_FALSE(port_.empty());
  }

  HttpReply post(const TransportConfig& config) {
    auto transport = CurlTransport::create(config, clock_);
    if (!transport) return {};
    return call(**transport, clock_, "https://127.0.0.1:" + port_ + "/", "");
  }

  SystemClock clock_;
  std::filesystem::path directory_;
  pid_t server_ = -1;
  std::string port_;
};

TEST_F(CurlTransportTls, UnknownIssuerIsATlsErrorAndNothingIsSent) {
  serve("IP:127.0.0.1");
  const HttpReply reply = post({});
  EXPECT_EQ(reply.error, TransportError::tls) << reply.error_message;
  EXPECT_EQ(reply.transmissions, 0U);
  EXPECT_FALSE(reply.error_message.empty());
}

TEST_F(CurlTransportTls, GivenIssuerIsTrusted) {
  serve("IP:127.0.0.1");
  TransportConfig config;
  config.ca_file = path("cert.pem");
  const HttpReply reply = post(config);
  EXPECT_EQ(reply.error, TransportError::protocol) << reply.error_message;
  EXPECT_EQ(reply.transmissions, 1U) << reply.error_message;
}

TEST_F(CurlTransportTls, CertificateOfAnotherHostIsATlsError) {
  serve("DNS:elsewhere.example");
  TransportConfig config;
  config.ca_file = path("cert.pem");
  const HttpReply reply = post(config);
  EXPECT_EQ(reply.error, TransportError::tls) << reply.error_message;
  EXPECT_EQ(reply.transmissions, 0U);
}

TEST_F(CurlTransportTls, PlainServerIsATlsError) {
  const RawServer server{RawServer::Script(
      [](RawConnection& connection, int) { connection.send("HTTP/1.1 400 Bad Request\r\n\r\n"); })};
  auto transport = CurlTransport::create({}, clock_);
  ASSERT_TRUE(transport.has_value());
  const HttpReply reply =
      call(**transport, clock_, "https://127.0.0.1:" + std::to_string(server.port()) + "/");
  EXPECT_EQ(reply.error, TransportError::tls) << reply.error_message;
  EXPECT_EQ(reply.transmissions, 0U);
}

}  // namespace
}  // namespace llmbatch::test
