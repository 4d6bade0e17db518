// StoreWriter: the thread that makes outcomes durable. It commits whatever is queued, again and
// again, without a timer: commits grow with the load and stay small without it. An error is sticky.
// Thread rule: the loop thread calls every public function; the writer thread is its own.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "llmbatch/port/result_store.h"

namespace llmbatch {

class StoreWriter {
 public:
  /// Bounds of the queue; past them has_room() is false.
  static constexpr std::size_t kMaxQueuedBytes = 8u << 20;
  /// Bounds of one commit.
  static constexpr std::size_t kMaxCommitItems = 4096;

  /// `wake` is called from the writer thread after every commit. `items` are the counts of the
  /// current input before the run.
  StoreWriter(ResultStore& store, StateCounts items, std::function<void()> wake);
  /// Stops without committing what is queued; call finish() for that.
  ~StoreWriter();
  StoreWriter(const StoreWriter&) = delete;
  StoreWriter& operator=(const StoreWriter&) = delete;

  bool has_room() const;
  /// Queues one update; `ticket` comes back from collect() once it is durable.
  void push(ItemUpdate update, std::uint32_t ticket);
  /// Sets the state that goes with the next commit. `stamp` comes back in Collected once it is
  /// durable. With `force`, a commit is made for it even when no update is queued.
  void set_progress(RunProgress progress, SteadyTime stamp, bool force);
  /// Starts a commit of what is queued, if there is any and the thread is idle.
  void flush();

  struct Collected {
    std::vector<std::uint32_t> tickets;
    std::optional<SteadyTime> progress_stamp;
    std::optional<Error> error;
  };
  /// What became durable since the last call. Clears and fills `collected`.
  void collect(Collected& collected);

  /// Commits everything that is queued, ends the thread, and returns the sticky error if there is
  /// one.
  Status finish();

 private:
  void run();
  bool take_batch(std::unique_lock<std::mutex>& lock);
  void count_states();

  ResultStore& store_;
  std::function<void()> wake_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_.
  std::vector<ItemUpdate> queue_;
  std::vector<std::uint32_t> queue_tickets_;
  std::size_t queued_bytes_ = 0;
  RunProgress progress_;
  std::optional<SteadyTime> progress_stamp_;
  bool progress_forced_ = false;
  bool stopping_ = false;
  bool draining_ = false;
  Collected done_;

  // Owned by the writer thread.
  std::vector<ItemUpdate> batch_;
  std::vector<std::uint32_t> batch_tickets_;
  RunProgress batch_progress_;
  std::optional<SteadyTime> batch_stamp_;
  StateCounts items_;

  std::thread thread_;
};

}  // namespace llmbatch
