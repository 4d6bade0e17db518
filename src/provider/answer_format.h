// How a job's answer format is asked for: the schema in the subset that a wire format takes. Only
// what guides the model gets lost; every answer is checked against the whole schema afterwards.
// Sources: the structured-output pages of the providers' API references. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/model/job.h"
#include "llmbatch/provider/profile.h"

namespace llmbatch {

struct AskedFormat {
  /// `response_format` in OpenAI's style, as request fields are given; empty: nothing is asked for.
  std::string response_format;
  /// It is `json_object`, which is refused, or answered with endless white space, unless the
  /// messages contain the word JSON.
  bool needs_word = false;
  std::vector<std::string> notes;  ///< for the user: what is not asked for, and why
};

AskedFormat asked_format(WireFormat format, const ProviderProfile& profile,
                         const AnswerFormat& wanted);

/// True when `text` contains the word JSON in any letter case.
bool mentions_json(std::string_view text);

}  // namespace llmbatch
