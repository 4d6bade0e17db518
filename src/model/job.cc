#include "llmbatch/model/job.h"

#include <array>

namespace llmbatch {
namespace {

/// In the order of the enumerators.
constexpr std::array<std::string_view, 5> kFormatNames = {
    "openai-chat", "openai-responses", "openai-embeddings", "anthropic", "gemini"};

}  // namespace

std::string_view to_string(WireFormat format) {
  return kFormatNames[static_cast<std::size_t>(format)];
}

std::optional<WireFormat> parse_wire_format(std::string_view name) {
  for (std::size_t index = 0; index < kFormatNames.size(); ++index) {
    if (kFormatNames[index] == name) return static_cast<WireFormat>(index);
  }
  return std::nullopt;
}

std::vector<JobDifference> differences(const JobIdentity& stored, const JobIdentity& current) {
  std::vector<JobDifference> found;
  const auto compare = [&](std::string_view what, std::string JobIdentity::*field) {
    if (stored.*field != current.*field) {
      found.push_back({std::string(what), stored.*field, current.*field});
    }
  };
  compare("wire format", &JobIdentity::wire_format);
  compare("provider", &JobIdentity::profile);
  compare("model", &JobIdentity::model);
  compare("prompt template", &JobIdentity::prompt_template);
  compare("system template", &JobIdentity::system_template);
  compare("id rule", &JobIdentity::id_rule);
  compare("parameters", &JobIdentity::parameters);
  compare("answer checks", &JobIdentity::checks);
  return found;
}

}  // namespace llmbatch
