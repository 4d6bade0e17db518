// Settings of `compare`: those of `run`, which decide how its jobs are sent, and its own.
#include <algorithm>
#include <array>

#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr CommandSet kCompare = only(Command::compare);

constexpr SettingSpec kRows[] = {
    {.name = "models",
     .letter = 'm',
     .type = words,
     .value_name = "MODELS",
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .help = "Models to compare, comma-separated, as provider/name: openai/gpt-4o,openai/o4-mini. "
             "With --provider or --base-url the names are taken as they are."},
    {.name = "sample",
     .type = count,
     .value_name = "N",
     .default_text = "100",
     .min = 1,
     .max = 1e6,
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .help = "Items to draw from the input. A larger sample contains the smaller one."},
    {.name = "sample-seed",
     .type = integer,
     .value_name = "N",
     .default_text = "1",
     .min = 0,
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .help = "Another seed draws another sample. (--seed is what is sent to the models.)"},
    {.name = "expect",
     .type = text,
     .value_name = "FIELD",
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .help = "Field of the input line with the right answer: label, or meta.label. Lines without "
             "it are not drawn. Without this option: agreement with the first model."},
    {.name = "expect-mode",
     .type = choice,
     .choices = "exact|casefold|numeric",
     .default_text = "exact",
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .help = "When an answer is right: the same text, white space around it aside; the same but "
             "for case and for quotes and full stops around it; the same number."},
    {.name = "answer-pointer",
     .type = text,
     .value_name = "POINTER",
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .help = "Answers are JSON: compare what this JSON pointer names in them, for example /label."},
    {.name = "tolerance",
     .type = percent,
     .value_name = "POINTS",
     .default_text = "5",
     .min = 0,
     .max = 100,
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .help = "A model is good enough when its accuracy is at most so many points below the best."},
    {.name = "show-disagreements",
     .type = integer,
     .value_name = "N",
     .min = 1,
     .max = 1e6,
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .set_by = SetBy::flag,
     .help = "Also show N items on which a model is wrong (without N: 10): the line, what is "
             "expected, each model's answer.",
     .bare = "10"},
    {.name = "answers",
     .type = path,
     .value_name = "FILE",
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .set_by = SetBy::flag,
     .help = "Also write every answer of every model to this file, as CSV when its name ends in "
             ".csv, else as JSONL."},
    {.name = "dir",
     .type = path,
     .value_name = "DIR",
     .group = "Comparison",
     .commands = kCompare,
     .section = "compare",
     .set_by = SetBy::flag_and_environment,
     .help = "Where the comparison is kept. Without it: INPUT.llmbatch-compare (input from stdin "
             "needs one)."},
};

/// Options of `run` that would speak of one model or one database.
constexpr auto kOnlyRun = std::to_array<std::string_view>(
    {"model", "db", "rehearse", "price-input", "price-output", "price-cached-input"});

}  // namespace

void add_compare_rows(std::vector<SettingSpec>& rows) {
  for (SettingSpec& row : rows) {
    const bool alone = std::find(kOnlyRun.begin(), kOnlyRun.end(), row.name) != kOnlyRun.end();
    const bool json = row.name == "json" && contains(row.commands, Command::status);
    if (json || (contains(row.commands, Command::run) && !alone)) row.commands |= kCompare;
  }
  rows.insert(rows.begin(), std::begin(kRows), std::end(kRows));
}

}  // namespace llmbatch
