#include "plan_writer.h"

#include <algorithm>

#include "row_values.h"

namespace llmbatch {
namespace {

constexpr std::uint32_t kRunsPerRow = 4096;
// RETURNING collects all its rows before the first is seen, so items are reset in pieces.
constexpr std::uint64_t kResetPiece = 4096;

}  // namespace

Status insert_invalid_line(Statement& insert, const InvalidLine& line) {
  insert.bind_unsigned(1, line.line);
  insert.bind_unsigned(2, line.offset_bytes);
  insert.bind_text_or_null(3, line.id);
  insert.bind(4, std::string_view(line.message));
  insert.bind_blob(5, line.content);
  return insert.run();
}

Status PlanWriter::clear() {
  return connection_->execute(
      "delete from invalid_lines; delete from line_map;"
      " delete from line_repeats");
}

Status PlanWriter::write_invalid_lines(InvalidLineStream& lines) {
  auto insert = connection_->prepare(kInsertInvalidLine);
  if (!insert) return forward_error(insert);
  InvalidLine line;
  for (;;) {
    auto more = lines.next(line);
    if (!more) return forward_error(more);
    if (!*more) return {};
    if (auto status = insert_invalid_line(*insert, line); !status) return status;
  }
}

Status PlanWriter::write_lines(LineRunStream& plan) {
  auto insert = connection_->prepare("insert into line_map (first_line, data) values (?1, ?2)");
  if (!insert) return forward_error(insert);
  insert_ = std::move(*insert);
  auto reset = connection_->prepare(
      "update items set state = 0, error_class = 0, http_status = null, error_message = null,"
      " output = null, output_is_json = 0, cached = 0, finished_ms = null"
      // What is in a provider batch stays there until its answer comes.
      " where seq between ?1 and ?2 and state not in (0, 2) returning seq, id_hash, request_hash");
  if (!reset) return forward_error(reset);
  reset_ = std::move(*reset);

  LineRun run;
  for (;;) {
    auto more = plan.next(run);
    if (!more) return forward_error(more);
    if (!*more) return flush();
    if (run.count == 0) continue;
    if (row_runs_ == 0) {
      row_first_line_ = run.first_line;
      packer_ = LineRunPacker(run.first_line);
    }
    packer_.add(run);
    if (has_seq(run.kind)) {
      natural_ = natural_ && run.first_seq >= next_seq_;
      next_seq_ = run.first_seq + run.count;
    }
    if (run.kind == LineKind::todo_again) {
      if (auto status = take_back(run.first_seq, run.count); !status) return status;
    }
    if (++row_runs_ == kRunsPerRow) {
      if (auto status = flush(); !status) return status;
    }
  }
}

Status PlanWriter::write_repeats(LineRunStream& repeats) {
  auto insert = connection_->prepare("insert into line_repeats (first_line, data) values (?1, ?2)");
  if (!insert) return forward_error(insert);
  LineRun run;
  for (bool more = true; more;) {
    LineRunPacker packer;
    std::uint64_t first_line = 0;
    for (std::uint32_t runs = 0; runs < kRunsPerRow; ++runs) {
      auto next = repeats.next(run);
      if (!next) return forward_error(next);
      more = *next;
      if (!more) break;
      if (runs == 0) {
        first_line = run.first_line;
        packer = LineRunPacker(first_line);
      }
      packer.add(run);
    }
    if (packer.bytes().empty()) break;
    insert->bind_unsigned(1, first_line);
    insert->bind_blob(2, packer.bytes());
    if (auto status = insert->run(); !status) return status;
  }
  return {};
}

Status PlanWriter::flush() {
  if (row_runs_ > 0) {
    insert_.bind_unsigned(1, row_first_line_);
    insert_.bind_blob(2, packer_.bytes());
    if (auto status = insert_.run(); !status) return status;
    row_runs_ = 0;
  }
  if (auto status = log_->append(records_); !status) return status;
  records_.clear();
  return {};
}

Status PlanWriter::take_back(std::uint64_t first_seq, std::uint64_t count) {
  const std::uint64_t end = first_seq + count;
  for (std::uint64_t seq = first_seq; seq < end; seq += kResetPiece) {
    const std::uint64_t last = std::min(seq + kResetPiece, end) - 1;
    if (auto status = take_back_some(seq, last); !status) return status;
    if (records_.bytes().size() >= static_cast<std::size_t>(ItemLogWriter::kFullRowBytes)) {
      if (auto status = log_->append_merged(records_); !status) return status;
      records_.clear();
    }
  }
  return {};
}

Status PlanWriter::take_back_some(std::uint64_t first_seq, std::uint64_t last_seq) {
  reset_.bind_unsigned(1, first_seq);
  reset_.bind_unsigned(2, last_seq);
  for (;;) {
    auto row = reset_.step();
    if (!row) return forward_error(row);
    if (!*row) return {};
    records_.add({read_hash(reset_, 1), read_hash(reset_, 2), reset_.unsigned_integer(0),
                  ItemState::pending});
  }
}

}  // namespace llmbatch
