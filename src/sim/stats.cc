#include "llmbatch/base/text.h"
#include "llmbatch/sim/simulator.h"

namespace llmbatch::sim {

std::string to_json(const SimulatorStats& stats) {
  std::string out = "{\"requests\":" + std::to_string(stats.requests) + ",\"outcomes\":{";
  bool first = true;
  for (const auto& [name, count] : stats.outcomes) {
    if (!first) out += ',';
    first = false;
    append_json_string(out, name);
    out += ':' + std::to_string(count);
  }
  const auto member = [&out](const char* name, auto value) {
    out += ",\"";
    out += name;
    out += "\":" + std::to_string(value);
  };
  out += '}';
  member("distinct_bodies", stats.distinct_bodies);
  member("answered_bodies", stats.answered_bodies);
  member("answered_again", stats.answered_again);
  member("max_attempts", stats.max_attempts);
  member("in_flight", stats.in_flight);
  member("max_in_flight", stats.max_in_flight);
  member("input_tokens", stats.input_tokens);
  member("output_tokens", stats.output_tokens);
  member("files_uploaded", stats.files_uploaded);
  member("batches_created", stats.batches_created);
  member("batches_cancelled", stats.batches_cancelled);
  member("batch_lines_answered", stats.batch_lines_answered);
  member("files_downloaded", stats.files_downloaded);
  return out + "}";
}

}  // namespace llmbatch::sim
