// Signals as the loop sees them. They are raised in this process, which blocks them first.
#include "llmbatch/net/signal_interrupts.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>

namespace llmbatch {
namespace {

class SignalInterruptsTest : public testing::Test {
 protected:
  void SetUp() override {
    // A shell without job control starts its background jobs with SIGINT ignored.
    std::signal(SIGINT, SIG_DFL);
    SignalInterrupts::block_signals();
    auto created = SignalInterrupts::create();
    ASSERT_TRUE(created.has_value());
    interrupts_ = std::move(*created);
  }
  void TearDown() override {
    interrupts_->poll();
    SignalInterrupts::unblock_signals();
  }
  bool readable() {
    pollfd waiting{.fd = interrupts_->fd(), .events = POLLIN, .revents = 0};
    return ::poll(&waiting, 1, 0) == 1;
  }

  std::unique_ptr<SignalInterrupts> interrupts_;
};

TEST_F(SignalInterruptsTest, NothingHappenedAtFirst) {
  const InterruptState state = interrupts_->poll();
  EXPECT_EQ(state.stop_requests, 0);
  EXPECT_EQ(state.stop_signal, 0);
  EXPECT_FALSE(state.status_requested);
  EXPECT_FALSE(state.window_changed);
  EXPECT_FALSE(readable());
}

TEST_F(SignalInterruptsTest, StopRequestsAddUpAndTheFirstSignalIsRemembered) {
  raise(SIGTERM);
  EXPECT_TRUE(readable());
  EXPECT_EQ(interrupts_->poll().stop_requests, 1);
  EXPECT_FALSE(readable());
  raise(SIGINT);
  const InterruptState state = interrupts_->poll();
  EXPECT_EQ(state.stop_requests, 2);
  EXPECT_EQ(state.stop_signal, SIGTERM);
}

TEST_F(SignalInterruptsTest, HangUpIsARequestToStop) {
  raise(SIGHUP);
  const InterruptState state = interrupts_->poll();
  EXPECT_EQ(state.stop_requests, 1);
  EXPECT_EQ(state.stop_signal, SIGHUP);
}

TEST_F(SignalInterruptsTest, StatusAndWindowAreToldOnce) {
  raise(SIGUSR1);
  raise(SIGWINCH);
  const InterruptState first = interrupts_->poll();
  EXPECT_TRUE(first.status_requested);
  EXPECT_TRUE(first.window_changed);
  EXPECT_EQ(first.stop_requests, 0);
  const InterruptState second = interrupts_->poll();
  EXPECT_FALSE(second.status_requested);
  EXPECT_FALSE(second.window_changed);
}

TEST_F(SignalInterruptsTest, WritingToAClosedPipeDoesNotEndTheProcess) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  close(ends[1]);
}

}  // namespace
}  // namespace llmbatch
