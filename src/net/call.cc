#include "call.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "curl_options.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

namespace llmbatch::net {
namespace {

constexpr std::size_t kMostHeaderBytes = std::size_t{256} << 10;
constexpr std::size_t kUsualHeaderBytes = 512;
/// A server cannot make us reserve more than this by a false Content-Length.
constexpr std::size_t kMostReservedBytes = std::size_t{256} << 10;
constexpr long kReceiveBufferBytes = 16 << 10;

bool names_header(const std::vector<std::string>& lines, std::string_view name) {
  return std::any_of(lines.begin(), lines.end(), [&](std::string_view line) {
    return line.size() > name.size() && line[name.size()] == ':' &&
           equals_ignore_case(line.substr(0, name.size()), name);
  });
}

bool append_line(HeaderList& list, const std::string& line) {
  curl_slist* extended = curl_slist_append(list.get(), line.c_str());
  if (extended == nullptr) return false;
  // The first append makes the head; later ones return it again.
  static_cast<void>(list.release());
  list.reset(extended);
  return true;
}

/// What this libcurl can decode, as it would say it by itself. It formats its own lines twice for
/// each request, byte by byte, and ours once.
std::string accept_encoding_line() {
  const int features = curl_version_info(CURLVERSION_NOW)->features;
  std::string names = "identity";
  if ((features & CURL_VERSION_LIBZ) != 0) names = "deflate, gzip";
  if ((features & CURL_VERSION_BROTLI) != 0) names += ", br";
  if ((features & CURL_VERSION_ZSTD) != 0) names += ", zstd";
  return "Accept-Encoding: " + names;
}

long long read_number(CURL* easy, CURLINFO info) {
  curl_off_t value = -1;
  curl_easy_getinfo(easy, info, &value);
  return value;
}

}  // namespace

HeaderList make_header_list(const TransportConfig& config) {
  HeaderList list;
  const std::string agent = config.user_agent.empty() ? "llmbatch" : config.user_agent;
  // Without the empty Expect a large body waits a second for servers that do not know it.
  bool complete = append_line(list, "Expect:");
  if (!names_header(config.headers, "Content-Type")) {
    complete = complete && append_line(list, "Content-Type: application/json");
  }
  if (!names_header(config.headers, "Accept-Encoding")) {
    complete = complete && append_line(list, accept_encoding_line());
  }
  if (!names_header(config.headers, "User-Agent")) {
    complete = complete && append_line(list, "User-Agent: " + agent);
  }
  for (const std::string& line : config.headers) complete = complete && append_line(list, line);
  if (!complete) return nullptr;
  return list;
}

Call::Call(const TransportConfig& config, curl_slist* headers, Poller& poller)
    : easy_(curl_easy_init()), poller_(poller), max_body_bytes_(config.max_response_bytes) {
  if (easy_ != nullptr) set_options(config, headers);
}

Call::~Call() { curl_easy_cleanup(easy_); }

Call* Call::of(CURL* easy) {
  char* call = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
  return reinterpret_cast<Call*>(call);
}

void Call::set_options(const TransportConfig& config, curl_slist* headers) {
  curl_easy_setopt(easy_, CURLOPT_PRIVATE, this);
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text_.data());
  curl_easy_setopt(easy_, CURLOPT_POST, 1L);
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &Call::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &Call::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &Call::on_request);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETFUNCTION, &Call::on_open_socket);
  curl_easy_setopt(easy_, CURLOPT_OPENSOCKETDATA, this);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETFUNCTION, &Call::on_close_socket);
  curl_easy_setopt(easy_, CURLOPT_CLOSESOCKETDATA, &poller_);
  curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 1L);
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, to_millis(config.total_timeout));
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, to_millis(config.connect_timeout));
  set_network_options(easy_, config);
}

void Call::prepare(CallId id, const ParsedUrl& url, std::string_view body, const Clock& clock) {
  id_ = id;
  if (url_ != url) {
    url_ = url;
    curl_easy_setopt(easy_, CURLOPT_CURLU, url_.get());
  }
  // Without a pointer libcurl would read the body from standard input.
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.empty() ? "" : body.data());
  curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  error_text_[0] = '\0';
  headers_complete_ = false;
  too_large_ = false;
  repeat_refused_ = false;
  socket_errno_ = 0;
  reply_ = HttpReply{};
  reply_.transmissions = 0;
  reply_.started_at = clock.wall_now();
  started_ = clock.now();
}

TransportCompletion Call::finish(CURLcode code, SteadyTime now) {
  reply_.error = classify(code);
  if (reply_.error != TransportError::none) reply_.error_message = describe(code, reply_.error);
  reply_.latency = now - started_;
  if (headers_complete_ || !reply_.body.empty()) {
    reply_.time_to_first_byte =
        std::chrono::microseconds(read_number(easy_, CURLINFO_STARTTRANSFER_TIME_T));
  }
  return {.id = id_, .reply = std::move(reply_)};
}

TransportCompletion Call::finish_aborted(SteadyTime now) {
  reply_.error = TransportError::aborted;
  reply_.error_message = "ended before the answer was complete";
  reply_.latency = now - started_;
  return {.id = id_, .reply = std::move(reply_)};
}

TransportError Call::classify(CURLcode code) const {
  if (too_large_) return TransportError::too_large;
  if (repeat_refused_) return TransportError::reset;
  if (code == CURLE_OK) return is_complete() ? TransportError::none : TransportError::reset;
  const TransportError error = error_of(code);
  // Lost before the request was sent: the connect timeout, or a proxy that refused the tunnel.
  const bool lost = error == TransportError::timeout || error == TransportError::reset;
  return lost && reply_.transmissions == 0 ? TransportError::connect : error;
}

/// libcurl calls an answer that ended inside its headers a success.
bool Call::is_complete() const {
  if (reply_.status == 0 || !headers_complete_) return false;
  const auto announced = read_number(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T);
  return announced < 0 || announced == read_number(easy_, CURLINFO_SIZE_DOWNLOAD_T);
}

std::string Call::describe(CURLcode code, TransportError error) const {
  if (error == TransportError::too_large) {
    return "the answer is larger than " + std::to_string(max_body_bytes_) + " bytes";
  }
  if (repeat_refused_) return "the connection was lost before an answer came";
  if (code == CURLE_COULDNT_CONNECT && socket_errno_ != 0) {
    return "no socket: " + errno_text(socket_errno_);
  }
  if (code == CURLE_OK) return "the connection was lost inside the answer";
  return error_text_[0] != '\0' ? std::string(error_text_.data())
                                : std::string(curl_easy_strerror(code));
}

std::size_t Call::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Call*>(self);
  const std::size_t bytes = size * count;
  std::string& body = call.reply_.body;
  if (bytes > call.max_body_bytes_ - body.size()) {
    call.too_large_ = true;
    return 0;
  }
  body.append(data, bytes);
  return bytes;
}

/// A status line starts a new answer: one before it was interim (1xx).
void Call::read_status_line(std::string_view line) {
  reply_.headers.clear();
  reply_.headers.reserve(kUsualHeaderBytes);
  reply_.status = 0;
  headers_complete_ = false;
  const std::size_t space = line.find(' ');
  if (space == std::string_view::npos) return;
  int status = 0;
  std::from_chars(line.data() + space + 1, line.data() + line.size(), status);
  if (status >= 100 && status <= 999) reply_.status = status;
}

std::size_t Call::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& call = *static_cast<Call*>(self);
  const std::size_t bytes = size * count;
  const std::string_view line(data, bytes);
  HttpReply& reply = call.reply_;
  if (line.starts_with("HTTP/")) {
    call.read_status_line(line);
    return bytes;
  }
  if (line == "\r\n" || line == "\n") {
    call.headers_complete_ = true;
    return bytes;
  }
  if (reply.headers.size() + bytes > kMostHeaderBytes) {
    call.too_large_ = true;
    return 0;
  }
  reply.headers.append(line);
  constexpr std::string_view kLength = "content-length:";
  if (line.size() > kLength.size() && equals_ignore_case(line.substr(0, kLength.size()), kLength)) {
    const std::string_view value = trim(line.substr(kLength.size()));
    std::size_t length = 0;
    std::from_chars(value.data(), value.data() + value.size(), length);
    reply.body.reserve(std::min({length, kMostReservedBytes, call.max_body_bytes_}));
  }
  return bytes;
}

/// Called before the request goes out on a connection. A second time means that libcurl is about to
/// repeat the POST after a reused connection died without an answer (Curl_retry_request): the
/// server may have worked on the first, so that is for the engine to decide, not for libcurl.
int Call::on_request(void* self, char*, char*, int, int) {
  auto& call = *static_cast<Call*>(self);
  if (call.reply_.transmissions > 0) {
    call.repeat_refused_ = true;
    return CURL_PREREQFUNC_ABORT;
  }
  call.reply_.transmissions = 1;
  return CURL_PREREQFUNC_OK;
}

/// Spares the connection that a repetition would have opened only to be refused.
curl_socket_t Call::on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address) {
  auto& call = *static_cast<Call*>(self);
  if (purpose == CURLSOCKTYPE_IPCXN && call.reply_.transmissions > 0) {
    call.repeat_refused_ = true;
    return CURL_SOCKET_BAD;
  }
  const int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (fd < 0) {
    call.socket_errno_ = errno;
    return CURL_SOCKET_BAD;
  }
  call.poller_.keep(fd);
  return fd;
}

int Call::on_close_socket(void* poller, curl_socket_t socket) {
  static_cast<Poller*>(poller)->forget(socket);
  return close(socket);
}

}  // namespace llmbatch::net
