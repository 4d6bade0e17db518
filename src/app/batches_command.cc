// `llmbatch batches list` and `batches show`: what the job knows of its provider batches.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"
#include "llmbatch/base/text.h"
#include "llmbatch/report/batch_report.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {
namespace {

std::optional<std::string> named_job(const ParsedCommand& parsed) {
  if (parsed.command != Command::batches_list) return parsed.settings.optional_text("input");
  if (parsed.positionals.empty()) return std::nullopt;
  return parsed.positionals[0];
}

Result<std::string> show(const std::string& database, const std::vector<BatchRecord>& batches,
                         const std::string& word, bool json) {
  const auto found = std::find_if(batches.begin(), batches.end(), [&](const BatchRecord& batch) {
    return std::to_string(batch.number) == word;
  });
  if (found != batches.end()) return json ? batch_json(*found) + "\n" : format_batch(*found);
  const std::string known =
      batches.empty() ? "it has none" : fmt::format("it has 1 to {}", batches.back().number);
  return usage_error(
      fmt::format("'{}' is no batch of {} ({})", sanitize_for_terminal(word), database, known));
}

std::string list(const std::string& database, const std::vector<BatchRecord>& batches, bool json) {
  if (json) return batches_json(database, batches) + "\n";
  if (batches.empty()) {
    fmt::print(stderr, "llmbatch: {}: the job has no provider batches\n",
               sanitize_for_terminal(database));
  }
  return format_batches(batches);
}

Result<std::string> describe(const ParsedCommand& parsed, const Environment& environment) {
  const auto database = database_of_job(named_job(parsed), parsed.settings, environment);
  if (!database) return forward_error(database);
  const auto reader = StoreReader::open(*database);
  if (!reader) return forward_error(reader);
  const auto batches = (*reader)->batches();
  if (!batches) return forward_error(batches);
  const bool json = parsed.settings.flag("json");
  if (parsed.command == Command::batches_list) return list(*database, *batches, json);
  return show(*database, *batches, parsed.positionals.at(0), json);
}

}  // namespace

int batches_command(const ParsedCommand& parsed, const Environment& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  const auto text = describe(parsed, environment);
  if (!text) return report_error(text.error());
  fmt::print("{}", *text);
  return static_cast<int>(std::fflush(stdout) == 0 ? ExitCode::ok : ExitCode::failure);
}

}  // namespace llmbatch
