#include "llmbatch/app/simulate_options.h"

#include <fmt/core.h>

#include <utility>

#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/check.h"

namespace llmbatch {
namespace {

std::optional<std::uint64_t> optional_unsigned(const Settings& settings, std::string_view name) {
  const auto number = settings.optional_integer(name);
  if (!number) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

/// Hands the text of a setting to one of the simulator's parsers; a failure names the setting.
template <typename T>
Status read_setting(const Settings& settings, std::string_view name,
                    Result<T> (*parse)(std::string_view), T& target) {
  const auto text = settings.optional_text(name);
  if (!text) return {};
  auto parsed = parse(*text);
  if (!parsed) {
    const SettingSpec* spec = find_setting(settings.command(), name);
    LLMBATCH_CHECK(spec != nullptr);
    return usage_error(fmt::format("{}: {}", Settings::subject(*spec, settings.origin(name)),
                                   parsed.error().message));
  }
  target = std::move(*parsed);
  return {};
}

Status read_texts(const Settings& settings, sim::SimulatorSettings& out) {
  if (auto s = read_setting(settings, "latency", sim::parse_latency, out.latency); !s) return s;
  if (auto s = read_setting(settings, "answer", sim::parse_answer_mode, out.answer); !s) return s;
  if (auto s =
          read_setting(settings, "model-accuracy", sim::parse_model_accuracies, out.accuracies);
      !s) {
    return s;
  }
  if (auto s = read_setting(settings, "errors", sim::parse_fault_mix, out.faults); !s) return s;
  if (auto s = read_setting(settings, "batch-faults", sim::parse_batch_faults, out.batch_faults);
      !s) {
    return s;
  }
  if (auto s = read_setting(settings, "headers", sim::parse_header_style, out.header_style); !s) {
    return s;
  }
  return read_setting(settings, "retry-hint", sim::parse_retry_hint, out.retry_hint);
}

}  // namespace

Result<sim::SimulatorSettings> make_simulator_settings(const Settings& settings) {
  sim::SimulatorSettings out;
  if (Status status = read_texts(settings, out); !status) return forward_error(status);
  out.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  out.port = static_cast<std::uint16_t>(settings.integer("port"));
  out.limits.rpm = settings.optional_integer("rpm");
  out.limits.tpm = settings.optional_integer("tpm");
  out.limits.itpm = settings.optional_integer("itpm");
  out.limits.otpm = settings.optional_integer("otpm");
  out.limits.rpd = settings.optional_integer("rpd");
  out.limits.burst = settings.duration("burst");
  out.required_key = settings.text("require-key");
  out.unknown_models = settings.list("unknown-model");
  out.models = settings.list("models");
  out.quota_after = optional_unsigned(settings, "quota-after");
  out.die_after = optional_unsigned(settings, "die-after");
  out.down_for = settings.duration("down-for");
  out.hang_for = settings.duration("hang-for");
  out.embedding_dimensions = static_cast<std::size_t>(settings.integer("embedding-dimensions"));
  out.batch_latency = settings.duration("batch-latency");
  out.batch_expire = settings.number("batch-expire");
  out.log_path = settings.text("log");
  return out;
}

}  // namespace llmbatch
