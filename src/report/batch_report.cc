#include "llmbatch/report/batch_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr std::size_t kColumns = 9;
using Row = std::array<std::string, kColumns>;
constexpr std::size_t kMessageChars = 100;

// How much is shown of `2026-11-26T07:00:00.000Z`.
constexpr std::size_t kToTheMinute = 16;
constexpr std::size_t kToTheSecond = 19;

std::string shown(const std::optional<WallTime>& time, std::size_t chars) {
  return time ? format_rfc3339(*time).substr(0, chars) + "Z" : "-";
}

/// What the provider counts while it works on it; afterwards what is stored.
std::string done_text(const BatchRecord& batch) {
  if (batch.stage == BatchStage::submitted && batch.counts) {
    return group_digits(std::max(batch.answered, batch.counts->succeeded + batch.counts->failed));
  }
  return batch.answered > 0 || !is_open(batch.stage) ? group_digits(batch.answered) : "-";
}

Row row_of(const BatchRecord& batch) {
  // What has no fixed width is last: a narrow window wraps nothing else.
  return {std::to_string(batch.number),
          describe_batch(batch).state,
          group_digits(batch.requests),
          done_text(batch),
          is_open(batch.stage) ? "-" : group_digits(batch.unanswered),
          shown(batch.created_at, kToTheMinute),
          is_open(batch.stage) ? shown(batch.expires_at, kToTheMinute) : "-",
          batch.remote_id.empty() ? "-" : sanitize_for_terminal(batch.remote_id),
          sanitize_for_terminal(truncate_chars(batch.message, kMessageChars))};
}

std::string padded(const std::string& text, std::size_t width, bool right) {
  const auto used = static_cast<std::size_t>(std::max(0, display_width(text)));
  const std::string blanks(used < width ? width - used : 0, ' ');
  return right ? blanks + text : text + blanks;
}

class Object {
 public:
  void text(std::string_view name, std::string_view value) {
    append_json_string(member(name), value);
  }
  void text_or_null(std::string_view name, std::string_view value) {
    value.empty() ? raw(name, "null") : text(name, value);
  }
  void number(std::string_view name, std::int64_t value) { raw(name, std::to_string(value)); }
  void flag(std::string_view name, bool value) { raw(name, value ? "true" : "false"); }
  void time(std::string_view name, const std::optional<WallTime>& value) {
    text_or_null(name, value ? format_rfc3339(*value) : "");
  }
  void raw(std::string_view name, std::string_view json) { member(name) += json; }
  std::string take() { return out_ + "}"; }

 private:
  std::string& member(std::string_view name) {
    out_ += fmt::format(R"({}"{}":)", out_.size() > 1 ? "," : "", name);
    return out_;
  }
  std::string out_ = "{";
};

void add_line(std::string& out, std::string_view key, std::string_view value) {
  if (value.empty()) return;
  out += fmt::format("{:<12} {}\n", key, sanitize_for_terminal(value));
}

void add_time(std::string& out, std::string_view key, const std::optional<WallTime>& time) {
  if (time) add_line(out, key, shown(time, kToTheSecond));
}

void add_counts(std::string& out, const BatchRecord& batch) {
  add_line(out, "requests",
           fmt::format("{} ({} bytes)", group_digits(batch.requests), group_digits(batch.bytes)));
  add_line(out, "answered", group_digits(batch.answered));
  if (!is_open(batch.stage)) add_line(out, "unanswered", group_digits(batch.unanswered));
  if (batch.counts) {
    add_line(out, "provider",
             fmt::format("{} succeeded, {} failed, of {}", group_digits(batch.counts->succeeded),
                         group_digits(batch.counts->failed), group_digits(batch.counts->total)));
  }
}

}  // namespace

std::string format_batches(std::span<const BatchRecord> batches) {
  if (batches.empty()) return {};
  std::vector<Row> rows{{"NUMBER", "STATE", "REQUESTS", "DONE", "UNANSWERED", "CREATED", "EXPIRES",
                         "PROVIDER ID", ""}};
  for (const BatchRecord& batch : batches) rows.push_back(row_of(batch));
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) {
      widths[i] = std::max(widths[i], static_cast<std::size_t>(std::max(0, display_width(row[i]))));
    }
  }
  std::string out;
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i + 1 < kColumns; ++i) {
      const bool is_number = i == 0 || (i >= 2 && i <= 4);
      line += (i == 0 ? "" : "  ") + padded(row[i], widths[i], is_number);
    }
    line += "  " + row.back();
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + '\n';
  }
  return out;
}

std::string batch_json(const BatchRecord& batch) {
  Object object;
  object.number("number", batch.number);
  object.text_or_null("provider_id", batch.remote_id);
  object.text("stage", to_string(batch.stage));
  object.text("state", describe_batch(batch).state);
  object.text("model", batch.model);
  object.text("url", batch.url);
  object.number("requests", batch.requests);
  object.number("bytes", batch.bytes);
  object.number("answered", batch.answered);
  object.number("unanswered", batch.unanswered);
  object.raw("provider_counts",
             batch.counts
                 ? fmt::format(R"({{"total":{},"succeeded":{},"failed":{}}})", batch.counts->total,
                               batch.counts->succeeded, batch.counts->failed)
                 : "null");
  object.flag("cancel_asked", batch.cancel_asked);
  object.number("run", batch.run);
  object.text("tag", batch.tag);
  object.text_or_null("file", is_open(batch.stage) ? batch.file_path : "");
  object.text_or_null("provider_file", batch.input_file);
  object.time("created_at", batch.created_at);
  object.time("submitted_at", batch.submitted_at);
  object.time("expires_at", batch.expires_at);
  object.time("ended_at", batch.ended_at);
  object.time("collected_at", batch.collected_at);
  object.text_or_null("message", batch.message);
  return object.take();
}

std::string batches_json(const std::string& database, std::span<const BatchRecord> batches) {
  std::string list = "[";
  for (const BatchRecord& batch : batches) {
    if (list.size() > 1) list += ',';
    list += batch_json(batch);
  }
  Object object;
  object.text("database", database);
  object.raw("batches", list + "]");
  return object.take();
}

std::string format_batch(const BatchRecord& batch) {
  std::string out;
  add_line(out, "batch", std::to_string(batch.number));
  add_line(out, "state", describe_batch(batch).state);
  if (batch.cancel_asked) add_line(out, "cancel", "asked for");
  add_line(out, "message", batch.message);
  add_line(out, "provider id", batch.remote_id);
  add_line(out, "model", batch.model);
  add_line(out, "url", batch.url);
  add_counts(out, batch);
  add_time(out, "created", batch.created_at);
  add_time(out, "submitted", batch.submitted_at);
  add_time(out, "expires", batch.expires_at);
  add_time(out, "ended", batch.ended_at);
  add_time(out, "collected", batch.collected_at);
  if (is_open(batch.stage)) add_line(out, "file", batch.file_path);
  add_line(out, "uploaded as", batch.input_file);
  add_line(out, "tag", batch.tag);
  if (batch.run > 0) add_line(out, "run", std::to_string(batch.run));
  return out;
}

}  // namespace llmbatch
