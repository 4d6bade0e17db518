// Small conversions between rows and domain values, shared by the writing and the reading side.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "connection.h"
#include "llmbatch/base/clock.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/model/job.h"
#include "llmbatch/model/usage.h"
#include "llmbatch/store/stored_input.h"

namespace llmbatch {

std::int64_t to_unix_millis(WallTime time);
WallTime from_unix_millis(std::int64_t millis);

inline std::int64_t as_signed(std::uint64_t value) { return static_cast<std::int64_t>(value); }

std::optional<std::int64_t> optional_integer(const Statement& row, int column);

/// Input, cached input, cache writes, output and reasoning, in five columns; absent when the first
/// is null.
std::optional<Usage> read_token_counts(const Statement& row, int first);

/// The 16 bytes of a stored hash; zero when there are not 16.
Hash128 read_hash(const Statement& row, int column);

/// The bytes of a hash, kept alive for a statement's parameter.
class HashBytes {
 public:
  explicit HashBytes(const Hash128& hash) : bytes_(to_bytes(hash)) {}
  std::string_view view() const;

 private:
  std::array<unsigned char, 16> bytes_;
};

Result<std::optional<JobIdentity>> read_job(Connection& connection);
Result<JobTotals> read_totals(Connection& connection);

}  // namespace llmbatch
