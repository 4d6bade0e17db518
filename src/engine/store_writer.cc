#include "llmbatch/engine/store_writer.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "llmbatch/base/thread_turns.h"

namespace llmbatch {

StoreWriter::StoreWriter(ResultStore& store, StateCounts items, std::function<void()> wake)
    : store_(store), wake_(std::move(wake)), items_(items), thread_([this] { run(); }) {}

StoreWriter::~StoreWriter() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

bool StoreWriter::has_room() const {
  const std::lock_guard lock(mutex_);
  return queued_bytes_ < kMaxQueuedBytes;
}

void StoreWriter::push(ItemUpdate update, std::uint32_t ticket) {
  const std::lock_guard lock(mutex_);
  queued_bytes_ += update.size_bytes();
  queue_.push_back(std::move(update));
  queue_tickets_.push_back(ticket);
}

void StoreWriter::set_progress(RunProgress progress, SteadyTime stamp, bool force) {
  const std::lock_guard lock(mutex_);
  // A status that has not been stored yet is better than none.
  if (!progress.status) progress.status = std::move(progress_.status);
  progress_ = std::move(progress);
  progress_stamp_ = stamp;
  progress_forced_ = progress_forced_ || force;
}

void StoreWriter::flush() {
  const bool something = [this] {
    const std::lock_guard lock(mutex_);
    return !queue_.empty() || progress_forced_;
  }();
  if (something) changed_.notify_one();
}

void StoreWriter::collect(Collected& collected) {
  collected.tickets.clear();
  collected.progress_stamp.reset();
  const std::lock_guard lock(mutex_);
  std::swap(collected.tickets, done_.tickets);
  collected.progress_stamp = std::exchange(done_.progress_stamp, std::nullopt);
  collected.error = done_.error;
}

Status StoreWriter::finish() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      draining_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }
  const std::lock_guard lock(mutex_);
  if (done_.error) return tl::unexpected<Error>(*done_.error);
  return {};
}

bool StoreWriter::take_batch(std::unique_lock<std::mutex>& lock) {
  changed_.wait(lock,
                [this] { return stopping_ || draining_ || !queue_.empty() || progress_forced_; });
  if (stopping_ || done_.error) return false;
  if (queue_.empty() && !progress_forced_) return false;
  batch_.clear();
  batch_tickets_.clear();
  if (queue_.size() <= kMaxCommitItems) {
    std::swap(batch_, queue_);
    std::swap(batch_tickets_, queue_tickets_);
    queued_bytes_ = 0;
  } else {
    const auto count = static_cast<std::ptrdiff_t>(kMaxCommitItems);
    std::move(queue_.begin(), queue_.begin() + count, std::back_inserter(batch_));
    std::copy_n(queue_tickets_.begin(), count, std::back_inserter(batch_tickets_));
    queue_.erase(queue_.begin(), queue_.begin() + count);
    queue_tickets_.erase(queue_tickets_.begin(), queue_tickets_.begin() + count);
    for (const ItemUpdate& update : batch_) queued_bytes_ -= update.size_bytes();
  }
  batch_progress_ = progress_;
  progress_.status.reset();
  batch_stamp_ = std::exchange(progress_stamp_, std::nullopt);
  progress_forced_ = false;
  return true;
}

void StoreWriter::count_states() {
  for (const ItemUpdate& update : batch_) {
    if (!is_final(update.state)) continue;
    ++items_[update.state];
    --items_[ItemState::pending];
  }
  batch_progress_.items = items_;
}

void StoreWriter::run() {
  // Its waits for the disk are what the calls in flight wait for.
  ask_for_short_turns();
  std::unique_lock lock(mutex_);
  while (take_batch(lock)) {
    lock.unlock();
    count_states();
    const Status committed = store_.commit(batch_, batch_progress_);
    lock.lock();
    if (committed) {
      done_.tickets.insert(done_.tickets.end(), batch_tickets_.begin(), batch_tickets_.end());
      if (batch_stamp_) done_.progress_stamp = batch_stamp_;
    } else {
      done_.error = committed.error();
    }
    lock.unlock();
    wake_();
    lock.lock();
  }
}

}  // namespace llmbatch
