// `llmbatch review`: a spot check, or a walk through problems.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"
#include "llmbatch/store/store.h"
#include "review_job.h"
#include "review_session.h"
#include "review_sheets.h"

namespace llmbatch {
namespace {

ColorMode color_of(const Settings& settings) {
  const std::string choice = settings.text("color");
  if (choice == "always") return ColorMode::always;
  return choice == "never" ? ColorMode::never : ColorMode::automatic;
}

std::string plural(std::int64_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

/// Carries out what was decided about problem items, which needs the lock of the database.
Result<int> apply_decisions(ReviewJob& job, const Clock& clock) {
  const auto waiting = job.reader().waiting_decisions();
  if (!waiting) return forward_error(waiting);
  if (*waiting == 0) return 0;
  auto store = Store::open(job.options().database, "llmbatch review", clock.wall_now());
  if (!store && store.error().kind == ErrorKind::in_use) {
    fmt::print(stderr,
               "llmbatch: {}\n{} to requeue or accept items kept; the next run or review carries "
               "them out\n",
               store.error().message, plural(*waiting, "decision"));
    return static_cast<int>(ExitCode::in_use);
  }
  if (!store) return forward_error(store);
  const auto applied = (*store)->apply_decisions();
  if (!applied) return forward_error(applied);
  if (applied->requeued > 0) {
    fmt::print(stderr, "llmbatch: {} requeued: the next run takes {} up\n",
               plural(applied->requeued, "item"), applied->requeued == 1 ? "it" : "them");
  }
  if (applied->accepted > 0) {
    fmt::print(stderr, "llmbatch: {} accepted: succeeded now, with the stored answer\n",
               plural(applied->accepted, "item"));
  }
  if (applied->lapsed > 0) {
    fmt::print(stderr, "llmbatch: {} lapsed: other answers came meanwhile\n",
               plural(applied->lapsed, "decision"));
  }
  return 0;
}

Status check_modes(const Settings& settings) {
  int modes = 0;
  for (const char* name : {"export", "import"}) modes += settings.has(name) ? 1 : 0;
  modes += settings.flag("summary") ? 1 : 0;
  if (modes > 1) return usage_error("--export, --import and --summary exclude each other");
  if (modes > 0) return {};
  if (::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) return {};
  return usage_error(
      "review needs a terminal; without one: --export FILE writes the sample as a sheet (.csv, "
      ".jsonl), --import FILE stores the verdicts of that sheet, --summary prints what they say");
}

/// The walk in the terminal; 0, or 128 and the signal that ended it.
Result<int> walk(ReviewJob& job, const Settings& settings, const Clock& clock) {
  if (job.selected().empty()) {
    fmt::print(stderr, "llmbatch: {}: nothing to review yet\n", job.options().database);
    return 0;
  }
  if (job.open_items().empty()) {
    fmt::print(stderr,
               "llmbatch: all {} items are judged; another --seed or a larger --sample "
               "draws others\n",
               job.selected().size());
    return 0;
  }
  int signal = 0;
  {
    auto terminal = RawTerminal::open(STDIN_FILENO, STDOUT_FILENO,
                                      detect_terminal(STDOUT_FILENO, color_of(settings)));
    if (!terminal) return forward_error(terminal);
    const auto ended = ReviewSession(job, **terminal, clock).run();
    if (!ended) return forward_error(ended);
    signal = *ended;
    if (signal == 0 && !(*terminal)->traits().live) (*terminal)->write("\r\n");
  }
  return signal == 0 ? 0 : 128 + signal;
}

Result<int> review(const Settings& settings, std::string database, const Environment& environment) {
  if (Status checked = check_modes(settings); !checked) return forward_error(checked);
  auto options = make_review_options(settings, std::move(database), environment);
  if (!options) return forward_error(options);
  auto job = ReviewJob::open(std::move(*options));
  if (!job) return forward_error(job);
  const SystemClock clock;
  if (settings.has("export")) {
    Status written = export_sheet(**job, settings, settings.text("export"));
    if (!written) return forward_error(written);
    return 0;
  }
  if (settings.has("import")) {
    const auto told = import_sheet(**job, settings, settings.text("import"), clock);
    if (!told) return forward_error(told);
    fmt::print(stderr, "llmbatch: {}\n", *told);
  } else if (!settings.flag("summary")) {
    const auto ended = walk(**job, settings, clock);
    if (!ended || *ended != 0) return ended;
  }
  const auto notes = (*job)->notes();
  if (!notes) return forward_error(notes);
  fmt::print("{}{}", (*job)->summary(), *notes);
  std::fflush(stdout);
  return settings.flag("summary") ? 0 : apply_decisions(**job, clock);
}

}  // namespace

int review_command(const ParsedCommand& parsed, const Environment& environment) {
  std::signal(SIGPIPE, SIG_IGN);
  auto database = database_of(parsed, environment);
  if (!database) return report_error(database.error());
  const Result<int> code = review(parsed.settings, std::move(*database), environment);
  return code ? *code : report_error(code.error());
}

}  // namespace llmbatch
