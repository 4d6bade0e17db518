// One SQLite connection, its prepared statements and transactions: the only place that calls the
// SQLite API. Errors become text for people here. Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace llmbatch {

/// A prepared statement. Parameters and columns are numbered from 1 and 0, as in SQLite. Bound text
/// and blobs are not copied: they must stay where they are until the statement was reset.
class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept;
  Statement& operator=(Statement&& other) noexcept;
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement();

  void bind(int parameter, std::int64_t value);
  void bind(int parameter, double value);
  void bind(int parameter, std::string_view text);
  void bind_unsigned(int parameter, std::uint64_t value);
  void bind_blob(int parameter, std::string_view bytes);
  void bind_null(int parameter);
  /// Empty text is stored as NULL, which takes no room.
  void bind_text_or_null(int parameter, std::string_view text);
  void bind_or_null(int parameter, std::optional<std::int64_t> value);

  /// True: a row is there. False: the end; the statement is reset.
  Result<bool> step();
  /// Steps to the end and resets.
  Status run();
  void reset();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::uint64_t unsigned_integer(int column) const;
  /// Valid until the next step or reset. NULL is empty.
  std::string_view text(int column) const;
  std::string_view blob(int column) const;

 private:
  friend class Connection;
  Statement(class Connection* connection, sqlite3_stmt* statement)
      : connection_(connection), statement_(statement) {}
  void note(int code);

  Connection* connection_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;
  int bind_error_ = 0;
};

class Connection {
 public:
  enum class Access {
    read_write,  ///< creates the file when it is missing
    query,       ///< may take part in WAL housekeeping, never changes content
    immutable,   ///< read-only media: no locks, no WAL
  };
  static Result<std::unique_ptr<Connection>> open(const std::string& path, Access access);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  /// Runs statements that yield no rows.
  Status execute(const char* sql);
  Result<Statement> prepare(std::string_view sql);
  /// The first column of the first row.
  Result<std::int64_t> query_integer(std::string_view sql);

  std::int64_t last_insert_id() const;
  std::int64_t changed_rows() const;
  const std::string& path() const { return path_; }
  /// The connection's last error, in words that name the file.
  Error last_error() const;
  /// Closing leaves the write-ahead log as it is.
  void keep_log_on_close();

 private:
  Connection(sqlite3* handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  friend class Statement;

  sqlite3* handle_;
  std::string path_;
};

/// Rolls back unless committed.
class Transaction {
 public:
  /// `begin immediate`: takes the write lock at once, so that nothing fails half-way for want of
  /// it.
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  Status commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace llmbatch
