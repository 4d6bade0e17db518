// Settings that decide how tokens are counted before a call.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "tokenizer",
     .type = path,
     .value_name = "FILE",
     .group = "Limits",
     .commands = kRun,
     .section = "run",
     .help = "Count tokens exactly with the model's own tokenizer: a .tiktoken rank file or a "
             "tokenizer.json. Without it they are estimated, within a few percent."},
};

}  // namespace

std::span<const SettingSpec> token_rows() { return kRows; }

}  // namespace llmbatch
