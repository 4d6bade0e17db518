// API keys: from an environment variable or a file, never from a flag; never logged, stored or
// shown. Thread rule: pure functions of environment and files.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/app/environment.h"
#include "llmbatch/base/result.h"

namespace llmbatch {

struct ApiKeyRequest {
  std::string provider;                ///< for messages; empty with --base-url alone
  std::vector<std::string> variables;  ///< of the profile; LLMBATCH_API_KEY with --base-url alone
  bool required = false;               ///< false: no key is fine
  std::optional<std::string> file;     ///< --api-key-file
  std::string url;                     ///< where the key would go
};

struct ApiKey {
  std::string value;                  ///< empty: there is none, and none is needed
  std::string origin;                 ///< `env OPENAI_API_KEY`, `file key.txt`; empty without a key
  std::vector<std::string> warnings;  ///< for stderr: a key file that others can read
};

/// The file wins over the variables, of which the first one that is set counts. Fails (usage) when
/// a required key is missing, when a key is malformed, and when it would travel over plain http to
/// another machine. No message contains the key.
Result<ApiKey> read_api_key(const ApiKeyRequest& request, const Environment& environment);

/// `set (env OPENAI_API_KEY)` or `not set`, for `config show`.
std::string describe_key_variable(const std::string& variable, const Environment& environment);

}  // namespace llmbatch
