#include "exchange.h"

#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <memory>

namespace llmbatch::sim {
namespace {

/// A body that ends before its announced length.
struct HalfBody {
  std::string bytes;
};

ssize_t read_half(void* state, std::uint64_t position, char* buffer, std::size_t size) {
  const std::string& bytes = static_cast<HalfBody*>(state)->bytes;
  if (position >= bytes.size()) return MHD_CONTENT_READER_END_WITH_ERROR;
  const auto start = static_cast<std::size_t>(position);
  const std::size_t count = std::min(size, bytes.size() - start);
  bytes.copy(buffer, count, start);
  return static_cast<ssize_t>(count);
}

void free_half(void* state) { delete static_cast<HalfBody*>(state); }

MHD_Result add_argument(void* arguments, MHD_ValueKind, const char* name, const char* value) {
  static_cast<std::vector<std::pair<std::string, std::string>>*>(arguments)->emplace_back(
      name, value == nullptr ? "" : value);
  return MHD_YES;
}

/// Resets the connection now. Closing it later with SO_LINGER would not do: MHD ends its side in
/// order before it closes, and the client would see that first. Dissolving the association sends
/// the reset.
void reset_connection(int fd) {
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  static_cast<void>(::connect(fd, &nobody, sizeof nobody));
}

}  // namespace

Simulator::Server::Exchange::Exchange(MHD_Connection* the_connection, const char* url,
                                      const char* method)
    : connection(the_connection) {
  http.path = url;
  http.method = method;
  const auto* info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
  if (info != nullptr) fd = info->connect_fd;
}

std::string Simulator::Server::Exchange::header(const char* name) const {
  const char* value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string() : std::string(value);
}

void Simulator::Server::Exchange::read_headers() {
  http.anthropic_version = header("anthropic-version");
  http.script = header("x-mock-script");
  http.content_type = header("content-type");
  http.range = header("range");
  http.origin = "http://" + header("host");
  http.upload_command = header("x-goog-upload-command");
  MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &add_argument, &http.arguments);
  read_key();
}

void Simulator::Server::Exchange::read_key() {
  constexpr std::string_view kBearer = "Bearer ";
  const std::string authorization = header("authorization");
  if (authorization.substr(0, kBearer.size()) == kBearer) {
    http.key = authorization.substr(kBearer.size());
  }
  const std::string azure_key = header("api-key");
  http.has_api_key_header = !azure_key.empty();
  if (http.key.empty()) http.key = azure_key;
  if (http.key.empty()) http.key = header("x-api-key");
  if (http.key.empty()) http.key = header("x-goog-api-key");
  if (!http.key.empty()) return;
  const char* argument = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "key");
  if (argument != nullptr) http.key = argument;
}

MHD_Response* Simulator::Server::Exchange::make_response() {
  if (reply.ending != Ending::cut_body) {
    return MHD_create_response_from_buffer(reply.body.size(), reply.body.data(),
                                           MHD_RESPMEM_MUST_COPY);
  }
  auto half = std::make_unique<HalfBody>();
  half->bytes = reply.body.substr(0, reply.body.size() / 2);
  MHD_Response* response = MHD_create_response_from_callback(reply.body.size(), 4096, &read_half,
                                                             half.get(), &free_half);
  if (response != nullptr) static_cast<void>(half.release());
  return response;
}

MHD_Result Simulator::Server::Exchange::send() {
  if (reply.ending == Ending::no_answer || reply.ending == Ending::hang) {
    if (reply.ending == Ending::no_answer && fd >= 0) reset_connection(fd);
    return MHD_NO;
  }
  MHD_Response* response = make_response();
  if (response == nullptr) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type.c_str());
  for (const auto& [name, value] : reply.headers) {
    // Every name is a literal, so it ends in a zero.
    MHD_add_response_header(response, name.data(), value.c_str());
  }
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned int>(reply.status), response);
  MHD_destroy_response(response);
  return queued;
}

}  // namespace llmbatch::sim
