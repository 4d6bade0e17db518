// `llmbatch batches write`: what is pending as request files, for engines that are not reached from
// here. A run that sends nothing.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/run_job.h"
#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/text.h"
#include "llmbatch/net/signal_interrupts.h"
#include "llmbatch/report/batch_report.h"
#include "llmbatch/store/store_reader.h"
#include "llmbatch/ui/summary.h"

namespace llmbatch {
namespace {

/// Absolute, so that `batches show` names the files from everywhere.
Result<std::string> make_directory(const std::string& name) {
  std::error_code error;
  std::filesystem::create_directories(name, error);
  if (error) {
    return usage_error(
        fmt::format("--output: {}: {}", sanitize_for_terminal(name), error.message()));
  }
  auto path = std::filesystem::canonical(name, error);
  if (error) {
    return usage_error(
        fmt::format("--output: {}: {}", sanitize_for_terminal(name), error.message()));
  }
  return path.string();
}

Result<RunOptions> write_options(const std::string& input, const Settings& settings) {
  if (!settings.has("output")) {
    return usage_error("batches write: --output DIR is missing: where the request files go");
  }
  auto shared = shared_run_settings(settings);
  if (!shared) return forward_error(shared);
  const Origin origin{OriginKind::flag, "batches write"};
  const SettingSpec* via = find_setting(Command::run, "via");
  if (Status set = shared->set({via, {"batch"}, origin}); !set) return forward_error(set);
  auto options = make_run_options(input, *shared);
  if (!options) return forward_error(options);
  options->command = "llmbatch batches write";
  options->model.needs_key = false;
  options->output.summary = false;
  options->output.progress = ProgressStyle::none;
  auto directory = make_directory(settings.text("output"));
  if (!directory) return forward_error(directory);
  options->batches.write_directory = std::move(*directory);
  return options;
}

/// The numbers of batches begin at 1; 0: there is no database or no batch yet.
std::int64_t last_batch(const std::string& database) {
  const auto reader = StoreReader::open(database);
  if (!reader) return 0;
  const auto batches = (*reader)->batches();
  return batches && !batches->empty() ? batches->back().number : 0;
}

Result<std::vector<BatchRecord>> written_after(const std::string& database, std::int64_t number) {
  const auto reader = StoreReader::open(database);
  if (!reader) return forward_error(reader);
  auto batches = (*reader)->batches();
  if (!batches) return batches;
  std::erase_if(*batches, [number](const BatchRecord& batch) {
    return batch.number <= number || batch.stage != BatchStage::written;
  });
  return batches;
}

void tell_written(const std::vector<BatchRecord>& written, const std::string& database) {
  if (written.empty()) {
    fmt::print(stderr, "llmbatch: nothing is left to write: see llmbatch status {}\n",
               shell_quote(database));
    return;
  }
  for (const BatchRecord& batch : written) {
    fmt::print("{}  {}, {}\n", batch.file_path, counted(batch.requests, "request"),
               counted(batch.bytes, "byte"));
  }
  fmt::print(stderr,
             "llmbatch: nothing was sent; when the answers are there: llmbatch batches read "
             "RESULTS.jsonl --db {}\n",
             shell_quote(database));
}

Result<int> write(const ParsedCommand& parsed, const Environment& environment,
                  const std::string& command_line) {
  auto options = write_options(parsed.positionals.at(0), parsed.settings);
  if (!options) return forward_error(options);
  const std::string database = options->input.database;
  const std::int64_t before = last_batch(database);
  const auto code = run_job(std::move(*options), environment, command_line);
  if (!code) return code;
  const auto written = written_after(database, before);
  if (!written) return forward_error(written);
  if (parsed.settings.flag("json")) {
    fmt::print("{}\n", batches_json(database, *written));
  } else {
    tell_written(*written, database);
  }
  return std::fflush(stdout) == 0 ? *code : static_cast<int>(ExitCode::failure);
}

}  // namespace

int batches_write_command(const ParsedCommand& parsed, const Environment& environment,
                          const std::string& command_line) {
  SignalInterrupts::block_signals();
  const auto code = write(parsed, environment, command_line);
  return code ? *code : report_error(code.error());
}

}  // namespace llmbatch
