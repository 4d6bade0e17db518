#include <fmt/format.h>

#include <cstdio>

#include "llmbatch/app/commands.h"
#include "llmbatch/net/signal_interrupts.h"
#include "llmbatch/sim/simulator.h"
#include <poll.h>

namespace llmbatch {
namespace {

/// Copies a parsed part into `target`, or keeps the error.
template <typename T>
Status assign(T& target, Result<T> parsed) {
  if (!parsed) return forward_error(parsed);
  target = std::move(*parsed);
  return {};
}

std::optional<std::uint64_t> optional_count(const Settings& settings, std::string_view name) {
  const auto value = settings.optional_integer(name);
  if (!value) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

Result<sim::SimulatorSettings> simulator_settings(const Settings& settings) {
  sim::SimulatorSettings out;
  out.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  out.port = static_cast<std::uint16_t>(settings.integer("port"));
  const Status parts[] = {
      assign(out.latency, sim::parse_latency(settings.text("latency"))),
      assign(out.answer, sim::parse_answer_mode(settings.text("answer"))),
      assign(out.header_style, sim::parse_header_style(settings.text("headers"))),
      assign(out.retry_hint, sim::parse_retry_hint(settings.text("retry-hint"))),
      settings.has("errors") ? assign(out.faults, sim::parse_fault_mix(settings.text("errors")))
                             : Status{},
  };
  for (const Status& part : parts) {
    if (!part) return forward_error(part);
  }
  out.limits.rpm = settings.optional_integer("rpm");
  out.limits.tpm = settings.optional_integer("tpm");
  out.limits.itpm = settings.optional_integer("itpm");
  out.limits.otpm = settings.optional_integer("otpm");
  out.limits.rpd = settings.optional_integer("rpd");
  out.limits.burst = settings.duration("burst");
  out.required_key = settings.text("require-key");
  out.unknown_models = settings.list("unknown-model");
  out.models = settings.list("models");
  out.quota_after = optional_count(settings, "quota-after");
  out.die_after = optional_count(settings, "die-after");
  out.down_for = settings.duration("down-for");
  out.hang_for = settings.duration("hang-for");
  out.embedding_dimensions = static_cast<std::size_t>(settings.integer("embedding-dimensions"));
  out.log_path = settings.text("log");
  return out;
}

}  // namespace

int simulate_command(const ParsedCommand& parsed, const Environment&) {
  SignalInterrupts::block_signals();
  Result<std::unique_ptr<SignalInterrupts>> interrupts = SignalInterrupts::create();
  if (!interrupts) return report_error(interrupts.error());
  Result<sim::SimulatorSettings> settings = simulator_settings(parsed.settings);
  if (!settings) {
    settings.error().kind = ErrorKind::usage;
    return report_error(settings.error());
  }
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
