// Settings of the `batches` commands: their own, and those that they share with `run`.
#include <algorithm>
#include <array>

#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr CommandSet kList = only(Command::batches_list);
constexpr CommandSet kShow = only(Command::batches_show);
constexpr CommandSet kCancel = only(Command::batches_cancel);
constexpr CommandSet kForget = only(Command::batches_forget);
constexpr CommandSet kWrite = only(Command::batches_write);
constexpr CommandSet kRead = only(Command::batches_read);

constexpr SettingSpec kRows[] = {
    {.name = "input",
     .type = path,
     .value_name = "INPUT",
     .group = "Job",
     .commands = kShow | kCancel | kForget | kRead,
     .section = "",
     .set_by = SetBy::flag,
     .help = "The job of this input file: its database is INPUT.llmbatch.db."},
    {.name = "output",
     .letter = 'o',
     .type = path,
     .value_name = "DIR",
     .group = "Output",
     .commands = kWrite,
     .section = "",
     .set_by = SetBy::flag,
     .help = "Directory for the request files batch-N.jsonl; made if it is missing."},
    {.name = "yes",
     .letter = 'y',
     .type = boolean,
     .group = "Job",
     .commands = kForget,
     .section = "",
     .set_by = SetBy::flag,
     .help = "Do not ask; needed where there is no terminal."},
};

/// Options of `run` that say how calls are made, or what follows an answer: here no call is made.
constexpr auto kNotWritten = std::to_array<std::string_view>({"rpm",
                                                              "tpm",
                                                              "itpm",
                                                              "otpm",
                                                              "rpd",
                                                              "concurrency",
                                                              "max-concurrency",
                                                              "max-retries",
                                                              "timeout",
                                                              "max-cost",
                                                              "max-error-rate",
                                                              "retry-truncated",
                                                              "on-error-rate",
                                                              "connect-timeout",
                                                              "max-response-size",
                                                              "drain-timeout",
                                                              "http2",
                                                              "cacert",
                                                              "rehearse",
                                                              "api-key-file",
                                                              "no-reask",
                                                              "recheck",
                                                              "max-duration",
                                                              "via",
                                                              "no-wait",
                                                              "then",
                                                              "finish-by",
                                                              "poll-interval",
                                                              "cancel-on-interrupt",
                                                              "progress-items",
                                                              "progress"});
/// What it takes to reach the provider.
constexpr auto kReaching = std::to_array<std::string_view>(
    {"provider", "base-url", "anthropic-version", "api-key-file", "connect-timeout", "cacert"});
/// What decides about an answer.
constexpr auto kJudging =
    std::to_array<std::string_view>({"max-retries", "retry-truncated", "no-reask", "price-file",
                                     "price-input", "price-output", "price-cached-input"});

template <typename Names>
bool holds(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

void add_batches_rows(std::vector<SettingSpec>& rows) {
  constexpr CommandSet kAll = kList | kShow | kCancel | kForget | kWrite | kRead;
  for (SettingSpec& row : rows) {
    const bool shared = contains(row.commands, Command::run);
    if (row.name == "json" && contains(row.commands, Command::status)) {
      row.commands |= kList | kShow | kWrite | kRead;
    }
    if (row.name == "db" || row.name == "config") row.commands |= kAll;
    if (!shared) continue;
    if (!holds(kNotWritten, row.name)) row.commands |= kWrite;
    if (holds(kReaching, row.name)) row.commands |= kCancel;
    if (holds(kJudging, row.name)) row.commands |= kRead;
  }
  rows.insert(rows.end(), std::begin(kRows), std::end(kRows));
}

}  // namespace llmbatch
