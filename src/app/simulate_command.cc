#include <fmt/format.h>
#include <poll.h>

#include <cstdio>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/simulate_options.h"
#include "llmbatch/net/signal_interrupts.h"
#include "llmbatch/sim/simulator.h"

namespace llmbatch {
int simulate_command(const ParsedCommand& parsed, const Environment&) {
  SignalInterrupts::block_signals();
  Result<std::unique_ptr<SignalInterrupts>> interrupts = SignalInterrupts::create();
  if (!interrupts) return report_error(interrupts.error());
  Result<sim::SimulatorSettings> settings = make_simulator_settings(parsed.settings);
  if (!settings) return report_error(settings.error());
  Result<std::unique_ptr<sim::Simulator>> simulator = sim::Simulator::start(std::move(*settings));
  if (!simulator) return report_error(simulator.error());
  // The address is data: scripts read it from the first line.
  fmt::print("{}\n", (*simulator)->base_url());
  std::fflush(stdout);
  fmt::print(stderr,
             "llmbatch: simulating a provider; Ctrl-C ends it. Try:\n"
             "  llmbatch run tickets.jsonl --base-url {} --model any\n",
             (*simulator)->base_url());
  for (;;) {
    pollfd waiting{(*interrupts)->fd(), POLLIN, 0};
    ::poll(&waiting, 1, -1);
    const InterruptState state = (*interrupts)->poll();
    if (state.status_requested) fmt::print(stderr, "{}\n", to_json((*simulator)->stats()));
    if (state.stop_requests > 0) break;
  }
  (*simulator)->stop();
  fmt::print(stderr, "{}\n", to_json((*simulator)->stats()));
  return static_cast<int>(ExitCode::ok);
}

}  // namespace llmbatch
