// `llmbatch export`: results in input order.
#include <fmt/format.h>

#include <csignal>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"
#include "llmbatch/app/input_lines.h"
#include "llmbatch/app/output_target.h"
#include "llmbatch/base/text.h"
#include "llmbatch/report/csv_export.h"
#include "llmbatch/report/jsonl_export.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {
namespace {

std::string joined(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ","));
}

class Export {
 public:
  Export(const Settings& settings, std::string database, StoreReader& reader)
      : settings_(settings), database_(std::move(database)), reader_(reader) {}

  Status run();

 private:
  Status choose_states();
  Status open_input();
  Status open_sink();
  Result<bool> write(const ResultRow& row);
  Result<ExportExtras> extras_of(const ResultRow& row);
  Result<std::optional<InputLines::Found>> line_of(const ResultRow& row);
  Status write_pending();

  const Settings& settings_;
  std::string database_;
  StoreReader& reader_;
  ResultFilter filter_;
  bool final_wanted_ = true;
  bool pending_wanted_ = false;
  std::optional<ExportFields> fields_;
  std::unique_ptr<InputLines> lines_;
  std::unique_ptr<ResultSink> sink_;
  std::int64_t changed_lines_ = 0;
};

Status Export::choose_states() {
  const std::vector<std::string> names = settings_.list("state");
  if (names.empty()) return {};
  for (const std::string& name : names) {
    const auto state = parse_item_state(name);
    if (!state) return usage_error(fmt::format("--state: unknown state '{}'", name));
    if (is_final(*state)) {
      filter_.states.push_back(*state);
    } else {
      pending_wanted_ = true;
    }
  }
  final_wanted_ = !filter_.states.empty();
  return {};
}

Status Export::open_input() {
  const bool wanted = fields_->wants("input") || fields_->wants("request") || pending_wanted_;
  if (!wanted) return {};
  const auto job = reader_.job();
  if (!job) return forward_error(job);
  if (!*job) return usage_error("the database holds no job yet");
  const auto stored = reader_.last_input();
  if (!stored) return forward_error(stored);
  std::optional<std::string> path = settings_.optional_text("input");
  if (!path && *stored && (*stored)->identity.path != "-") path = (*stored)->identity.path;
  auto lines = InputLines::open(path, **job);
  if (!lines && settings_.has("input")) return forward_error(lines);
  if (!lines) {
    fmt::print(stderr, "llmbatch: warning: {}; name its new place with --input\n",
               lines.error().message);
    lines = InputLines::open(std::nullopt, **job);
    if (!lines) return forward_error(lines);
  }
  lines_ = std::move(*lines);
  return {};
}

Status Export::open_sink() {
  const std::string target = settings_.text("output");
  const Status free = check_output_target("--output", target, database_, reader_);
  if (!free) return free;
  auto output = OutputFile::open(target);
  if (!output) return forward_error(output);
  if (settings_.text("format") == "csv") {
    sink_ = std::make_unique<CsvExport>(std::move(*output), *fields_,
                                        CsvOptions{settings_.flag("csv-safe")});
  } else {
    sink_ = std::make_unique<JsonlExport>(std::move(*output), *fields_);
  }
  return {};
}

/// The line and request of a stored item, if they are still what was sent.
Result<std::optional<InputLines::Found>> Export::line_of(const ResultRow& row) {
  if (!lines_) return std::nullopt;
  std::optional<std::string> text = row.input;
  if (!text && row.in_input) {
    auto read = lines_->text(row.result.place.line);
    if (!read) return forward_error(read);
    text = std::move(*read);
  }
  if (!text) return std::nullopt;
  std::optional<InputLines::Found> found = lines_->parse(*text, row.result.place.line);
  if (found && found->id == row.result.id && found->request_hash == row.request_hash) return found;
  ++changed_lines_;
  return std::nullopt;
}

Result<ExportExtras> Export::extras_of(const ResultRow& row) {
  ExportExtras extras;
  if (row.result.state == ItemState::invalid) {
    extras.input = row.input;
    return extras;
  }
  if (fields_->wants("input") || fields_->wants("request")) {
    auto found = line_of(row);
    if (!found) return forward_error(found);
    if (*found) {
      extras.input = std::move((*found)->text);
      extras.request = std::move((*found)->request_body);
    }
  }
  if (fields_->wants("response") && row.attempt_id != 0) {
    auto response = reader_.response(row.attempt_id);
    if (!response) return forward_error(response);
    extras.response = std::move(*response);
  }
  return extras;
}

Result<bool> Export::write(const ResultRow& row) {
  const Result<ExportExtras> extras = extras_of(row);
  if (!extras) return forward_error(extras);
  if (const Status added = sink_->add(row.result, *extras); !added) return forward_error(added);
  return sink_->wants_more();
}

/// Items without a final state have no result; their ids are in the input alone.
Status Export::write_pending() {
  const std::unique_ptr<LineRunStream> plan = reader_.remaining_plan(1);
  LineRun run;
  for (;;) {
    const Result<bool> more = plan->next(run);
    if (!more) return forward_error(more);
    if (!*more) return {};
    if (run.kind != LineKind::todo && run.kind != LineKind::todo_again) continue;
    for (std::uint64_t offset = 0; offset < run.count; ++offset) {
      const std::uint64_t number = run.first_line + offset;
      const auto text = lines_->text(number);
      if (!text) return forward_error(text);
      if (!*text) {
        return usage_error(
            fmt::format("line {} of the input is not there any more; name the input "
                        "with --input",
                        number));
      }
      auto found = lines_->parse(**text, number);
      if (!found) continue;
      ResultRow row;
      row.result.id = found->id;
      row.result.seq = run.first_seq + offset;
      row.result.place.line = number;
      const auto attempts = reader_.attempts_of(row.result.seq);
      if (!attempts) return forward_error(attempts);
      row.result.attempts = *attempts;
      ExportExtras extras{std::move(found->text), std::move(found->request_body), {}};
      if (const Status added = sink_->add(row.result, extras); !added) return added;
      if (!sink_->wants_more()) return {};
    }
  }
}

Status Export::run() {
  if (const Status chosen = choose_states(); !chosen) return chosen;
  auto fields =
      ExportFields::parse(joined(settings_.list("fields")), joined(settings_.list("with")));
  if (!fields) return forward_error(fields);
  fields_ = std::move(*fields);
  if (const Status opened = open_input(); !opened) return opened;
  if (const Status opened = open_sink(); !opened) return opened;
  if (final_wanted_) {
    const Status visited =
        reader_.for_each_result(filter_, [this](const ResultRow& row) { return write(row); });
    if (!visited) return visited;
  }
  if (pending_wanted_) {
    // Lines are read in rising order: begin again.
    if (const Status opened = open_input(); !opened) return opened;
    if (const Status written = write_pending(); !written) return written;
  }
  if (changed_lines_ > 0) {
    fmt::print(
        stderr,
        "llmbatch: warning: {} lines of the input are no longer what was sent; their input and "
        "request are null\n",
        group_digits(changed_lines_));
  }
  return sink_->finish();
}

}  // namespace

int export_command(const ParsedCommand& parsed, const Environment& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  const Result<std::string> database = database_of(parsed, environment);
  if (!database) return report_error(database.error());
  const auto reader = StoreReader::open(*database);
  if (!reader) return report_error(reader.error());
  const Status done = Export(parsed.settings, *database, **reader).run();
  return done ? static_cast<int>(ExitCode::ok) : report_error(done.error());
}

}  // namespace llmbatch
