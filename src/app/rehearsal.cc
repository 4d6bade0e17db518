#include "rehearsal.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "llmbatch/app/database_path.h"
#include "llmbatch/base/fd.h"

namespace llmbatch {
namespace {

// What a good day at a busy provider looks like.
constexpr std::string_view kLatency = "lognormal:400ms:1500ms";
constexpr std::string_view kErrors = "429=0.2%,500=0.5%,503=0.2%,filter=0.1%";

}  // namespace

Result<std::unique_ptr<Rehearsal>> Rehearsal::start(const std::string& input) {
  std::unique_ptr<Rehearsal> rehearsal(new Rehearsal());
  std::error_code error;
  std::string pattern =
      (std::filesystem::temp_directory_path(error) / "llmbatch-rehearsal-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    return failure(fmt::format("{}: cannot create a directory: {}", pattern, errno_text(errno)));
  }
  rehearsal->directory_ = pattern;
  const std::string name = std::filesystem::path(input).filename().string();
  rehearsal->database_ =
      fmt::format("{}/{}{}", pattern, name == "-" ? "stdin" : name, kDatabaseSuffix);
  sim::SimulatorSettings settings;
  auto latency = sim::parse_latency(kLatency);
  if (!latency) return forward_error(latency);
  settings.latency = *latency;
  auto faults = sim::parse_fault_mix(kErrors);
  if (!faults) return forward_error(faults);
  settings.faults = std::move(*faults);
  auto simulator = sim::Simulator::start(std::move(settings));
  if (!simulator) return forward_error(simulator);
  rehearsal->simulator_ = std::move(*simulator);
  return rehearsal;
}

Rehearsal::~Rehearsal() {
  if (simulator_) simulator_->stop();
  std::error_code ignored;
  if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
}

std::string Rehearsal::origin() const {
  return fmt::format("http://127.0.0.1:{}", simulator_->port());
}

}  // namespace llmbatch
