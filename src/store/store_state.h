// Store::State: the connection that writes, shared by the Store and its BatchJournal.
// Thread rule: that of the Store.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "commit_writer.h"
#include "connection.h"
#include "llmbatch/store/store.h"
#include "write_lock.h"

namespace llmbatch {

struct Store::State {
  explicit State(WriteLock write_lock) : lock(std::move(write_lock)) {}

  WriteLock lock;  // first: let go of after the connection was closed
  std::unique_ptr<Connection> connection;
  CommitWriter writer;
  Statement insert_invalid;
  std::int64_t run = 0;
  std::optional<Error> sticky;

  /// Runs `write` in a transaction; the first error is kept for good.
  template <typename Write>
  Status transact(Write&& write) {
    if (sticky) return tl::unexpected<Error>(*sticky);
    Status status = [&]() -> Status {
      auto transaction = Transaction::begin(*connection);
      if (!transaction) return forward_error(transaction);
      if (Status written = write(); !written) return written;
      return transaction->commit();
    }();
    if (!status) sticky = status.error();
    return status;
  }

  /// `natural`: whether seqs rise with the lines.
  Status write_plan(const RunStart& start, bool& natural);
};

}  // namespace llmbatch
