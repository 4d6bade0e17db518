// The program's version, as --version, the man page and the run records show it.
#pragma once

#include <string_view>

namespace llmbatch {

#ifndef LLMBATCH_VERSION
#define LLMBATCH_VERSION "0.1.0"
#endif

inline constexpr std::string_view kVersion = LLMBATCH_VERSION;

}  // namespace llmbatch
