#include "connection.h"

#include <sqlite3.h>

#include <cerrno>
#include <utility>

#include "llmbatch/base/fd.h"

namespace llmbatch {
namespace {

// Other programs (a spot check, a person with sqlite3) hold the database for moments only.
constexpr int kBusyTimeoutMs = 10'000;

// SQLite distinguishes an empty string from NULL by its pointer.
const char* data_or_empty(std::string_view bytes) { return bytes.empty() ? "" : bytes.data(); }

/// SQLite's URI form of a path: everything that could end or change the path is escaped.
std::string to_uri(std::string_view path, std::string_view query) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', kHex[byte >> 4U], kHex[byte & 15U]};
    } else {
      uri += c;
    }
  }
  return uri.append("?").append(query);
}

Error describe(sqlite3* handle, const std::string& path) {
  const int extended_code = sqlite3_extended_errcode(handle);
  const int code = extended_code & 0xff;
  const int system_error = sqlite3_system_errno(handle);
  const std::string text = sqlite3_errmsg(handle);
  const bool no_space = system_error == ENOSPC || system_error == EDQUOT || system_error == EFBIG;
  if (code == SQLITE_FULL || (code == SQLITE_IOERR && no_space)) {
    const std::string why = no_space ? errno_text(system_error) : text;
    return {"disk full: could not write " + path + " (" + why + ")", ErrorKind::failure};
  }
  if (extended_code == SQLITE_IOERR_WRITE || extended_code == SQLITE_IOERR_FSYNC) {
    // SQLite passes errno on as it stands later, so a quota or a size limit may go unrecognised.
    return {"disk full or failing: could not write " + path + " (" + text + ")",
            ErrorKind::failure};
  }
  switch (code) {
    case SQLITE_IOERR:
      return {path + ": could not read or write (" + text + ")", ErrorKind::failure};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {path + ": locked by another program (" + text + ")", ErrorKind::in_use};
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return {path + ": not writable (" + text + ")", ErrorKind::usage};
    case SQLITE_CANTOPEN: {
      const std::string why = system_error != 0 ? errno_text(system_error) : text;
      return {path + ": could not open the database (" + why + ")", ErrorKind::usage};
    }
    case SQLITE_NOTADB:
      return {path + ": not an llmbatch database (" + text + ")", ErrorKind::usage};
    case SQLITE_CORRUPT:
      return {path + ": the database is damaged (" + text + ")", ErrorKind::failure};
    default:
      return {path + ": database error (" + text + ")", ErrorKind::failure};
  }
}

}  // namespace

Statement::Statement(Statement&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)),
      statement_(std::exchange(other.statement_, nullptr)),
      bind_error_(std::exchange(other.bind_error_, 0)) {}

Statement& Statement::operator=(Statement&& other) noexcept {
  if (this != &other) {
    sqlite3_finalize(statement_);
    connection_ = std::exchange(other.connection_, nullptr);
    statement_ = std::exchange(other.statement_, nullptr);
    bind_error_ = std::exchange(other.bind_error_, 0);
  }
  return *this;
}

Statement::~Statement() { sqlite3_finalize(statement_); }

void Statement::note(int code) {
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

void Statement::bind(int parameter, std::int64_t value) {
  note(sqlite3_bind_int64(statement_, parameter, value));
}

void Statement::bind(int parameter, double value) {
  note(sqlite3_bind_double(statement_, parameter, value));
}

void Statement::bind(int parameter, std::string_view text) {
  note(sqlite3_bind_text64(statement_, parameter, data_or_empty(text), text.size(), SQLITE_STATIC,
                           SQLITE_UTF8));
}

void Statement::bind_unsigned(int parameter, std::uint64_t value) {
  bind(parameter, static_cast<std::int64_t>(value));
}

void Statement::bind_blob(int parameter, std::string_view bytes) {
  note(sqlite3_bind_blob64(statement_, parameter, data_or_empty(bytes), bytes.size(),
                           SQLITE_STATIC));
}

void Statement::bind_null(int parameter) { note(sqlite3_bind_null(statement_, parameter)); }

void Statement::bind_text_or_null(int parameter, std::string_view text) {
  if (text.empty()) {
    bind_null(parameter);
  } else {
    bind(parameter, text);
  }
}

void Statement::bind_or_null(int parameter, std::optional<std::int64_t> value) {
  if (value) {
    bind(parameter, *value);
  } else {
    bind_null(parameter);
  }
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) {
    const std::string why = sqlite3_errstr(std::exchange(bind_error_, SQLITE_OK));
    return failure(connection_->path() + ": value cannot be stored (" + why + ")");
  }
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_);
    return false;
  }
  auto error = tl::unexpected<Error>(connection_->last_error());
  sqlite3_reset(statement_);
  return error;
}

Status Statement::run() {
  for (;;) {
    const Result<bool> row = step();
    if (!row) return forward_error(row);
    if (!*row) return {};
  }
}

void Statement::reset() { sqlite3_reset(statement_); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

double Statement::real(int column) const { return sqlite3_column_double(statement_, column); }

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::uint64_t Statement::unsigned_integer(int column) const {
  return static_cast<std::uint64_t>(integer(column));
}

std::string_view Statement::text(int column) const { return blob(column); }

std::string_view Statement::blob(int column) const {
  // Text is read as a blob too: no conversion, and bytes after a NUL are not lost.
  const void* bytes = sqlite3_column_blob(statement_, column);
  const int size = sqlite3_column_bytes(statement_, column);
  if (bytes == nullptr) return {};
  return {static_cast<const char*>(bytes), static_cast<std::size_t>(size)};
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, Access access) {
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READWRITE;
  std::string name = path;
  if (access == Access::read_write) flags |= SQLITE_OPEN_CREATE;
  if (access == Access::immutable) {
    flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    name = to_uri(path, "immutable=1");
  } else if (name.rfind("file:", 0) == 0 || name == ":memory:" || name.empty()) {
    name.insert(0, "./");  // a file's name, whatever it looks like
  }
  sqlite3* handle = nullptr;
  const int code = sqlite3_open_v2(name.c_str(), &handle, flags, nullptr);
  if (handle == nullptr) return failure(path + ": out of memory");
  std::unique_ptr<Connection> connection(new Connection(handle, path));
  if (code != SQLITE_OK) return tl::unexpected<Error>(connection->last_error());
  sqlite3_busy_timeout(handle, kBusyTimeoutMs);
  sqlite3_extended_result_codes(handle, 1);
  return connection;
}

Connection::~Connection() { sqlite3_close_v2(handle_); }

Status Connection::execute(const char* sql) {
  if (sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return tl::unexpected<Error>(last_error());
}

Result<Statement> Connection::prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return tl::unexpected<Error>(last_error());
  return Statement(this, statement);
}

Result<std::int64_t> Connection::query_integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement) return forward_error(statement);
  const Result<bool> row = statement->step();
  if (!row) return forward_error(row);
  return *row ? statement->integer(0) : 0;
}

std::int64_t Connection::last_insert_id() const { return sqlite3_last_insert_rowid(handle_); }

std::int64_t Connection::changed_rows() const { return sqlite3_changes64(handle_); }

Error Connection::last_error() const { return describe(handle_, path_); }

void Connection::keep_log_on_close() {
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Result<Transaction> Transaction::begin(Connection& connection) {
  if (auto status = connection.execute("begin immediate"); !status) return forward_error(status);
  return Transaction(connection);
}

Transaction::Transaction(Transaction&& other) noexcept
    : connection_(std::exchange(other.connection_, nullptr)) {}

Transaction::~Transaction() {
  // After some errors SQLite has rolled back by itself; the second rollback then fails harmlessly.
  if (connection_ != nullptr) static_cast<void>(connection_->execute("rollback"));
}

Status Transaction::commit() {
  if (auto status = connection_->execute("commit"); !status) return status;
  connection_ = nullptr;
  return {};
}

}  // namespace llmbatch
