// The schema of a job's database and its migrations. schema.cc is its documentation.
#pragma once

#include <cstdint>
#include <span>

#include "connection.h"

namespace llmbatch {

/// `LLMB` in ASCII, big-endian, at byte 68 of the file (see SQLite's file format, application_id).
inline constexpr std::int64_t kApplicationId = 0x4C4C4D42;
inline constexpr std::int64_t kSchemaVersion = 2;

/// Turns a database of version `from` into one of version `from + 1`.
struct Migration {
  std::int64_t from = 0;
  const char* sql = "";
};

/// The steps from every released version to kSchemaVersion.
std::span<const Migration> migrations();

/// Creates everything in an empty database, in one transaction.
Status create_schema(Connection& connection);

/// Applies the steps from the database's version up to `target` in one transaction: all or nothing.
/// Views hold no rows, so they are made anew afterwards.
Status migrate(Connection& connection, std::span<const Migration> steps, std::int64_t target);

}  // namespace llmbatch
