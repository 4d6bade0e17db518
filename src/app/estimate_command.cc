// `llmbatch estimate`: what a job will take, before it is run. With --pilot a few items are run
// first, by the same session as `run` has.
#include <fmt/format.h>

#include <cstdio>

#include "job_estimator.h"
#include "llmbatch/app/commands.h"
#include "llmbatch/app/run_job.h"
#include "llmbatch/net/signal_interrupts.h"

namespace llmbatch {
namespace {

/// Endings after which an estimate still makes sense: done, with problems, paused, interrupted.
bool leaves_answers(int code) {
  constexpr int kSignals = 128;
  return code == static_cast<int>(ExitCode::ok) || code == static_cast<int>(ExitCode::problems) ||
         code == static_cast<int>(ExitCode::paused) || code > kSignals;
}

Result<int> run_pilot(RunOptions options, std::int64_t items, const Environment& environment,
                      const std::string& command_line) {
  options.pilot = items;
  options.command = "llmbatch estimate --pilot";
  options.output.summary = false;
  SignalInterrupts::block_signals();
  const Result<int> code = run_job(std::move(options), environment, command_line);
  SignalInterrupts::unblock_signals();
  return code;
}

}  // namespace

int estimate_command(const ParsedCommand& parsed, const Environment& environment,
                     const std::string& command_line) {
  const Settings& settings = parsed.settings;
  const Result<RunOptions> options = make_run_options(parsed.positionals.at(0), settings);
  if (!options) return report_error(options.error());
  if (options->network.rehearse) {
    return report_error({"--rehearse: an estimate needs no provider; rehearse with llmbatch run",
                         ErrorKind::usage});
  }
  int code = static_cast<int>(ExitCode::ok);
  const auto pilot = settings.optional_integer("pilot");
  if (pilot && options->input.path == "-") {
    return report_error({"--pilot: needs a file; stdin can be read once only", ErrorKind::usage});
  }
  if (pilot) {
    const Result<int> ran = run_pilot(*options, *pilot, environment, command_line);
    if (!ran) return report_error(ran.error());
    code = *ran;
    if (!leaves_answers(code)) return code;
  }
  const auto estimate = estimate_of_job(*options, environment, pilot.has_value());
  if (!estimate) return report_error(estimate.error());
  const EstimateReport& report = (*estimate)->report;
  fmt::print("{}", settings.flag("json") ? estimate_json(report) + '\n' : format_estimate(report));
  return std::fflush(stdout) == 0 ? code : static_cast<int>(ExitCode::failure);
}

}  // namespace llmbatch
