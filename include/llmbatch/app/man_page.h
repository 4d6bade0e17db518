// The manual page llmbatch(1), made from the tables of commands and settings.
// Thread rule: pure function.
#pragma once

#include <string>

namespace llmbatch {

/// roff source with the man macros.
std::string man_page();

}  // namespace llmbatch
