// The request file of a batch, from its first piece to the moment when it goes on its way: to the
// provider, or to the user.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "batch_filling.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// Ends the name of a file that is not complete.
constexpr std::string_view kPartial = ".partial";

}  // namespace

/// The file that is to be the user's has its name from the number of the batch, and until it is
/// complete another one.
bool BatchRunner::open_file(Filling& filling) {
  BatchRecord& record = filling.record;
  const bool writes = !settings_.write_directory.empty();
  if (writes && !check(parts_.journal.add(record))) return false;
  record.file_path = writes ? written_path(record) + std::string(kPartial) : spool_path(record);
  if (writes && access(written_path(record).c_str(), F_OK) == 0) {
    fail({written_path(record) + ": exists already (name another directory with -o)",
          ErrorKind::usage});
    return false;
  }
  filling.file.reset(open(record.file_path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!filling.file.valid()) {
    fail({record.file_path + ": " + errno_text(errno), ErrorKind::failure});
    return false;
  }
  return writes ? write_record(record) : check(parts_.journal.add(record));
}

std::string BatchRunner::spool_path(const BatchRecord& record) const {
  return fmt::format("{}{}.jsonl", settings_.spool_prefix, batch_key(record));
}

std::string BatchRunner::written_path(const BatchRecord& record) const {
  return fmt::format("{}/batch-{}.jsonl", settings_.write_directory, record.number);
}

/// Gives a complete file to the user.
bool BatchRunner::hand_over(Filling& filling) {
  BatchRecord& record = filling.record;
  const std::string path = written_path(record);
  if (rename(record.file_path.c_str(), path.c_str()) != 0) {
    fail({path + ": " + errno_text(errno), ErrorKind::failure});
    return false;
  }
  record.file_path = path;
  return true;
}

bool BatchRunner::write_piece(Filling& filling) {
  if (const Status written = write_all(filling.file.get(), filling.buffer); !written) {
    fail({filling.record.file_path + ": " + written.error().message, ErrorKind::failure});
    return false;
  }
  filling.buffer.clear();
  const RunProgress progress = describe_progress();
  BatchCommit commit;
  commit.record = &filling.record;
  commit.items = filling.updates;
  commit.submissions = filling.submissions;
  commit.progress = &progress;
  if (const Status written = parts_.journal.write(commit); !written) {
    fail(written.error());
    return false;
  }
  filling.updates.clear();
  filling.submissions.clear();
  filling.unstored.clear();
  return true;
}

/// The request file is complete; the batch goes on its way.
bool BatchRunner::seal(Filling& filling) {
  if (filling.record.requests == 0) {
    filling.record.stage = BatchStage::discarded;
    unlink(filling.record.file_path.c_str());
    return write_record(filling.record);
  }
  if (!filling.buffer.empty() || !filling.updates.empty()) {
    if (!write_piece(filling)) return false;
  }
  if (fsync(filling.file.get()) != 0) {
    fail({filling.record.file_path + ": " + errno_text(errno), ErrorKind::failure});
    return false;
  }
  const bool writes = !settings_.write_directory.empty();
  if (writes && !hand_over(filling)) return false;
  filling.record.stage = writes ? BatchStage::written : BatchStage::ready;
  if (!write_record(filling.record)) return false;
  Open batch;
  batch.record = filling.record;
  batch.interval = settings_.poll_interval;
  batch.next_at = parts_.clock.now();
  open_.push_back(std::move(batch));
  return true;
}

void BatchRunner::seal_all() {
  for (const auto& filling : fillings_) {
    if (!seal(*filling)) return;
  }
  fillings_.clear();
}

}  // namespace llmbatch
