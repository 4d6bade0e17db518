// Settings of `run` that decide what a good answer is.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "schema",
     .type = path,
     .value_name = "FILE",
     .group = "Answers",
     .commands = kRun,
     .section = "run",
     .help = "JSON Schema that every answer must fit. The provider is asked for it in its own "
             "form, and each answer is checked here. What fails is asked once more, then flagged."},
    {.name = "answer-json",
     .type = boolean,
     .group = "Answers",
     .commands = kRun,
     .section = "run",
     .help = "Every answer must be JSON; a code fence around it does not matter."},
    {.name = "choices",
     .type = words,
     .value_name = "A,B,C",
     .group = "Answers",
     .commands = kRun,
     .section = "run",
     .help =
         "Every answer must be one of these, in any letter case; it is stored as spelled here."},
    {.name = "match",
     .type = text,
     .value_name = "REGEX",
     .group = "Answers",
     .commands = kRun,
     .section = "run",
     .help = "Every answer must contain a match of this (Perl syntax; ^ and $ are its ends)."},
    {.name = "no-reask",
     .type = boolean,
     .group = "Answers",
     .commands = kRun,
     .section = "run",
     .help = "Send the same request again after an answer that fails its check, instead of "
             "quoting the answer and the reason to the model."},
    {.name = "recheck",
     .type = boolean,
     .group = "Answers",
     .commands = kRun,
     .section = "run",
     .set_by = SetBy::flag_and_environment,
     .help = "Judge the stored answers by the checks given now, and adopt these for the job. "
             "Nothing is sent."},
    {.name = "answer-format",
     .type = choice,
     .choices = "auto|schema|json|text",
     .default_text = "auto",
     .group = "Answers",
     .commands = kRun,
     .section = "run",
     .help = "What the provider is asked for: by default what --schema or --answer-json need, as "
             "far as it can do that. text asks for nothing; answers are checked all the same."},
};

}  // namespace

std::span<const SettingSpec> run_check_rows() { return kRows; }

}  // namespace llmbatch
