// CheckOptions: what the answers of a job have to be, from the settings of `run` or from the job
// that a database stores. Thread rule: plain values.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/app/settings.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/job.h"
#include "llmbatch/port/answer_check.h"

namespace llmbatch {

struct CheckOptions {
  std::string schema_file;  ///< as given; for messages
  std::string schema;       ///< its JSON, on one line; empty: none
  bool json = false;
  std::vector<std::string> choices;
  std::string match;
  /// What the provider is asked for: `auto`, `schema`, `json`, `text`.
  std::string format = "auto";
  bool recheck = false;  ///< judge the stored answers and send nothing; not part of the job
  bool reask = true;     ///< quote the violation to the model; not part of the job

  bool empty() const { return schema.empty() && !json && choices.empty() && match.empty(); }
};

/// Reads and tries the schema file. A failure names the file and the place in it.
Result<CheckOptions> check_options(const Settings& settings);

/// What of a usable schema has no effect, for warnings.
std::vector<std::string> check_warnings(const CheckOptions& options);

/// What JobIdentity stores; empty when nothing is checked.
std::string canonical_checks(const CheckOptions& options);
/// And back.
Result<CheckOptions> stored_checks(const std::string& canonical);

/// What the provider is asked for.
AnswerFormat answer_format(const CheckOptions& options);

/// Null when nothing is checked.
Result<std::unique_ptr<AnswerCheck>> answer_check(const CheckOptions& options, WireFormat format);

}  // namespace llmbatch
