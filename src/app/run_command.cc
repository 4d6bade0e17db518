// `llmbatch run`.
#include "llmbatch/app/commands.h"
#include "llmbatch/app/run_job.h"
#include "run_session.h"

namespace llmbatch {

Result<int> run_job(RunOptions options, const Environment& environment,
                    const std::string& command_line) {
  return RunSession(std::move(options), environment, command_line).run();
}

int run_command(const ParsedCommand& parsed, const Environment& environment,
                const std::string& command_line) {
  SignalInterrupts::block_signals();
  Result<RunOptions> options = make_run_options(parsed.positionals.at(0), parsed.settings);
  if (!options) return report_error(options.error());
  const Result<int> code = run_job(std::move(*options), environment, command_line);
  return code ? *code : report_error(code.error());
}

}  // namespace llmbatch
