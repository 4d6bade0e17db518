#include "llmbatch/model/outcome.h"

#include <array>

namespace llmbatch {
namespace {

/// In the order of the enumerators.
constexpr auto kErrorNames = std::to_array<std::string_view>({
    "none",         "rate_limited",       "overloaded",      "server_error",
    "timeout",      "connection",         "request_timeout", "content_policy",
    "malformed",    "truncated",          "invalid_request", "context_length",
    "too_large",    "model_not_found",    "quota_exhausted", "authentication",
    "permission",   "response_too_large", "invalid_input",   "interrupted",
    "check_failed",
});
static_assert(kErrorNames.size() == static_cast<std::size_t>(ErrorClass::check_failed) + 1);

}  // namespace

std::string_view to_string(ErrorClass error) {
  return kErrorNames[static_cast<std::size_t>(error)];
}

std::optional<ErrorClass> parse_error_class(std::string_view name) {
  for (std::size_t index = 0; index < kErrorNames.size(); ++index) {
    if (kErrorNames[index] == name) return static_cast<ErrorClass>(index);
  }
  return std::nullopt;
}

}  // namespace llmbatch
