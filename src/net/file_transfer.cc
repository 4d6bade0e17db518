#include "file_transfer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "curl_options.h"
#include "llmbatch/base/text.h"

namespace llmbatch::net {
namespace {

constexpr std::size_t kMostReplyBytes = std::size_t{64} << 20;
constexpr std::size_t kMostHeaderBytes = std::size_t{256} << 10;
/// A provider may think for minutes about an upload of hundreds of megabytes.
constexpr long kStalledSeconds = 300;
constexpr long kTransferBufferBytes = 64 << 10;

bool is_success(int status) { return status >= 200 && status < 300; }

bool is_content_type(std::string_view line) {
  constexpr std::string_view kName = "Content-Type:";
  return equals_ignore_case(line.substr(0, kName.size()), kName);
}

struct ListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

}  // namespace

bool FileTransfer::fail(TransportError error, std::string message) {
  reply_.error = error;
  reply_.error_message = std::move(message);
  return false;
}

HttpReply FileTransfer::run(const ApiRequest& request, Options options) {
  request_ = &request;
  watch_ = &options.watch;
  reply_.transmissions = 0;
  reply_.started_at = clock_.wall_now();
  const SteadyTime started = clock_.now();
  if (!open_body(request)) return std::move(reply_);
  if (options.path != nullptr && !open_target(*options.path)) return std::move(reply_);
  const std::unique_ptr<curl_slist, ListDelete> headers(make_headers(request, options.with_key));
  curl_easy_reset(easy_);
  std::array<char, CURL_ERROR_SIZE> error_text{};
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_text.data());
  set_options(request, headers.get());
  const CURLcode code = curl_easy_perform(easy_);
  conclude(code);
  if (reply_.error != TransportError::none && reply_.error_message.empty()) {
    reply_.error_message =
        error_text[0] != '\0' ? std::string(error_text.data()) : curl_easy_strerror(code);
  }
  curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, nullptr);
  reply_.latency = clock_.now() - started;
  return std::move(reply_);
}

bool FileTransfer::open_body(const ApiRequest& request) {
  body_bytes_ = request.body.size() + request.body_end.size();
  if (request.body_file.empty()) return true;
  auto file = open_for_reading(request.body_file);
  if (!file) return fail(TransportError::aborted, file.error().message);
  source_ = std::move(*file);
  struct stat info {};
  if (fstat(source_.get(), &info) != 0) {
    return fail(TransportError::aborted, request.body_file + ": " + errno_text(errno));
  }
  source_bytes_ = static_cast<std::uint64_t>(info.st_size);
  body_bytes_ += source_bytes_;
  return true;
}

bool FileTransfer::open_target(const std::string& path) {
  target_.reset(open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  struct stat info {};
  if (!target_.valid() || fstat(target_.get(), &info) != 0) {
    return fail(TransportError::aborted, path + ": " + errno_text(errno));
  }
  target_bytes_ = static_cast<std::uint64_t>(info.st_size);
  return true;
}

curl_slist* FileTransfer::make_headers(const ApiRequest& request, bool with_key) const {
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& line) {
    if (curl_slist* longer = curl_slist_append(list, line.c_str())) list = longer;
  };
  add("Expect:");
  add("User-Agent: " + (config_.user_agent.empty() ? "llmbatch" : config_.user_agent));
  const auto& own = request.headers;
  if (request.method == HttpMethod::post && std::none_of(own.begin(), own.end(), is_content_type)) {
    add("Content-Type: application/json");
  }
  for (const std::string& line : own) add(line);
  if (with_key) {
    // One content type is enough: servers differ in which of two they believe.
    for (const std::string& line : config_.headers) {
      if (!is_content_type(line)) add(line);
    }
  }
  if (target_bytes_ > 0) add("Range: bytes=" + std::to_string(target_bytes_) + "-");
  return list;
}

void FileTransfer::set_options(const ApiRequest& request, curl_slist* headers) {
  curl_easy_setopt(easy_, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy_, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, to_millis(config_.connect_timeout));
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy_, CURLOPT_LOW_SPEED_TIME, kStalledSeconds);
  curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kTransferBufferBytes);
  curl_easy_setopt(easy_, CURLOPT_UPLOAD_BUFFERSIZE, kTransferBufferBytes);
  // A file is continued by a range of its bytes, which must be those of the file itself.
  if (!target_.valid()) curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &FileTransfer::on_body);
  curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &FileTransfer::on_header);
  curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, &FileTransfer::on_progress);
  curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, this);
  curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, &FileTransfer::on_request);
  curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
  if (request.fresh_connection) curl_easy_setopt(easy_, CURLOPT_FRESH_CONNECT, 1L);
  if (request.method == HttpMethod::remove) {
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, "DELETE");
  } else if (request.method == HttpMethod::post) {
    curl_easy_setopt(easy_, CURLOPT_POST, 1L);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_bytes_));
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, &FileTransfer::on_read);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
  }
  set_network_options(easy_, config_);
}

void FileTransfer::conclude(CURLcode code) {
  if (reply_.error != TransportError::none) return;  // our own reason: a full disk
  if (aborted_) {
    reply_.error = TransportError::aborted;
    return;
  }
  reply_.error = error_of(code);
  const bool lost =
      reply_.error == TransportError::timeout || reply_.error == TransportError::reset;
  if (lost && reply_.transmissions == 0) reply_.error = TransportError::connect;
  if (code == CURLE_OK && !is_complete()) {
    fail(TransportError::reset, "the connection was lost inside the answer");
  }
  // An empty file has no first byte to begin with.
  if (reply_.error == TransportError::none && target_.valid() && is_success(reply_.status) &&
      !target_begun_ && reply_.status != 206 && ftruncate(target_.get(), 0) != 0) {
    fail(TransportError::aborted, errno_text(errno));
  }
}

/// libcurl calls an answer that ended inside its headers a success.
bool FileTransfer::is_complete() const { return reply_.status != 0 && headers_complete_; }

/// Whether the bytes of a 206 are those that were asked for, as far as the server says which.
bool FileTransfer::range_fits() const {
  const std::string expected = "bytes " + std::to_string(target_bytes_) + "-";
  const std::string_view range = find_header(reply_.headers, "Content-Range");
  return range.empty() || range.starts_with(expected);
}

void FileTransfer::begin_reply(std::string_view status_line) {
  reply_.headers.clear();
  reply_.status = 0;
  headers_complete_ = false;
  const std::size_t space = status_line.find(' ');
  if (space == std::string_view::npos) return;
  std::from_chars(status_line.data() + space + 1, status_line.data() + status_line.size(),
                  reply_.status);
}

/// Goes to where the reply's bytes belong: behind what is there, or, when the whole file comes, to
/// the beginning.
bool FileTransfer::begin_file() {
  target_begun_ = true;
  const bool rest = reply_.status == 206;
  if (rest && !range_fits()) {
    return fail(TransportError::protocol, "the server sent another part of the file");
  }
  if (!rest && ftruncate(target_.get(), 0) != 0) {
    return fail(TransportError::aborted, errno_text(errno));
  }
  const off_t at = rest ? static_cast<off_t>(target_bytes_) : 0;
  return lseek(target_.get(), at, SEEK_SET) == at ||
         fail(TransportError::aborted, errno_text(errno));
}

std::size_t FileTransfer::take(std::string_view bytes) {
  if (target_.valid() && is_success(reply_.status)) {
    if (!target_begun_ && !begin_file()) return 0;
    const Status written = write_all(target_.get(), bytes);
    if (!written) {
      fail(TransportError::aborted, written.error().message);
      return 0;
    }
    return bytes.size();
  }
  if (reply_.body.size() + bytes.size() > kMostReplyBytes) {
    fail(TransportError::too_large, "the answer is larger than 64 MiB");
    return 0;
  }
  reply_.body.append(bytes);
  return bytes.size();
}

std::size_t FileTransfer::give(char* buffer, std::size_t size) {
  const std::uint64_t head = request_->body.size();
  const std::uint64_t tail = head + source_bytes_;
  std::size_t given = 0;
  if (sent_bytes_ < head) {
    given = request_->body.copy(buffer, size, sent_bytes_);
  } else if (sent_bytes_ < tail) {
    const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(size, tail - sent_bytes_));
    const auto read = pread_all(source_.get(), buffer, want, sent_bytes_ - head);
    if (!read || *read == 0) {
      fail(TransportError::aborted, request_->body_file + ": cannot be read any more");
      return CURL_READFUNC_ABORT;
    }
    given = *read;
  } else if (sent_bytes_ < body_bytes_) {
    given = request_->body_end.copy(buffer, size, sent_bytes_ - tail);
  }
  sent_bytes_ += given;
  return given;
}

std::size_t FileTransfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
  return static_cast<FileTransfer*>(self)->take({data, size * count});
}

std::size_t FileTransfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<FileTransfer*>(self);
  const std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) {
    transfer.begin_reply(line);
  } else if (transfer.reply_.headers.size() + line.size() > kMostHeaderBytes) {
    return 0;
  } else if (line == "\r\n" || line == "\n") {
    transfer.headers_complete_ = true;
  } else {
    transfer.reply_.headers.append(line);
  }
  return line.size();
}

std::size_t FileTransfer::on_read(char* buffer, std::size_t size, std::size_t count, void* self) {
  return static_cast<FileTransfer*>(self)->give(buffer, size * count);
}

int FileTransfer::on_progress(void* self, curl_off_t, curl_off_t received, curl_off_t,
                              curl_off_t sent) {
  auto& transfer = *static_cast<FileTransfer*>(self);
  if (!*transfer.watch_) return 0;
  const TransferProgress progress{sent, static_cast<std::int64_t>(transfer.body_bytes_),
                                  static_cast<std::int64_t>(transfer.target_bytes_) + received};
  transfer.aborted_ = !(*transfer.watch_)(progress);
  return transfer.aborted_ ? 1 : 0;
}

/// Called before the request goes out on a connection; a second time means that libcurl is about to
/// repeat it (see Call::on_request), which only a GET may be.
int FileTransfer::on_request(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<FileTransfer*>(self);
  const bool repeated = transfer.reply_.transmissions > 0;
  if (!repeated || transfer.request_->method == HttpMethod::get) {
    ++transfer.reply_.transmissions;
    return CURL_PREREQFUNC_OK;
  }
  transfer.fail(TransportError::reset, "the connection was lost before an answer came");
  return CURL_PREREQFUNC_ABORT;
}

}  // namespace llmbatch::net
