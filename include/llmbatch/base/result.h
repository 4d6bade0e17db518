// Result<T>: a value or an Error that the caller can meet. Thread rule: plain values, no sharing.
#pragma once

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace llmbatch {

/// Why an operation failed, as far as the exit code and the caller's next step depend on it.
enum class ErrorKind {
  failure,   ///< the run could not go on: disk full, database error (exit 1)
  usage,     ///< wrong flag, configuration or unreadable input; nothing was sent (exit 2)
  in_use,    ///< another process holds the database (exit 5)
  mismatch,  ///< the database belongs to another job or a newer version (exit 2)
};

/// Text: lower case, the thing first, then why, with the value that was wrong.
struct Error {
  std::string message;
  ErrorKind kind = ErrorKind::failure;
};

template <typename T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

/// The result of an operation that yields nothing but may fail.
using Status = Result<void>;

inline tl::unexpected<Error> failure(std::string message, ErrorKind kind = ErrorKind::failure) {
  return tl::unexpected<Error>(Error{std::move(message), kind});
}

inline tl::unexpected<Error> usage_error(std::string message) {
  return failure(std::move(message), ErrorKind::usage);
}

/// Hands the error of one Result on as the error of another type.
template <typename T>
tl::unexpected<Error> forward_error(const Result<T>& result) {
  return tl::unexpected<Error>(result.error());
}

}  // namespace llmbatch
