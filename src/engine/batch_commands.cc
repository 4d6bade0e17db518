// What is done to batches on demand: cancelled, forgotten, or given answers that somebody else
// brought.
#include <fmt/format.h>

#include <algorithm>

#include "batch_filling.h"
#include "llmbatch/base/text.h"
#include "spool_reader.h"

namespace llmbatch {

void BatchRunner::for_each_open(std::span<const std::int64_t> numbers,
                                const std::function<void(Open&)>& task) {
  refresh_status();
  if (!check(load())) return;
  for (const std::int64_t number : numbers) {
    if (ended_ || check_stop()) break;
    const auto found = std::find_if(open_.begin(), open_.end(), [number](const Open& batch) {
      return batch.record.number == number;
    });
    // What was being filled when a run was killed is given up by now.
    if (found != open_.end()) task(*found);
  }
  std::erase_if(open_, [](const Open& batch) { return !is_open(batch.record.stage); });
}

RunResult BatchRunner::cancel(std::span<const std::int64_t> numbers) {
  // The others are asked all the same.
  int refused = 0;
  for_each_open(numbers, [&](Open& batch) { refused += cancel_now(batch) ? 0 : 1; });
  if (refused > 0) {
    fail({refused == 1 ? "1 batch could not be cancelled"
                       : fmt::format("{} batches could not be cancelled", refused),
          ErrorKind::failure});
  }
  return finish();
}

bool BatchRunner::cancel_now(Open& batch) {
  if (!find_out(batch)) return true;
  if (batch.record.stage == BatchStage::written) {
    tell(
        fmt::format("batch {}: nothing to cancel, its requests were written to {}; `llmbatch "
                    "batches forget {}` gives its items back",
                    batch.record.number, batch.record.file_path, batch.record.number));
    return true;
  }
  return cancel(batch) || ended_;
}

/// Settles whether a step whose answer was never seen was taken. False: it stays open.
bool BatchRunner::find_out(Open& batch) {
  const auto uncertain = [&batch] {
    return batch.record.call_begun_at && batch.record.stage != BatchStage::submitted &&
           is_open(batch.record.stage);
  };
  while (uncertain() && !ended_) {
    if (check_stop()) return false;
    if (batch.next_at > parts_.clock.now()) {
      parts_.client.wait_until(batch.next_at);
    } else {
      advance(batch);
    }
  }
  return !ended_;
}

RunResult BatchRunner::forget(std::span<const std::int64_t> numbers) {
  for_each_open(numbers, [this](Open& batch) {
    const std::int64_t before = items_[ItemState::pending];
    // The provider may send its bill all the same.
    const bool sent =
        batch.record.stage == BatchStage::submitted || batch.record.call_begun_at.has_value();
    if (!give_back_rest(batch, false)) return;
    batch.record.message = "forgotten";
    if (!close(batch, BatchStage::discarded, sent)) return;
    const std::int64_t items = items_[ItemState::pending] - before;
    tell(fmt::format("batch {}: forgotten; {} item{} pending again", batch.record.number,
                     group_digits(items), items == 1 ? " is" : "s are"));
  });
  return finish();
}

RunResult BatchRunner::read(std::span<const ResultFile> files, ReadLines& lines) {
  status_.running = true;
  status_.started_at = parts_.clock.wall_now();
  refresh_status();
  if (!check(load())) return finish();
  for (const ResultFile& file : files) {
    if (!verify_file(file)) return finish();
  }
  for (const ResultFile& file : files) {
    if (check_stop() || !apply_file(file.path, false, lines)) break;
  }
  if (!error_ && write_updates(nullptr)) {
    for (Open& batch : open_) {
      if (!conclude_batch(batch, lines)) break;
    }
  }
  std::erase_if(open_, [](const Open& batch) { return !is_open(batch.record.stage); });
  // What a run would pause for is the next run's to find out.
  if (!pause_wanted_.empty()) tell("warning: " + pause_wanted_);
  return finish();
}

bool BatchRunner::verify_file(const ResultFile& file) {
  auto reader = SpoolReader::open(file.path);
  if (!reader) {
    fail({reader.error().message, ErrorKind::usage});
    return false;
  }
  std::string_view line;
  for (;;) {
    if (check_stop()) return false;
    const auto more = reader->next(line);
    if (!check(more)) return false;
    if (!*more) return true;
    if (const Status usable = verify_line(line); !usable) {
      fail({fmt::format("{}:{}: {}; nothing was stored", file.name, reader->number(),
                        sanitize_for_terminal(usable.error().message)),
            ErrorKind::usage});
      return false;
    }
  }
}

Status BatchRunner::verify_line(std::string_view line) {
  const auto answer = parse_answer(line);
  if (!answer) return forward_error(answer);
  const auto id = parse_custom_id(answer->custom_id);
  const Open* batch = id ? batch_of(id->key) : nullptr;
  if (batch == nullptr) return {};
  if (id->seq < batch->record.first_seq || id->seq > batch->record.last_seq) {
    return failure(fmt::format("custom_id '{}' is no request of batch {}", answer->custom_id,
                               batch->record.number));
  }
  return {};
}

/// Counts what is left of a batch anew: a kill may have come between its answers and its row.
bool BatchRunner::conclude_batch(Open& batch, ReadLines& lines) {
  const std::int64_t before = batch.record.answered;
  constexpr std::size_t kPiece = 1000;
  std::int64_t left = 0;
  std::uint64_t after = 0;
  for (;;) {
    const auto rest = parts_.journal.submissions_of(batch.record, after, kPiece);
    if (!check(rest)) return false;
    if (rest->empty()) break;
    left += static_cast<std::int64_t>(rest->size());
    after = rest->back().seq;
  }
  batch.record.answered = batch.record.requests - left - batch.record.unanswered;
  const bool news = lines.stored > 0 || batch.record.answered != before;
  if (left > 0) return !news || write_record(batch.record);
  lines.collected.push_back(batch.record.number);
  return close(batch, BatchStage::collected);
}

}  // namespace llmbatch
