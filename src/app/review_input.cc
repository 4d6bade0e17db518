#include "review_input.h"

#include <fmt/format.h>

namespace llmbatch {

Result<std::unique_ptr<ReviewInput>> ReviewInput::open(StoreReader& reader,
                                                       const std::optional<std::string>& moved_to) {
  const auto job = reader.job();
  if (!job) return forward_error(job);
  if (!*job) return usage_error("the database holds no job yet");
  const auto stored = reader.last_input();
  if (!stored) return forward_error(stored);
  std::unique_ptr<ReviewInput> input(new ReviewInput());
  input->job_ = **job;
  auto parser = InputLines::open(std::nullopt, input->job_);
  if (!parser) return forward_error(parser);
  input->parser_ = std::move(*parser);
  if (moved_to) input->path_ = *moved_to;
  if (!moved_to && *stored) input->path_ = (*stored)->identity.path;
  if (input->path_.empty() || input->path_ == "-") {
    input->trouble_ = "the input line is not stored";
    return input;
  }
  auto file = open_for_reading(input->path_);
  if (!file && moved_to) return usage_error(file.error().message);
  if (file) {
    input->file_ = std::move(*file);
  } else {
    input->trouble_ = file.error().message + "; name its new place with --input";
  }
  return input;
}

/// The text, if it is what was sent for the item.
std::optional<std::string> ReviewInput::checked(std::string text, const ResultRow& row) {
  auto found = parser_->parse(std::move(text), row.result.place.line);
  const bool same = found && found->id == row.result.id && found->request_hash == row.request_hash;
  return same ? std::optional(std::move(found->text)) : std::nullopt;
}

Result<std::optional<std::string>> ReviewInput::at_stored_place(const ResultRow& row) {
  const InputPlace& place = row.result.place;
  if (place.length_bytes == 0) return std::nullopt;
  std::string text(place.length_bytes, '\0');
  const auto read = pread_all(file_.get(), text.data(), text.size(), place.offset_bytes);
  if (!read) return usage_error(path_ + ": cannot be read: " + read.error().message);
  if (*read != text.size()) return std::nullopt;
  return checked(std::move(text), row);
}

Result<std::optional<std::string>> ReviewInput::at_line(std::uint64_t line) {
  if (line == 0) return std::nullopt;
  if (!sequential_ || line < next_line_) {
    auto opened = InputLines::open(path_, job_);
    if (!opened) return forward_error(opened);
    sequential_ = std::move(*opened);
  }
  next_line_ = line + 1;
  return sequential_->text(line);
}

Result<ReviewInput::Found> ReviewInput::line_of(const ResultRow& row) {
  if (row.input) return Found{row.input, ""};
  if (!file_.valid()) return Found{std::nullopt, trouble_};
  auto text = at_stored_place(row);
  if (!text) return forward_error(text);
  if (!*text) {
    text = at_line(row.result.place.line);
    if (!text) return forward_error(text);
    if (*text) text = checked(std::move(**text), row);
  }
  if (*text) return Found{std::move(*text), ""};
  return Found{std::nullopt, fmt::format("line {} of {} is no longer what was sent",
                                         row.result.place.line, path_)};
}

}  // namespace llmbatch
