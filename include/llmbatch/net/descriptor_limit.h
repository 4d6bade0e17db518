// The file-descriptor limit: every call in flight holds one socket. Thread rule: call once, early.
#pragma once

#include <cstddef>

namespace llmbatch {

/// Raises the soft limit of open files to the hard limit and returns how many connections fit: the
/// limit less what the rest of the process needs (files, database, log, name lookups).
std::size_t raise_descriptor_limit();

}  // namespace llmbatch
