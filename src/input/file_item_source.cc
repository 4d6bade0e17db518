#include "llmbatch/input/file_item_source.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "line_request.h"

namespace llmbatch {
namespace {

bool is_todo(LineKind kind) { return kind == LineKind::todo || kind == LineKind::todo_again; }

}  // namespace

FileItemSource::FileItemSource(const InputFile& input, const Provider& provider,
                               std::unique_ptr<LineRunStream> plan, FileItemSourceOptions options,
                               std::unique_ptr<ByteSource> bytes)
    : input_(input),
      name_(input.name()),
      options_(std::move(options)),
      plan_(std::move(plan)),
      reader_(std::move(bytes), options_.chunk_bytes),
      request_(std::make_unique<LineRequest>(options_.lines, provider)),
      next_line_(options_.start_line) {}

FileItemSource::~FileItemSource() = default;

Result<std::unique_ptr<FileItemSource>> FileItemSource::open(const InputFile& input,
                                                             const Provider& provider,
                                                             std::unique_ptr<LineRunStream> plan,
                                                             FileItemSourceOptions options) {
  auto bytes = input.bytes();
  if (!bytes) return forward_error(bytes);
  std::unique_ptr<FileItemSource> source(
      new FileItemSource(input, provider, std::move(plan), std::move(options), std::move(*bytes)));
  const auto& start = source->options_;
  if (start.start_offset_bytes > 0 && source->reader_.seekable()) {
    auto sought = source->reader_.seek(start.start_offset_bytes, start.start_line);
    if (!sought) return forward_error(sought);
    source->reader_line_ = start.start_line;
  }
  return source;
}

Result<bool> FileItemSource::next(Item& item) {
  try {
    auto found = find_todo();
    if (!found || !*found) return found;
    const std::uint64_t seq = run_.first_seq + (next_line_ - run_.first_line);
    if (auto read = read_item(seq, item); !read) return forward_error(read);
    item.same_as = 0;
    if (options_.repeats) {
      const auto other = same_as();
      if (!other) return forward_error(other);
      item.same_as = *other;
    }
    ++next_line_;
    return true;
  } catch (const std::exception& error) {
    return failure(name_ + ": cannot be read: " + error.what());
  }
}

/// Moves next_line_ to the next line that is to be run; false when there is none.
Result<bool> FileItemSource::find_todo() {
  for (;;) {
    const std::uint64_t run_end = run_.first_line + run_.count;
    if (next_line_ >= run_end) {
      auto more = plan_->next(run_);
      if (!more || !*more) {
        run_.count = 0;
        return more;
      }
      next_line_ = std::max(next_line_, run_.first_line);
    } else if (!is_todo(run_.kind)) {
      next_line_ = run_end;
    } else if (is_done(next_line_)) {
      ++next_line_;
    } else {
      return true;
    }
  }
}

bool FileItemSource::is_done(std::uint64_t line) {
  const auto& done = options_.done_lines;
  while (next_done_ < done.size() && done[next_done_] < line) ++next_done_;
  return next_done_ < done.size() && done[next_done_] == line;
}

/// The item that has the request of next_line_, or 0.
Result<std::uint64_t> FileItemSource::same_as() {
  while (repeat_.first_line + repeat_.count <= next_line_) {
    const auto more = options_.repeats->next(repeat_);
    if (!more) return forward_error(more);
    if (!*more) {
      repeat_ = LineRun{~std::uint64_t{0}, 0, LineKind::blank, 0};
      return 0;
    }
  }
  if (repeat_.first_line > next_line_) return 0;
  return repeat_.first_seq + (next_line_ - repeat_.first_line);
}

Status FileItemSource::read_item(std::uint64_t seq, Item& item) {
  const std::uint64_t behind = next_line_ - reader_line_;
  auto skipped = reader_.skip(behind);
  if (!skipped) return forward_error(skipped);
  Line line;
  auto read = reader_.next(line);
  if (!read) return forward_error(read);
  if (*skipped != behind || !*read) return changed();
  // Asked after the read: what was read before a change is still what was scanned.
  if (options_.identity && reader_.loads() != checked_loads_) {
    checked_loads_ = reader_.loads();
    const auto same = input_.still_holds(*options_.identity);
    if (!same) return forward_error(same);
    if (!*same) return changed();
  }
  reader_line_ = next_line_ + 1;
  // The scan could use this line; if it cannot be used now, it is not the line that was scanned.
  if (is_blank(line.text) || !request_->build(line, item.request)) return changed();
  item.seq = seq;
  item.id.assign(request_->id());
  item.id_hash = hash128(item.id);
  item.request_hash = request_->request_hash();
  item.place = {line.number, line.offset_bytes, static_cast<std::uint32_t>(line.text.size())};
  item.own_model = request_->own_model();
  item.attempts = 0;
  item.input_text.clear();
  if (options_.store_input) item.input_text.assign(line.text);
  return {};
}

tl::unexpected<Error> FileItemSource::changed() const {
  return failure(name_ + " changed while the run was reading it (line " +
                 std::to_string(next_line_) + ")");
}

}  // namespace llmbatch
