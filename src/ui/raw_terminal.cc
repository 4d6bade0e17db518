#include "llmbatch/ui/raw_terminal.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace llmbatch {
namespace {

// Keys that are sequences arrive in one piece; a lone Escape is told by nothing coming after it.
constexpr int kEscapeWaitMs = 30;
constexpr std::size_t kReadBytes = 256;
constexpr int kNarrowest = 20;
constexpr int kLowest = 8;

// Its own screen, so that what was on the terminal is there again afterwards.
constexpr std::string_view kEnter = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J";
constexpr std::string_view kLeave = "\x1b[0m\x1b[?25h\x1b[?1049l";

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH, SIGCONT, SIGTSTP}) {
    sigaddset(&set, number);
  }
  return set;
}

}  // namespace

Result<std::unique_ptr<RawTerminal>> RawTerminal::open(int in, int out, TerminalTraits traits) {
  std::unique_ptr<RawTerminal> terminal(new RawTerminal(in, out, traits));
  const sigset_t set = handled_signals();
  sigemptyset(&terminal->saved_mask_);
  if (tcgetattr(in, &terminal->saved_) != 0) {
    return usage_error("the terminal cannot be used: " + errno_text(errno));
  }
  pthread_sigmask(SIG_BLOCK, &set, &terminal->saved_mask_);
  terminal->signals_.reset(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!terminal->signals_.valid()) return failure("signalfd: " + errno_text(errno));
  terminal->enter();
  return terminal;
}

RawTerminal::~RawTerminal() {
  if (!signals_.valid()) return;
  leave();
  pthread_sigmask(SIG_SETMASK, &saved_mask_, nullptr);
}

void RawTerminal::enter() {
  termios raw = saved_;
  raw.c_iflag &= ~static_cast<tcflag_t>(BRKINT | ICRNL | INPCK | ISTRIP | IXON);
  raw.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | IEXTEN | ISIG);
  raw.c_oflag &= ~static_cast<tcflag_t>(OPOST);
  raw.c_cc[VMIN] = 1;
  raw.c_cc[VTIME] = 0;
  tcsetattr(in_, TCSADRAIN, &raw);
  if (traits_.live) write(kEnter);
  refresh_size();
}

void RawTerminal::leave() {
  if (traits_.live) write(kLeave);
  tcsetattr(in_, TCSADRAIN, &saved_);
}

void RawTerminal::refresh_size() {
  winsize size{};
  if (ioctl(out_, TIOCGWINSZ, &size) != 0) return;
  if (size.ws_col > 0) columns_ = std::max<int>(kNarrowest, size.ws_col);
  if (size.ws_row > 0) rows_ = std::max<int>(kLowest, size.ws_row);
}

void RawTerminal::write(std::string_view bytes) {
  // A terminal that is gone shows in the next wait().
  static_cast<void>(write_all(out_, bytes));
}

void RawTerminal::suspend() {
  leave();
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTSTP);
  pthread_sigmask(SIG_UNBLOCK, &stop, nullptr);
  raise(SIGTSTP);  // returns after SIGCONT
  pthread_sigmask(SIG_BLOCK, &stop, nullptr);
  enter();
}

void RawTerminal::read_signal(TerminalEvent& event) {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGWINCH:
        refresh_size();
        event.redraw = true;
        break;
      case SIGCONT:
        // Somebody stopped us without asking: the shell has changed the terminal since.
        enter();
        event.redraw = true;
        break;
      case SIGTSTP:
        suspend();
        event.redraw = true;
        break;
      default:
        event.stop_signal = static_cast<int>(info.ssi_signo);
        break;
    }
  }
}

void RawTerminal::read_keys(TerminalEvent& event) {
  std::array<char, kReadBytes> buffer{};
  const ssize_t count = ::read(in_, buffer.data(), buffer.size());
  if (count == 0 || (count < 0 && errno != EINTR && errno != EAGAIN)) {
    event.hung_up = true;
    return;
  }
  if (count > 0) unread_.append(buffer.data(), static_cast<std::size_t>(count));
  event.keys = take_keys(unread_, false);
}

TerminalEvent RawTerminal::wait() {
  TerminalEvent event;
  for (;;) {
    std::array<pollfd, 2> fds{pollfd{in_, POLLIN, 0}, pollfd{signals_.get(), POLLIN, 0}};
    const int ready = poll(fds.data(), fds.size(), unread_.empty() ? -1 : kEscapeWaitMs);
    if (ready < 0 && errno != EINTR) {
      event.hung_up = true;
      return event;
    }
    if (ready == 0) event.keys = take_keys(unread_, true);
    if (ready > 0 && fds[1].revents != 0) read_signal(event);
    if (ready > 0 && fds[0].revents != 0) read_keys(event);
    const bool any = !event.keys.empty() || event.redraw || event.hung_up;
    if (any || event.stop_signal != 0) return event;
  }
}

}  // namespace llmbatch
