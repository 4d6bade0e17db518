#include "scan_reader.h"

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "line_request.h"
#include "plan_files.h"

namespace llmbatch {
namespace {

constexpr std::uint64_t kSmallInputBytes = 1024 * 1024;

}  // namespace

Result<std::uint64_t> ScanReader::run() {
  auto bytes = input_.bytes();
  if (!bytes) return forward_error(bytes);
  chunks_.emplace(std::move(*bytes), options_.chunk_bytes);
  std::thread second;
  const bool worthwhile = input_.compressed() || input_.size_bytes() > kSmallInputBytes;
  if (options_.threads > 1 && worthwhile) {
    try {
      second = std::thread([this] { work(); });
    } catch (const std::system_error&) {
      // One thread does it as well, in twice the time.
    }
  }
  work();
  if (second.joinable()) second.join();
  if (error_) return tl::unexpected<Error>(*error_);
  return next_line_ - 1;
}

void ScanReader::work() {
  try {
    LineRequest request(options_.lines, provider_);
    Request body;
    Findings findings;
    while (take_chunk(findings)) {
      examine(request, body, findings);
      if (!hand_in(findings)) return;
    }
  } catch (const std::exception& error) {
    fail(Error{input_.name() + ": cannot be scanned: " + error.what(), ErrorKind::failure});
  }
}

bool ScanReader::take_chunk(Findings& findings) {
  const std::lock_guard lock(read_mutex_);
  if (options_.cancelled && options_.cancelled()) {
    fail(Error{kScanCancelled, ErrorKind::failure});
    return false;
  }
  auto more = chunks_->next(findings.chunk);
  if (!more) {
    fail(more.error());
    return false;
  }
  if (options_.on_progress) {
    const std::uint64_t total = input_.size_bytes();
    options_.on_progress(std::min(chunks_->consumed_bytes(), total), total);
  }
  if (!*more) return false;
  findings.ticket = next_ticket_++;
  findings.first_line = next_line_;
  next_line_ += LineSplitter(findings.chunk, next_line_).count();
  return true;
}

void ScanReader::examine(LineRequest& request, Request& body, Findings& findings) const {
  findings.lines.clear();
  findings.invalid.clear();
  LineSplitter lines(findings.chunk, findings.first_line);
  Line line;
  while (lines.next(line)) {
    if (is_blank(line.text)) continue;
    if (auto built = request.build(line, body); !built) {
      InvalidLine invalid{line.number, line.offset_bytes, std::string(request.id()),
                          built.error().message,
                          std::string(line.text.substr(0, kOverlongTextBytes))};
      append_invalid_line(findings.invalid, invalid);
    } else {
      if (options_.on_request) options_.on_request(body, request.request_hash());
      findings.lines.push_back({hash128(request.id()), request.request_hash(), line.number});
    }
  }
}

bool ScanReader::hand_in(Findings& findings) {
  std::unique_lock lock(collect_mutex_);
  turn_changed_.wait(lock, [&] { return error_ || turn_ == findings.ticket; });
  if (error_) return false;
  if (auto collected = collect(findings); !collected) {
    error_ = collected.error();
  }
  ++turn_;
  turn_changed_.notify_all();
  return !error_;
}

Status ScanReader::collect(const Findings& findings) {
  for (const ScannedLine& line : findings.lines) {
    auto added = lines_.append(scan_partition(line.id_hash), line);
    if (!added) return added;
    added =
        requests_.append(request_partition(line.request_hash), {line.request_hash.low, line.line});
    if (!added) return added;
  }
  return findings.invalid.empty() ? Status() : invalid_.append(findings.invalid);
}

void ScanReader::fail(const Error& error) {
  const std::lock_guard lock(collect_mutex_);
  if (!error_) error_ = error;
  turn_changed_.notify_all();
}

}  // namespace llmbatch
