#include "llmbatch/net/signal_interrupts.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace llmbatch {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGWINCH}) sigaddset(&set, signal);
  return set;
}

/// Blocked signals are queued even when their disposition is "ignore", so these are left out.
void remove_ignored(sigset_t& set) {
  for (const int signal : {SIGINT, SIGHUP}) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN) {
      sigdelset(&set, signal);
    }
  }
}

void count(InterruptState& state, int signal) {
  if (signal == SIGUSR1) {
    state.status_requested = true;
  } else if (signal == SIGWINCH) {
    state.window_changed = true;
  } else {
    ++state.stop_requests;
    if (state.stop_signal == 0) state.stop_signal = signal;
  }
}

}  // namespace

void SignalInterrupts::block_signals() {
  sigset_t set = handled_signals();
  remove_ignored(set);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

void SignalInterrupts::unblock_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  struct sigaction standard {};
  standard.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &standard, nullptr);
}

Result<std::unique_ptr<SignalInterrupts>> SignalInterrupts::create() {
  sigset_t set = handled_signals();
  remove_ignored(set);
  UniqueFd signals(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals.valid()) return failure("signals: cannot be watched: " + errno_text(errno));
  return std::unique_ptr<SignalInterrupts>(new SignalInterrupts(std::move(signals)));
}

InterruptState SignalInterrupts::poll() {
  std::array<signalfd_siginfo, 16> news{};
  for (;;) {
    const ssize_t size = read(signals_.get(), news.data(), sizeof(news));
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) break;
    const auto entries = static_cast<std::size_t>(size) / sizeof(signalfd_siginfo);
    for (std::size_t i = 0; i < entries; ++i) count(state_, static_cast<int>(news[i].ssi_signo));
  }
  const InterruptState result = state_;
  state_.status_requested = false;
  state_.window_changed = false;
  return result;
}

}  // namespace llmbatch
