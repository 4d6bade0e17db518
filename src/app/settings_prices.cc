// Settings that decide what tokens cost.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "price-file",
     .type = path,
     .value_name = "FILE",
     .group = "Cost",
     .commands = kModels,
     .section = "",
     .help = "Prices that replace or add to the shipped ones, in the form of data/prices.json: "
             "{\"models\":[{\"provider\",\"id\",\"input\",\"output\",...}]}, USD per million "
             "tokens. See llmbatch models."},
};

}  // namespace

std::span<const SettingSpec> price_rows() { return kRows; }

}  // namespace llmbatch
