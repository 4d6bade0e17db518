// Settings of `review`.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "sample",
     .type = text,
     .value_name = "SIZE",
     .default_text = "1%",
     .group = "Selection",
     .commands = kReview,
     .section = "review",
     .help = "How many items to draw: a percentage (1%) or a number (200). Of each state at least "
             "5, as far as there are so many."},
    {.name = "seed",
     .type = integer,
     .value_name = "N",
     .default_text = "1",
     .min = 0,
     .group = "Selection",
     .commands = kReview,
     .section = "review",
     .help = "Another seed draws another sample. The same one draws the same items again."},
    {.name = "state",
     .type = words,
     .value_name = "STATES",
     .choices = "succeeded|filtered|flagged|failed",
     .group = "Selection",
     .commands = kReview,
     .section = "review",
     .set_by = SetBy::flag,
     .help = "Walk through every item in these states, comma-separated, in the order of the input. "
             "With --sample through a sample of them."},
    {.name = "input",
     .type = path,
     .value_name = "PATH",
     .group = "Selection",
     .commands = kReview,
     .section = "review",
     .set_by = SetBy::flag,
     .help = "Where the input file is now, if it was moved."},
    {.name = "reviewer",
     .type = text,
     .value_name = "NAME",
     .group = "Verdicts",
     .commands = kReview,
     .section = "review",
     .help = "Who judges; stored with each verdict. Without it: $USER."},
    {.name = "summary",
     .type = boolean,
     .group = "Verdicts",
     .commands = kReview,
     .section = "review",
     .set_by = SetBy::flag,
     .help = "Only print what the verdicts say so far."},
    {.name = "export",
     .type = path,
     .value_name = "FILE",
     .group = "Verdicts",
     .commands = kReview,
     .section = "review",
     .set_by = SetBy::flag,
     .help = "Write the selected items to a sheet with a column for the verdict, to be judged "
             "elsewhere. - is stdout."},
    {.name = "import",
     .type = path,
     .value_name = "FILE",
     .group = "Verdicts",
     .commands = kReview,
     .section = "review",
     .set_by = SetBy::flag,
     .help =
         "Store the verdicts of such a sheet: good, bad, skip, accept, requeue. All of them, or "
         "none if one row is wrong. - is stdin."},
    {.name = "format",
     .letter = 'f',
     .type = choice,
     .choices = "jsonl|csv",
     .group = "Verdicts",
     .commands = kReview,
     .section = "review",
     .help = "Form of the sheet. Without it: by the end of its name."},
};

}  // namespace

std::span<const SettingSpec> review_rows() { return kRows; }

}  // namespace llmbatch
