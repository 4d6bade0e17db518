#include "open_database.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "llmbatch/base/fd.h"
#include "schema.h"

namespace llmbatch {
namespace {

// The whole process has to stay below 32 MiB, so the page cache is small: 1 MiB. Rows are appended
// and read in order, which needs no more.
constexpr const char* kCommonSettings =
    "pragma cache_size = -1024;"
    "pragma mmap_size = 0;"
    "pragma temp_store = file;"
    "pragma trusted_schema = off;";

// Pages of 8 KiB hold answers of usual size with a tenth less waste than those of 4 KiB.
constexpr const char* kFileSettings = "pragma page_size = 8192; pragma synchronous = full;";
constexpr const char* kNewFileSettings =
    "pragma page_size = 8192; pragma journal_mode = off; pragma synchronous = off;";

// The log is copied into the database every 16 MiB, and does not keep more than 64 MiB of disk
// after one huge transaction.
constexpr const char* kWriterSettings =
    "pragma synchronous = full;"
    "pragma wal_autocheckpoint = 2000;"
    "pragma journal_size_limit = 67108864;";

std::uint64_t file_size(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

bool exists(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0;
}

/// Reads the version, and refuses what is not ours.
Result<std::int64_t> check_version(Connection& connection) {
  auto application = connection.query_integer("pragma application_id");
  if (!application) return forward_error(application);
  auto version = connection.query_integer("pragma user_version");
  if (!version) return forward_error(version);
  if (*application != kApplicationId) {
    return usage_error(connection.path() + ": not an llmbatch database (application id " +
                       std::to_string(*application) + ")");
  }
  if (*version > kSchemaVersion) {
    return failure(connection.path() + ": was written by a newer llmbatch (schema " +
                       std::to_string(*version) + ", this one knows " +
                       std::to_string(kSchemaVersion) + ")",
                   ErrorKind::mismatch);
  }
  return version;
}

/// check_version() that leaves a refused database as it was, down to a log beside it.
/// `had_log`: whether that was there before the first read.
Result<std::int64_t> check_unchanged(Connection& connection, bool had_log) {
  auto version = check_version(connection);
  if (!version && had_log) connection.keep_log_on_close();
  return version;
}

tl::unexpected<Error> not_created(const std::string& path, const std::string& reason) {
  return usage_error(path + ": could not create the database (" + reason + ")");
}

Status write_new_database(const std::string& path) {
  auto connection = Connection::open(path, Connection::Access::read_write);
  if (!connection) return forward_error(connection);
  auto status = (*connection)->execute(kNewFileSettings);
  if (status) status = create_schema(**connection);
  if (status) status = (*connection)->execute("pragma journal_mode = wal");
  return status;
}

/// Makes the database under another name and renames it when it is whole and on the disk, so that a
/// crash leaves none or all of it: two syncs instead of the eight of SQLite's own journal. The
/// directory is synced with the first log. Does nothing when `path` exists.
Status create_if_missing(const std::string& path) {
  struct stat info {};
  if (lstat(path.c_str(), &info) == 0) return {};
  // A name that nobody uses, with mode 0600, which SQLite gives to the log and its index as well.
  std::string unfinished = path + ".XXXXXX";
  const UniqueFd fd(mkostemp(unfinished.data(), O_CLOEXEC));
  if (!fd.valid()) return not_created(path, errno_text(errno));
  Status status = write_new_database(unfinished);
  if (status && fdatasync(fd.get()) != 0) status = not_created(path, errno_text(errno));
  if (status && rename(unfinished.c_str(), path.c_str()) != 0) {
    status = not_created(path, errno_text(errno));
  }
  if (!status) unlink(unfinished.c_str());
  return status;
}

tl::unexpected<Error> too_old(const std::string& path, std::int64_t version) {
  return failure(path + ": was written by an older llmbatch (schema " + std::to_string(version) +
                     "); the next run migrates it",
                 ErrorKind::mismatch);
}

/// True when there is nothing in it: a crash while the schema was written leaves a hot journal, and
/// the first read rolls back to the empty file.
Result<bool> is_empty(Connection& connection) {
  auto pages = connection.query_integer("pragma page_count");
  if (!pages) return forward_error(pages);
  return *pages == 0;
}

Status prepare_writable(Connection& connection, bool is_new, bool had_log) {
  if (!is_new && !had_log) {
    // Only a read takes the lock under which a hot journal is rolled back.
    if (auto read = connection.query_integer("select count(*) from sqlite_master"); read) {
      auto empty = is_empty(connection);
      if (!empty) return forward_error(empty);
      is_new = *empty;
    }
  }
  if (is_new) {
    // The schema goes in before WAL is switched on: so the file itself, not only its log, says from
    // the first moment whose it is.
    if (auto status = connection.execute(kFileSettings); !status) return status;
    if (auto status = create_schema(connection); !status) return status;
  } else {
    auto version = check_unchanged(connection, had_log);
    if (!version) return forward_error(version);
    if (*version < kSchemaVersion) {
      auto status = migrate(connection, migrations(), kSchemaVersion);
      if (!status) return status;
    }
  }
  if (auto status = connection.execute("pragma journal_mode = wal"); !status) return status;
  return connection.execute(kWriterSettings);
}

}  // namespace

Result<std::unique_ptr<Connection>> open_writable_database(const std::string& path) {
  if (auto created = create_if_missing(path); !created) return forward_error(created);
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    return usage_error(path + ": not writable (" + errno_text(errno) + ")");
  }
  const bool is_new = file_size(path) == 0 && file_size(path + "-wal") == 0;
  const bool had_log = exists(path + "-wal");
  auto connection = Connection::open(path, Connection::Access::read_write);
  if (!connection) return connection;
  if (auto status = (*connection)->execute(kCommonSettings); !status) return forward_error(status);
  if (auto status = prepare_writable(**connection, is_new, had_log); !status) {
    return forward_error(status);
  }
  return connection;
}

Result<std::unique_ptr<Connection>> open_shared_database(const std::string& path) {
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    return usage_error(path + ": not writable (" + errno_text(errno) + ")");
  }
  const bool had_log = exists(path + "-wal");
  auto connection = Connection::open(path, Connection::Access::read_write);
  if (!connection) return connection;
  auto version = check_unchanged(**connection, had_log);
  if (!version) return forward_error(version);
  if (*version < kSchemaVersion) return too_old(path, *version);
  for (const char* settings : {kCommonSettings, kWriterSettings}) {
    if (auto status = (*connection)->execute(settings); !status) return forward_error(status);
  }
  return connection;
}

Result<std::unique_ptr<Connection>> open_readable_database(const std::string& path) {
  if (access(path.c_str(), R_OK) != 0) return usage_error(path + ": " + errno_text(errno));
  const bool had_log = exists(path + "-wal");
  auto connection = Connection::open(path, Connection::Access::query);
  if (!connection) return connection;
  const Result<std::int64_t> readable = (*connection)->query_integer("pragma schema_version");
  if (!readable && file_size(path + "-wal") == 0) {
    // Read-only media: SQLite cannot make the shared index of the log; without a log none is
    // needed.
    connection->reset();
    connection = Connection::open(path, Connection::Access::immutable);
    if (!connection) return connection;
    if (!(*connection)->query_integer("pragma schema_version")) return forward_error(readable);
  }
  auto version = check_unchanged(**connection, had_log);
  if (!version) return forward_error(version);
  if (*version < kSchemaVersion) return too_old(path, *version);
  if (auto status = (*connection)->execute(kCommonSettings); !status) return forward_error(status);
  if (auto status = (*connection)->execute("pragma query_only = on"); !status) {
    return forward_error(status);
  }
  return connection;
}

}  // namespace llmbatch
