// Opens a database file and makes sure that it is one of ours and of a version we know.
#pragma once

#include <memory>
#include <string>

#include "connection.h"

namespace llmbatch {

/// Creates the file (mode 0600) and its schema when there is none, migrates an older one, and sets
/// WAL and synchronous=FULL. The caller holds the write lock.
Result<std::unique_ptr<Connection>> open_writable_database(const std::string& path);

/// For short transactions beside the process that holds the write lock. Never creates or migrates.
Result<std::unique_ptr<Connection>> open_shared_database(const std::string& path);

/// Never creates or migrates.
Result<std::unique_ptr<Connection>> open_readable_database(const std::string& path);

}  // namespace llmbatch
