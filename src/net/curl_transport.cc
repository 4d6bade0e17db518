#include "llmbatch/net/curl_transport.h"

#include <curl/curl.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "call.h"
#include "llmbatch/base/check.h"
#include "poller.h"
#include "url_cache.h"

namespace llmbatch {
namespace {

using net::Call;
using net::Poller;

/// libcurl counts its users, so that every transport may bring its own.
struct CurlGlobal {
  CurlGlobal() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~CurlGlobal() { curl_global_cleanup(); }
  CurlGlobal(const CurlGlobal&) = delete;
  CurlGlobal& operator=(const CurlGlobal&) = delete;
};

struct MultiDelete {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

constexpr Duration kLongestWait = std::chrono::hours(1);

Status check_readable(const std::string& path) {
  if (path.empty() || access(path.c_str(), R_OK) == 0) return {};
  return usage_error(path + ": certificates cannot be read: " + errno_text(errno));
}

Status check_headers(const std::vector<std::string>& headers) {
  for (const std::string& line : headers) {
    if (line.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos) continue;
    // The value may be a key, so only the name is told.
    return usage_error("header '" + line.substr(0, line.find(':')) +
                       "': a value cannot hold a line break");
  }
  return {};
}

}  // namespace

class CurlTransport::Loop {
 public:
  Loop(TransportConfig config, const Clock& clock) : config_(std::move(config)), clock_(clock) {}
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Status open();
  Status start(CallId id, std::string_view url, std::string_view body);
  void wait(SteadyTime deadline, std::vector<TransportCompletion>& completions);
  void wake() { poller_.wake(); }
  void watch(int fd) { poller_.watch(fd); }
  void abort_all();
  std::size_t in_flight() const { return active_.size() + aborted_.size(); }

 private:
  Call* take_idle();
  void release(Call& call);
  bool collect(std::vector<TransportCompletion>& completions);
  void run_timers();
  void perform(curl_socket_t socket, int events);

  static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* unused);
  static int on_timer(CURLM* multi, long timeout_ms, void* self);

  CurlGlobal global_;
  TransportConfig config_;
  const Clock& clock_;
  Poller poller_;
  net::UrlCache urls_;
  net::HeaderList headers_;
  std::vector<std::unique_ptr<Call>> calls_;  ///< every handle there is
  std::vector<Call*> idle_;
  std::vector<Call*> active_;
  std::vector<TransportCompletion> aborted_;
  std::vector<Poller::Ready> ready_;
  std::optional<SteadyTime> timer_;
  std::unique_ptr<CURLM, MultiDelete> multi_;  ///< last: closing connections tells poller_
};

CurlTransport::Loop::~Loop() {
  for (Call* call : active_) curl_multi_remove_handle(multi_.get(), call->easy());
  // Handles first: libcurl wants the multi handle, which closes the connections, to go last.
  calls_.clear();
}

Status CurlTransport::Loop::open() {
  if (Status status = check_readable(config_.ca_file); !status) return status;
  if (Status status = check_readable(config_.ca_directory); !status) return status;
  if (Status status = check_headers(config_.headers); !status) return status;
  if (Status status = poller_.open(); !status) return status;
  headers_ = net::make_header_list(config_);
  multi_.reset(curl_multi_init());
  if (!multi_ || !headers_) return failure("network: out of memory");
  CURLM* multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Loop::on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Loop::on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING,
                    config_.http2 ? CURLPIPE_MULTIPLEX : CURLPIPE_NOTHING);
  // Fewer than the calls in flight would close a connection after nearly every answer.
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS,
                    static_cast<long>(2 * std::max<std::size_t>(config_.max_concurrency, 1)));
  return {};
}

Call* CurlTransport::Loop::take_idle() {
  if (!idle_.empty()) {
    Call* call = idle_.back();
    idle_.pop_back();
    return call;
  }
  auto call = std::make_unique<Call>(config_, headers_.get(), poller_);
  if (!call->valid()) return nullptr;
  calls_.push_back(std::move(call));
  return calls_.back().get();
}

Status CurlTransport::Loop::start(CallId id, std::string_view url, std::string_view body) {
  const auto parsed = urls_.find(url);
  if (!parsed) return forward_error(parsed);
  Call* call = take_idle();
  if (call == nullptr) return failure("network: out of memory");
  call->prepare(id, **parsed, body, clock_);
  const CURLMcode code = curl_multi_add_handle(multi_.get(), call->easy());
  if (code != CURLM_OK) {
    idle_.push_back(call);
    return failure(std::string("network: ") + curl_multi_strerror(code));
  }
  call->active_index = active_.size();
  active_.push_back(call);
  return {};
}

void CurlTransport::Loop::release(Call& call) {
  curl_multi_remove_handle(multi_.get(), call.easy());
  active_.back()->active_index = call.active_index;
  std::swap(active_[call.active_index], active_.back());
  active_.pop_back();
  idle_.push_back(&call);
}

void CurlTransport::Loop::abort_all() {
  // wait() collects before it returns, so that no call here has its answer already.
  const SteadyTime now = clock_.now();
  while (!active_.empty()) {
    Call& call = *active_.back();
    release(call);
    aborted_.push_back(call.finish_aborted(now));
  }
}

bool CurlTransport::Loop::collect(std::vector<TransportCompletion>& completions) {
  const std::size_t before = completions.size();
  std::move(aborted_.begin(), aborted_.end(), std::back_inserter(completions));
  aborted_.clear();
  const SteadyTime now = clock_.now();
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    const CURLcode code = message->data.result;
    Call& call = *Call::of(message->easy_handle);
    // Read before the handle leaves: removing it resets what getinfo knows of the transfer.
    completions.push_back(call.finish(code, now));
    release(call);
  }
  return completions.size() != before;
}

void CurlTransport::Loop::perform(curl_socket_t socket, int events) {
  int running = 0;
  const CURLMcode code = curl_multi_socket_action(multi_.get(), socket, events, &running);
  LLMBATCH_CHECK(code == CURLM_OK || code == CURLM_BAD_SOCKET || code == CURLM_OUT_OF_MEMORY);
}

void CurlTransport::Loop::run_timers() {
  if (!timer_ || *timer_ > clock_.now()) return;
  timer_.reset();
  perform(CURL_SOCKET_TIMEOUT, 0);
}

void CurlTransport::Loop::wait(SteadyTime deadline, std::vector<TransportCompletion>& completions) {
  bool finished = false;
  while (!finished) {
    // Sends what start() added, for libcurl sets a timer of zero for it.
    run_timers();
    finished = collect(completions);
    const SteadyTime now = clock_.now();
    const SteadyTime until = timer_ ? std::min(deadline, *timer_) : deadline;
    const Duration timeout =
        finished || until <= now ? Duration::zero() : std::min(kLongestWait, until - now);
    ready_.clear();
    const bool woken = poller_.wait(timeout, ready_);
    for (const Poller::Ready& socket : ready_) {
      perform(socket.fd,
              (socket.readable ? CURL_CSELECT_IN : 0) | (socket.writable ? CURL_CSELECT_OUT : 0));
    }
    if (!ready_.empty() && collect(completions)) finished = true;
    finished = finished || woken || clock_.now() >= deadline;
  }
}

int CurlTransport::Loop::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
  const bool readable = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  const bool writable = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  static_cast<Loop*>(self)->poller_.want(socket, readable, writable);
  return 0;
}

int CurlTransport::Loop::on_timer(CURLM*, long timeout_ms, void* self) {
  auto& loop = *static_cast<Loop*>(self);
  loop.timer_.reset();
  if (timeout_ms >= 0) loop.timer_ = loop.clock_.now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

CurlTransport::CurlTransport(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
CurlTransport::~CurlTransport() = default;

Result<std::unique_ptr<CurlTransport>> CurlTransport::create(TransportConfig config,
                                                             const Clock& clock) {
  auto loop = std::make_unique<Loop>(std::move(config), clock);
  if (const Status status = loop->open(); !status) return forward_error(status);
  return std::unique_ptr<CurlTransport>(new CurlTransport(std::move(loop)));
}

Status CurlTransport::start(CallId id, std::string_view url, std::string_view body) {
  return loop_->start(id, url, body);
}

void CurlTransport::wait(SteadyTime deadline, std::vector<TransportCompletion>& completions) {
  loop_->wait(deadline, completions);
}

void CurlTransport::wake() { loop_->wake(); }
void CurlTransport::watch(int fd) { loop_->watch(fd); }
void CurlTransport::abort_all() { loop_->abort_all(); }
std::size_t CurlTransport::in_flight() const { return loop_->in_flight(); }

}  // namespace llmbatch
