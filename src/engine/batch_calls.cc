// The calls of a batch run: what an error reply or a lost connection means for the step that was
// tried, and when it is tried again.
#include <fmt/format.h>

#include <algorithm>

#include "batch_filling.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

bool is_success(int status) { return status >= 200 && status < 300; }

bool was_not_sent(const HttpReply& reply) {
  return reply.transmissions == 0 || reply.error == TransportError::resolve ||
         reply.error == TransportError::connect || reply.error == TransportError::tls;
}

}  // namespace

HttpReply BatchRunner::send(const ApiRequest& request) {
  return parts_.client.send(request, [this](const TransferProgress& progress) {
    const InterruptState state = parts_.interrupts.poll();
    const SteadyTime now = parts_.clock.now();
    if (state.stop_requests > 0 && !stop_asked_at_) stop_asked_at_ = now;
    if (progress.to_send_bytes > 1 << 20 && progress.sent_bytes < progress.to_send_bytes) {
      status_.waiting_for = fmt::format("the upload, {} of {} MB", progress.sent_bytes / 1'000'000,
                                        progress.to_send_bytes / 1'000'000);
    }
    report(false);
    const bool late = stop_asked_at_ && now >= *stop_asked_at_ + settings_.drain_timeout;
    return state.stop_requests < 2 && !late && !error_;
  });
}

BatchRunner::Trouble BatchRunner::trouble_of(ErrorClass error, int status) {
  if (error == ErrorClass::authentication || error == ErrorClass::permission ||
      error == ErrorClass::quota_exhausted) {
    return Trouble::fatal;
  }
  if (error == ErrorClass::rate_limited) return Trouble::not_sent;
  if (error == ErrorClass::overloaded || error == ErrorClass::server_error ||
      error == ErrorClass::request_timeout) {
    return Trouble::uncertain;
  }
  return status == 404 || status == 410 ? Trouble::gone : Trouble::refused;
}

BatchRunner::Verdict BatchRunner::judge(const HttpReply& reply) const {
  if (reply.error == TransportError::none && is_success(reply.status)) return {};
  const Outcome outcome = parts_.provider.parse_response(reply);
  Verdict verdict;
  verdict.message = reply.status != 0 ? fmt::format("HTTP {}", reply.status) : "";
  if (!outcome.message.empty()) {
    verdict.message += (verdict.message.empty() ? "" : ": ") +
                       sanitize_for_terminal(truncate_chars(outcome.message, 300));
  }
  verdict.hint = outcome.retry_after;
  if (reply.error != TransportError::none) {
    verdict.trouble = reply.error == TransportError::aborted ? Trouble::aborted
                      : was_not_sent(reply)                  ? Trouble::not_sent
                                                             : Trouble::uncertain;
    return verdict;
  }
  verdict.trouble = trouble_of(outcome.error, reply.status);
  return verdict;
}

/// The same step again, after a while that grows with each failure.
void BatchRunner::later(Open& batch, const Verdict& verdict, std::string_view what) {
  ++batch.failures;
  batch.trouble = fmt::format("{} does not succeed: {}", what, verdict.message);
  const int doublings = std::min(batch.failures - 1, 10);
  const Duration backoff =
      std::min(kLongestBatchBackoff,
               std::max(settings_.poll_interval / 4, Duration(std::chrono::milliseconds(500))) *
                   (std::int64_t{1} << doublings));
  const Duration delay = std::max(verdict.hint.value_or(Duration(0)), backoff);
  batch.next_at = parts_.clock.now() + std::min(delay, kLongestBatchBackoff);
  constexpr int kWorthTelling = 3;
  constexpr int kGiveUp = 8;
  if (batch.failures == kWorthTelling) {
    tell(fmt::format("batch {}: {} does not succeed ({}); it is tried again", batch.record.number,
                     what, verdict.message));
  }
  // What is at the provider is waited for; what is not need not keep a process for days.
  if (batch.failures == kGiveUp && batch.record.stage != BatchStage::submitted) {
    pause(fmt::format("batch {}: {} does not succeed: {}", batch.record.number, what,
                      verdict.message));
  }
}

bool BatchRunner::carry_on(Open& batch, const Verdict& verdict, std::string_view what) {
  switch (verdict.trouble) {
    case Trouble::none:
    case Trouble::gone:
      return true;
    case Trouble::not_sent:
    case Trouble::uncertain:
      later(batch, verdict, what);
      return false;
    case Trouble::refused:
    case Trouble::fatal:
      pause(
          fmt::format("batch {}: {} was refused: {}", batch.record.number, what, verdict.message));
      return false;
    case Trouble::aborted:
      if (!stop_asked_at_) {
        fail({fmt::format("batch {}: {}: {}", batch.record.number, what, verdict.message),
              ErrorKind::failure});
      }
      return false;
  }
  return false;
}

void BatchRunner::not_understood(Open& batch, const Error& error, std::string_view what) {
  later(batch, {Trouble::uncertain, error.message, {}}, what);
  constexpr int kGiveUp = 5;
  if (batch.failures < kGiveUp) return;
  pause(fmt::format("batch {}: the answer to {} is not understood: {}", batch.record.number, what,
                    error.message));
}

}  // namespace llmbatch
