// `llmbatch batches read`: answers that somebody else brings, taken into the job.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "batch_session.h"
#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"
#include "llmbatch/input/input_file.h"

namespace llmbatch {
namespace {

/// The result files as plain files: what is compressed or comes through a pipe is copied beside the
/// database, because it is read twice.
class PlainFiles {
 public:
  explicit PlainFiles(std::string database) : database_(std::move(database)) {}
  PlainFiles(const PlainFiles&) = delete;
  PlainFiles& operator=(const PlainFiles&) = delete;
  ~PlainFiles() {
    for (const std::string& path : copies_) ::unlink(path.c_str());
  }

  Status add(const std::string& name) {
    const auto parent = std::filesystem::path(database_).parent_path();
    const auto file = InputFile::open(name, parent.empty() ? "." : parent.string());
    if (!file) return forward_error(file);
    if (!file->spooled() && !file->compressed()) {
      files_.push_back({name, name});
      return {};
    }
    const std::string path =
        fmt::format("{}.batch-read-{}-{}", database_, ::getpid(), copies_.size() + 1);
    copies_.push_back(path);
    files_.push_back({path, file->name()});
    return copy(*file, path);
  }

  const std::vector<ResultFile>& files() const { return files_; }

 private:
  static Status copy(const InputFile& file, const std::string& path) {
    auto bytes = file.bytes();
    if (!bytes) return forward_error(bytes);
    const UniqueFd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!out.valid()) return failure(path + ": " + errno_text(errno));
    std::string buffer(1u << 20, '\0');
    for (;;) {
      const auto count = (*bytes)->read(buffer.data(), buffer.size());
      if (!count) return forward_error(count);
      if (*count == 0) return {};
      const Status written = write_all(out.get(), std::string_view(buffer).substr(0, *count));
      if (!written) return failure(path + ": " + written.error().message);
    }
  }

  std::string database_;
  std::vector<std::string> copies_;
  std::vector<ResultFile> files_;
};

std::string lines_text(const ReadLines& lines) {
  std::string text =
      fmt::format("{} stored of {}", counted(lines.stored, "answer"), counted(lines.lines, "line"));
  const auto add = [&text](std::int64_t count, std::string_view what) {
    if (count > 0) text += fmt::format(", {} {}", group_digits(count), what);
  };
  add(lines.known, "stored before");
  add(lines.unanswered, "without an answer");
  if (!lines.unanswered_reason.empty()) text += fmt::format(" ({})", lines.unanswered_reason);
  add(lines.given_back, "of batches that were given up");
  add(lines.foreign, "of other jobs");
  if (!lines.strangers.empty()) {
    text += fmt::format(
        " ({}{})", fmt::join(lines.strangers, ", "),
        lines.foreign > static_cast<std::int64_t>(lines.strangers.size()) ? ", ..." : "");
  }
  return text;
}

std::string lines_json(const ReadLines& lines, const RunStatus& status) {
  std::string strangers;
  for (const std::string& id : lines.strangers) {
    if (!strangers.empty()) strangers += ',';
    append_json_string(strangers, id);
  }
  return fmt::format(
      R"({{"lines":{},"stored":{},"known":{},"unanswered":{},"given_back":{},"foreign":{},)"
      R"("foreign_ids":[{}],"collected":[{}],"submitted":{},"pending":{}}})",
      lines.lines, lines.stored, lines.known, lines.unanswered, lines.given_back, lines.foreign,
      strangers, fmt::join(lines.collected, ","), status.items[ItemState::submitted],
      status.items[ItemState::pending]);
}

/// What is done by it, and what is left.
std::string outcome_text(const ReadLines& lines, const RunStatus& status) {
  std::string text;
  if (!lines.collected.empty()) {
    text += fmt::format("{} {} collected\n", lines.collected.size() == 1 ? "batch" : "batches",
                        fmt::join(lines.collected, ", "));
  }
  text += fmt::format("{} of {} items done, {} in batches, {} pending\n",
                      group_digits(status.items.finished()), group_digits(status.items.total()),
                      group_digits(status.items[ItemState::submitted]),
                      group_digits(status.items[ItemState::pending]));
  return text;
}

Result<int> read(const ParsedCommand& parsed, const Environment& environment,
                 const std::string& command_line) {
  const Settings& settings = parsed.settings;
  const auto database = database_of_job(settings.optional_text("input"), settings, environment);
  if (!database) return forward_error(database);
  PlainFiles files(*database);
  // A pipe may take for ever, and nothing is at stake yet.
  SignalInterrupts::unblock_signals();
  for (const std::string& name : parsed.positionals) {
    if (const Status added = files.add(name); !added) return forward_error(added);
  }
  SignalInterrupts::block_signals();
  auto session = BatchSession::open(*database, settings, environment, BatchSession::Reach::nobody);
  if (!session) return forward_error(session);
  ReadLines lines;
  const auto result = (*session)->read(files.files(), lines, command_line);
  if (!result) return forward_error(result);
  if (result->error) return tl::unexpected<Error>(*result->error);
  if (lines.lines > 0 && lines.lines == lines.unanswered) {
    fmt::print(stderr, "llmbatch: warning: not one line has an answer: are these result files?\n");
  }
  if (settings.flag("json")) {
    fmt::print("{}\n", lines_json(lines, result->status));
  } else {
    fmt::print("{}\n{}", lines_text(lines), outcome_text(lines, result->status));
  }
  return std::fflush(stdout) == 0 ? exit_code_of(*result) : static_cast<int>(ExitCode::failure);
}

}  // namespace

int batches_read_command(const ParsedCommand& parsed, const Environment& environment,
                         const std::string& command_line) {
  SignalInterrupts::block_signals();
  const auto code = read(parsed, environment, command_line);
  return code ? *code : report_error(code.error());
}

}  // namespace llmbatch
