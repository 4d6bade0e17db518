#include "review_sheets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <unordered_map>

#include "llmbatch/base/text.h"
#include "llmbatch/report/output_file.h"
#include "llmbatch/report/review_sheet.h"

namespace llmbatch {
namespace {

constexpr std::size_t kMaxSheetBytes = std::size_t{1} << 30U;

Result<SheetFormat> format_of(const Settings& settings, const std::string& path) {
  if (settings.has("format")) {
    return settings.text("format") == "csv" ? SheetFormat::csv : SheetFormat::jsonl;
  }
  const auto format = sheet_format_of(path);
  if (format) return *format;
  return usage_error(fmt::format("{}: neither .csv nor .jsonl; name the form with --format", path));
}

Result<std::string> read_stdin() {
  std::string text;
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return usage_error("stdin: cannot be read: " + errno_text(errno));
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > kMaxSheetBytes) return usage_error("stdin: too large for a sheet");
  }
}

struct HashOfId {
  std::size_t operator()(const Hash128& hash) const { return static_cast<std::size_t>(hash.low); }
};

/// Checks the rows of a sheet against the items, and makes records of them.
class SheetImport {
 public:
  SheetImport(ReviewJob& job, std::string file, WallTime now)
      : job_(job), file_(std::move(file)), now_(now) {}

  Status check(std::vector<SheetVerdict> rows) {
    rows_ = std::move(rows);
    for (std::size_t i = 0; i < rows_.size(); ++i) index(i);
    Status read = job_.reader().for_each(kReviewedStates, [this](const ReviewCandidate& candidate) {
      const auto found = by_id_.find(candidate.id_hash);
      if (found != by_id_.end()) candidates_[found->second] = candidate;
    });
    if (!read) return read;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      if (Status checked = check_row(i); !checked) return checked;
    }
    if (!faults_.empty()) return sheet_error(faults_);
    return {};
  }

  const std::vector<VerdictRecord>& records() const { return records_; }
  std::size_t unchanged() const { return unchanged_; }
  std::size_t empty() const { return empty_; }

 private:
  void fault(const SheetVerdict& row, std::string_view what) {
    faults_.push_back(fmt::format("{}:{}: {}", file_, row.line, what));
  }

  static std::string shown(const SheetVerdict& row) {
    return truncate_chars(sanitize_for_terminal(row.id), 60);
  }

  void index(std::size_t i) {
    const auto [place, added] = by_id_.emplace(hash128(rows_[i].id), i);
    if (added) return;
    fault(rows_[i], fmt::format("id '{}' stands on line {}, too", shown(rows_[i]),
                                rows_[place->second].line));
  }

  Status check_row(std::size_t i) {
    const SheetVerdict& row = rows_[i];
    const auto found = candidates_.find(i);
    if (found == candidates_.end()) {
      if (by_id_.at(hash128(row.id)) == i) {
        fault(row, fmt::format("no item '{}' with a result in the current input", shown(row)));
      }
      return {};
    }
    const ReviewCandidate& candidate = found->second;
    if (!row.verdict) {
      ++empty_;
      return {};
    }
    if (row.attempt_id && *row.attempt_id != candidate.attempt_id) {
      fault(row, fmt::format("'{}' was answered again since the sheet was written (attempt {}, now "
                             "{})",
                             shown(row), *row.attempt_id, candidate.attempt_id));
      return {};
    }
    if (is_decision(*row.verdict) && candidate.state == ItemState::succeeded) {
      fault(row, fmt::format("'{}' is succeeded: there is nothing to {}", shown(row),
                             to_string(*row.verdict)));
      return {};
    }
    return add(row, candidate);
  }

  Status add(const SheetVerdict& row, const ReviewCandidate& candidate) {
    auto item = job_.reader().item(candidate.seq, candidate.line);
    if (!item) return forward_error(item);
    if (!*item) {
      fault(row, fmt::format("'{}' has no result any more", shown(row)));
      return {};
    }
    if (*row.verdict == Verdict::accept && !(*item)->result.output) {
      fault(row, fmt::format("'{}' has no answer to accept", shown(row)));
      return {};
    }
    const auto before = job_.reader().verdict_on(**item);
    if (!before) return forward_error(before);
    if (*before && (*before)->verdict == *row.verdict && (*before)->note == row.note) {
      ++unchanged_;
      return {};
    }
    records_.push_back(job_.record(**item, *row.verdict, row.note, now_));
    return {};
  }

  ReviewJob& job_;
  std::string file_;
  WallTime now_;
  std::vector<SheetVerdict> rows_;
  std::unordered_map<Hash128, std::size_t, HashOfId> by_id_;
  std::unordered_map<std::size_t, ReviewCandidate> candidates_;  ///< by row
  std::vector<std::string> faults_;
  std::vector<VerdictRecord> records_;
  std::size_t unchanged_ = 0;
  std::size_t empty_ = 0;
};

}  // namespace

Status export_sheet(ReviewJob& job, const Settings& settings, const std::string& path) {
  const auto format = format_of(settings, path);
  if (!format) return forward_error(format);
  if (Status free = job.check_target("--export", path); !free) return free;
  auto output = OutputFile::open(path);
  if (!output) return forward_error(output);
  std::vector<SampledItem> items = job.selected();
  // Lines that are not at their stored place are read one after another.
  std::sort(items.begin(), items.end(),
            [](const SampledItem& a, const SampledItem& b) { return a.line < b.line; });
  if (auto written = output->write(sheet_header(*format)); !written) return written;
  std::string text;
  for (const SampledItem& item : items) {
    const auto row = job.row(item);
    if (!row) return forward_error(row);
    if (!*row) continue;
    auto line = job.line_of(**row);
    if (!line) return forward_error(line);
    const auto verdict = job.reader().verdict_on(**row);
    if (!verdict) return forward_error(verdict);
    const ItemResult& result = (*row)->result;
    SheetRow sheet{
        result.id, result.state, std::move(line->text), result.output, result.output_is_json,
        {},        "",           (*row)->attempt_id};
    if (*verdict) {
      sheet.verdict = (*verdict)->verdict;
      sheet.note = (*verdict)->note;
    }
    text.clear();
    append_sheet_row(text, sheet, *format, settings.flag("csv-safe"));
    if (auto written = output->write(text); !written) return written;
  }
  return output->finish();
}

Result<std::string> import_sheet(ReviewJob& job, const Settings& settings, const std::string& path,
                                 const Clock& clock) {
  const auto format = format_of(settings, path);
  if (!format) return forward_error(format);
  const std::string name = path == "-" ? "stdin" : path;
  auto text = path == "-" ? read_stdin() : read_file(path, kMaxSheetBytes);
  if (!text) return usage_error(text.error().message);
  auto rows = parse_review_sheet(*text, *format, name);
  if (!rows) return forward_error(rows);
  SheetImport import(job, name, clock.wall_now());
  if (Status checked = import.check(std::move(*rows)); !checked) return forward_error(checked);
  if (!import.records().empty()) {
    if (Status stored = job.store_all(import.records()); !stored) return forward_error(stored);
  }
  return fmt::format("{}: {} verdicts stored, {} as they were, {} rows without a verdict", name,
                     import.records().size(), import.unchanged(), import.empty());
}

}  // namespace llmbatch
