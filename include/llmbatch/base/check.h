// LLMBATCH_CHECK: aborts on a bug (never on bad input) and says where.
#pragma once

#include <cstdio>
#include <cstdlib>

#define LLMBATCH_CHECK(condition)                                                          \
  do {                                                                                     \
    if (!(condition)) [[unlikely]] {                                                       \
      std::fprintf(stderr, "llmbatch: bug: %s (%s:%d)\n", #condition, __FILE__, __LINE__); \
      std::abort();                                                                        \
    }                                                                                      \
  } while (false)
