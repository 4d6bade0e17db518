#include "stored_plan.h"

#include <algorithm>

namespace llmbatch {
namespace {

constexpr std::size_t kRowsAtATime = 1024;

/// Drops the lines of `run` before `line`; false when none are left.
bool cut_before(LineRun& run, std::uint64_t line) {
  if (run.first_line >= line) return true;
  const std::uint64_t dropped = line - run.first_line;
  if (dropped >= run.count) return false;
  run.first_line = line;
  run.count -= dropped;
  if (has_seq(run.kind)) run.first_seq += dropped;
  return true;
}

}  // namespace

Result<bool> StoredLineMap::next(LineRun& run) {
  for (;;) {
    while (unpacker_.next(run)) {
      if (cut_before(run, from_line_)) return true;
    }
    if (unpacker_.damaged()) return failure(connection_->path() + ": " + table_ + " is damaged");
    auto more = load_row();
    if (!more || !*more) return more;
  }
}

Result<bool> StoredLineMap::load_row() {
  const std::string condition = row_first_line_
                                    ? "first_line > ?1"
                                    : "first_line >= coalesce((select max(first_line) from " +
                                          table_ + " where first_line <= ?1), 0)";
  auto row = connection_->prepare("select first_line, data from " + table_ + " where " + condition +
                                  " order by first_line limit 1");
  if (!row) return forward_error(row);
  row->bind_unsigned(1, row_first_line_.value_or(from_line_));
  auto found = row->step();
  if (!found || !*found) return found;
  row_first_line_ = row->unsigned_integer(0);
  row_ = row->blob(1);
  unpacker_ = LineRunUnpacker(*row_first_line_, row_);
  return true;
}

Status StoredLineMap::rewind() {
  row_first_line_.reset();
  unpacker_ = LineRunUnpacker();
  return {};
}

Result<bool> RemainingPlan::next(LineRun& run) {
  if (current_.count == 0) {
    auto more = map_.next(run);
    if (!more || !*more) return more;
    if (run.kind != LineKind::todo && run.kind != LineKind::todo_again) return true;
    current_ = run;
    rows_.clear();
    row_index_ = 0;
    rows_complete_ = false;
  }
  if (row_index_ == rows_.size() && !rows_complete_) {
    if (auto status = load_rows(); !status) return forward_error(status);
  }
  cut_piece(run);
  return true;
}

Status RemainingPlan::load_rows() {
  if (!prepared_) {
    auto select = connection_->prepare(
        "select seq, state >= 3 from items where seq between ?1 and ?2 order by seq limit ?3");
    if (!select) return forward_error(select);
    select_ = std::move(*select);
    prepared_ = true;
  }
  rows_.clear();
  row_index_ = 0;
  select_.bind_unsigned(1, current_.first_seq);
  select_.bind_unsigned(2, current_.first_seq + current_.count - 1);
  select_.bind_unsigned(3, kRowsAtATime);
  for (;;) {
    auto row = select_.step();
    if (!row) return forward_error(row);
    if (!*row) break;
    rows_.push_back({select_.unsigned_integer(0), select_.integer(1) != 0});
  }
  rows_complete_ = rows_.size() < kRowsAtATime;
  return {};
}

void RemainingPlan::cut_piece(LineRun& piece) {
  piece = current_;
  if (row_index_ == rows_.size()) {
    // No row is left: the rest was never begun.
  } else if (rows_[row_index_].seq > current_.first_seq) {
    piece.count = rows_[row_index_].seq - current_.first_seq;
  } else {
    const bool final = rows_[row_index_].final;
    piece.kind = final ? LineKind::done : LineKind::todo_again;
    piece.count = 0;
    while (row_index_ < rows_.size() && rows_[row_index_].final == final &&
           rows_[row_index_].seq == current_.first_seq + piece.count) {
      ++piece.count;
      ++row_index_;
    }
  }
  current_.first_line += piece.count;
  current_.first_seq += piece.count;
  current_.count -= piece.count;
}

Status RemainingPlan::rewind() {
  current_.count = 0;
  return map_.rewind();
}

Result<bool> SeqRangeStream::next(LineRun& range) {
  bool filled = false;
  for (;;) {
    LineRun run;
    if (ahead_) {
      run = *ahead_;
      ahead_.reset();
    } else {
      auto more = runs_->next(run);
      if (!more) return more;
      if (!*more) return filled;
    }
    const bool items = has_seq(run.kind);
    if (!items && run.kind != LineKind::invalid) continue;
    if (!filled) {
      range = run;
      filled = true;
    } else if (items && has_seq(range.kind) && run.first_seq == range.first_seq + range.count &&
               run.first_line == range.first_line + range.count) {
      range.count += run.count;
    } else {
      ahead_ = run;
      return true;
    }
  }
}

}  // namespace llmbatch
