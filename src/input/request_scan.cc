#include "llmbatch/input/request_scan.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "line_request.h"
#include "llmbatch/input/scan.h"

namespace llmbatch {
namespace {

constexpr std::uint64_t kSmallInputBytes = 1024 * 1024;

class RequestScan {
 public:
  RequestScan(const InputFile& input, const Provider& provider, LineRunStream& plan,
              const RequestScanOptions& options, ChunkReader chunks)
      : input_(input),
        provider_(provider),
        options_(options),
        chunks_(std::move(chunks)),
        plan_(plan) {}

  Status run(std::span<RequestVisitor* const> visitors);

 private:
  /// A chunk with the part of the plan that speaks of it.
  struct Piece {
    Chunk chunk;
    std::uint64_t first_line = 0;
    std::vector<LineRun> runs;
  };

  void work(RequestVisitor& visitor);
  bool take(Piece& piece);
  Result<bool> read(Piece& piece);
  Status read_plan(std::uint64_t end_line, std::vector<LineRun>& runs);
  Status visit_piece(const Piece& piece, LineRequest& request, Request& body,
                     RequestVisitor& visitor) const;
  bool wanted(LineKind kind, std::uint64_t seq) const;
  void fail(const Error& error);

  const InputFile& input_;
  const Provider& provider_;
  const RequestScanOptions& options_;

  std::mutex mutex_;
  // Guarded by mutex_.
  ChunkReader chunks_;
  LineRunStream& plan_;
  LineRun run_;
  std::uint64_t next_line_ = 1;
  std::optional<Error> error_;
};

Status RequestScan::run(std::span<RequestVisitor* const> visitors) {
  const bool worthwhile = input_.compressed() || input_.size_bytes() > kSmallInputBytes;
  std::vector<std::thread> others;
  for (std::size_t i = 1; worthwhile && i < visitors.size(); ++i) {
    try {
      others.emplace_back([this, visitor = visitors[i]] { work(*visitor); });
    } catch (const std::system_error&) {
      break;  // the first one does it as well, only later
    }
  }
  if (!visitors.empty()) work(*visitors[0]);
  for (std::thread& other : others) other.join();
  if (error_) return tl::unexpected<Error>(*error_);
  return {};
}

void RequestScan::work(RequestVisitor& visitor) {
  try {
    LineRequest request(options_.lines, provider_);
    Request body;
    Piece piece;
    while (take(piece)) {
      const Status visited = visit_piece(piece, request, body, visitor);
      if (!visited) return fail(visited.error());
    }
  } catch (const std::exception& error) {
    fail(Error{input_.name() + ": cannot be read: " + error.what(), ErrorKind::failure});
  }
}

bool RequestScan::take(Piece& piece) {
  std::optional<Error> error;
  {
    const std::lock_guard lock(mutex_);
    if (error_) return false;
    const Result<bool> more = read(piece);
    if (more) return *more;
    error = more.error();
  }
  fail(*error);
  return false;
}

Result<bool> RequestScan::read(Piece& piece) {
  if (options_.cancelled && options_.cancelled()) return failure(kScanCancelled);
  Result<bool> more = chunks_.next(piece.chunk);
  if (!more || !*more) return more;
  if (options_.on_progress) {
    const std::uint64_t total = input_.size_bytes();
    options_.on_progress(std::min(chunks_.consumed_bytes(), total), total);
  }
  piece.first_line = next_line_;
  next_line_ += LineSplitter(piece.chunk, next_line_).count();
  const Status planned = read_plan(next_line_, piece.runs);
  if (!planned) return forward_error(planned);
  return true;
}

/// The runs of the plan up to `end_line`.
Status RequestScan::read_plan(std::uint64_t end_line, std::vector<LineRun>& runs) {
  runs.clear();
  for (;;) {
    if (run_.count == 0) {
      const Result<bool> more = plan_.next(run_);
      if (!more) return forward_error(more);
      if (!*more) return {};
    }
    if (run_.first_line >= end_line) return {};
    LineRun part = run_;
    part.count = std::min(run_.count, end_line - run_.first_line);
    runs.push_back(part);
    run_.first_line += part.count;
    run_.count -= part.count;
    if (part.first_seq != 0) run_.first_seq += part.count;
  }
}

bool RequestScan::wanted(LineKind kind, std::uint64_t seq) const {
  if (kind == LineKind::todo || kind == LineKind::todo_again) return true;
  return kind == LineKind::done &&
         std::binary_search(options_.done_seqs.begin(), options_.done_seqs.end(), seq);
}

Status RequestScan::visit_piece(const Piece& piece, LineRequest& request, Request& body,
                                RequestVisitor& visitor) const {
  LineSplitter lines(piece.chunk, piece.first_line);
  Line line;
  for (const LineRun& run : piece.runs) {
    const bool any = run.kind == LineKind::todo || run.kind == LineKind::todo_again ||
                     (run.kind == LineKind::done && !options_.done_seqs.empty());
    if (!any) {
      lines.skip(run.count);
      continue;
    }
    for (std::uint64_t i = 0; i < run.count; ++i) {
      const std::uint64_t seq = run.first_seq + i;
      if (!wanted(run.kind, seq)) {
        lines.skip(1);
        continue;
      }
      if (!lines.next(line) || is_blank(line.text) || !request.build(line, body)) {
        return failure(input_.name() + " changed while it was read (line " +
                       std::to_string(run.first_line + i) + ")");
      }
      visitor.visit(body, seq, run.kind != LineKind::done);
    }
  }
  return {};
}

void RequestScan::fail(const Error& error) {
  const std::lock_guard lock(mutex_);
  if (!error_) error_ = error;
}

}  // namespace

Status scan_requests(const InputFile& input, const Provider& provider, LineRunStream& plan,
                     const RequestScanOptions& options, std::span<RequestVisitor* const> visitors) {
  auto bytes = input.bytes();
  if (!bytes) return forward_error(bytes);
  ChunkReader chunks(std::move(*bytes), options.chunk_bytes);
  return RequestScan(input, provider, plan, options, std::move(chunks)).run(visitors);
}

}  // namespace llmbatch
