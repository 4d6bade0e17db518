// Reads a small text file (template, key) into memory. Thread rule: pure function of the file.
#pragma once

#include <string>

#include "llmbatch/base/result.h"

namespace llmbatch {

/// The whole file, `-` being stdin. Fails (usage) when it cannot be read, is a directory or is larger
/// than `max_bytes`. Pipes work: the size is counted while reading.
Result<std::string> read_text_file(const std::string& path, std::size_t max_bytes);

}  // namespace llmbatch
