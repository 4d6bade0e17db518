#include "scan_fold.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace llmbatch {

ScanFold::ScanFold(const InputFile& input, const ScanOptions& options, std::uint64_t next_seq)
    : input_(input),
      options_(options),
      next_seq_(next_seq),
      runs_(std::make_shared<SpillFile>(options.temporary_directory)),
      conflicts_(options.temporary_directory),
      run_writer_(*runs_) {}

Result<ScanResult> ScanFold::fold(std::uint64_t lines, const SliceLayout& layout,
                                  const std::vector<std::unique_ptr<ScanJoin>>& joins,
                                  const ScanRepeats& repeats, std::shared_ptr<SpillFile> invalid) {
  if (repeats.any()) repeats_.emplace(repeats, layout, options_.temporary_directory);
  invalid_lines_ = std::make_unique<InvalidLineReader>(invalid);
  if (auto more = invalid_lines_->next(next_invalid_); !more) return forward_error(more);
  PageBuffer slice(std::min(lines, layout.slice_lines) * sizeof(std::uint64_t));
  auto* decisions = reinterpret_cast<std::uint64_t*>(slice.data());
  for (std::size_t i = 0; i < layout.slices; ++i) {
    const std::uint64_t first_line = 1 + i * layout.slice_lines;
    const std::uint64_t count = std::min(layout.slice_lines, lines + 1 - first_line);
    std::fill_n(decisions, count, 0);
    if (repeats_) {
      if (auto begun = repeats_->begin_slice(i); !begun) return forward_error(begun);
    }
    for (const auto& join : joins) {
      auto read = join->decisions().for_each(i, [&](const Decision& decision) {
        decisions[decision.line - first_line] = decision.value;
      });
      if (!read) return forward_error(read);
    }
    if (auto folded = fold_slice(first_line, count, decisions); !folded) {
      return forward_error(folded);
    }
  }
  if (auto finished = run_writer_.finish(); !finished) return forward_error(finished);
  counts_.lines = lines;
  auto all_invalid = with_conflicts(std::move(invalid));
  if (!all_invalid) return forward_error(all_invalid);
  ScanResult result;
  result.counts = counts_;
  result.next_seq = next_seq_;
  result.plan = make_line_run_stream(runs_);
  result.invalid = std::make_unique<InvalidLineReader>(std::move(*all_invalid));
  if (repeats_) {
    auto stream = repeats_->finish();
    if (!stream) return forward_error(stream);
    result.repeats = std::move(*stream);
    result.counts.repeats = repeats_->count();
  }
  return result;
}

Status ScanFold::fold_slice(std::uint64_t first_line, std::uint64_t count,
                            const std::uint64_t* decisions) {
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t line = first_line + i;
    if (line == next_invalid_.line) {
      ++counts_.invalid;
      if (auto added = run_writer_.add(line, LineKind::invalid, 0); !added) return added;
      auto more = invalid_lines_->next(next_invalid_);
      if (!more) return forward_error(more);
      if (!*more) next_invalid_.line = 0;
    } else if (auto folded = fold_line(line, decisions[i]); !folded) {
      return folded;
    }
  }
  return {};
}

Status ScanFold::fold_line(std::uint64_t line, std::uint64_t decision) {
  const LineKind kind = Decision::kind(decision);
  std::uint64_t seq = Decision::number(decision);
  switch (kind) {
    case LineKind::blank:
      ++counts_.blank;
      break;
    case LineKind::todo:
      ++counts_.todo;
      seq = next_seq_++;
      break;
    case LineKind::todo_again:
      ++counts_.todo;
      if (Decision::changed(decision)) ++counts_.changed;
      break;
    case LineKind::done:
      ++counts_.done_by_state[static_cast<std::size_t>(Decision::state(decision))];
      break;
    case LineKind::duplicate:
      ++counts_.duplicates;
      break;
    case LineKind::invalid: {
      ++counts_.invalid;
      if (auto added = conflicts_.append_record(Conflict{line, seq}); !added) return added;
      break;
    }
  }
  if (repeats_) {
    const bool succeeded =
        kind == LineKind::done && Decision::state(decision) == ItemState::succeeded;
    if (auto added = repeats_->add(line, kind, seq, succeeded); !added) return added;
  }
  return run_writer_.add(line, kind, seq);
}

/// The first pass did not keep the text of lines it could use: those that turned out to contradict
/// each other are read again.
Result<std::shared_ptr<SpillFile>> ScanFold::with_conflicts(std::shared_ptr<SpillFile> invalid) {
  if (conflicts_.size_bytes() == 0) return invalid;
  auto merged = std::make_shared<SpillFile>(options_.temporary_directory);
  auto bytes = input_.bytes();
  if (!bytes) return forward_error(bytes);
  LineReader reader(std::move(*bytes));
  LineParser parser(options_.lines);
  InvalidLineReader others(invalid);
  InvalidLine other;
  auto more = others.next(other);
  if (!more) return forward_error(more);
  std::string record;
  const auto append = [&](const InvalidLine& line) {
    record.clear();
    append_invalid_line(record, line);
    return merged->append(record);
  };
  SpillReader conflicts(conflicts_);
  Conflict conflict;
  for (;;) {
    auto another = conflicts.read_record(conflict);
    if (!another) return forward_error(another);
    while (*more && (!*another || other.line < conflict.line)) {
      if (auto added = append(other); !added) return forward_error(added);
      if (more = others.next(other); !more) return forward_error(more);
    }
    if (!*another) return merged;
    auto described = describe(reader, parser, conflict);
    if (!described) return forward_error(described);
    if (auto added = append(*described); !added) return forward_error(added);
  }
}

Result<InvalidLine> ScanFold::describe(LineReader& reader, LineParser& parser,
                                       const Conflict& conflict) {
  if (options_.cancelled && options_.cancelled()) return failure(kScanCancelled);
  auto skipped = reader.skip(conflict.line - 1 - lines_read_);
  if (!skipped) return forward_error(skipped);
  Line line;
  auto read = reader.next(line);
  if (!read) return forward_error(read);
  lines_read_ = conflict.line;
  LineFields fields;
  if (!*read || !parser.parse(line, fields)) {
    return usage_error(input_.name() + " changed while it was being read (line " +
                       std::to_string(conflict.line) + ")");
  }
  return InvalidLine{conflict.line, line.offset_bytes, std::string(fields.id),
                     "id '" + std::string(fields.id) + "' also stands on line " +
                         std::to_string(conflict.other_line) + " with other content",
                     std::string(line.text.substr(0, kOverlongTextBytes))};
}

}  // namespace llmbatch
