// BatchSession: the provider batches of an existing job, opened for a command that changes them. It
// holds the lock of the database as a run does. Private to the module. Thread rule: one thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "llmbatch/app/environment.h"
#include "llmbatch/app/job_target.h"
#include "llmbatch/app/settings.h"
#include "llmbatch/engine/batch_runner.h"
#include "llmbatch/net/signal_interrupts.h"
#include "llmbatch/store/store.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

class BatchSession {
 public:
  /// Whether the provider is talked to, and so a key and a server are needed.
  enum class Reach { provider, nobody };

  /// Signals are to be blocked before. Fails when there is no such job, another process holds it,
  /// or its provider cannot be reached with these settings.
  static Result<std::unique_ptr<BatchSession>> open(const std::string& database,
                                                    const Settings& settings,
                                                    const Environment& environment, Reach reach);

  /// As they were when the session was opened.
  const std::vector<BatchRecord>& batches() const { return batches_; }
  /// The open batches that `words` name by number, or all of them (`all`). A number that the job
  /// does not have is a usage error.
  Result<std::vector<std::int64_t>> choose(const std::vector<std::string>& words) const;

  // Each is the last thing that is asked of a session.
  Result<RunResult> cancel(std::span<const std::int64_t> numbers);
  Result<RunResult> forget(std::span<const std::int64_t> numbers);
  /// Is recorded as a run, because its answers belong to one.
  Result<RunResult> read(std::span<const ResultFile> files, ReadLines& lines,
                         const std::string& command_line);

 private:
  explicit BatchSession(std::string database) : database_(std::move(database)) {}
  Status open_job(const Settings& settings, const Environment& environment, Reach reach);
  Result<RunOptions> options_of(const JobIdentity& job, const Settings& settings,
                                Reach reach) const;
  Status find_server(const Settings& settings, const JobIdentity& job,
                     RunModelOptions& model) const;
  Status make_apis(Reach reach);
  Status make_client(const Settings& settings);
  Result<BatchRunnerSettings> runner_settings(const JobTotals& totals) const;
  Result<RunResult> with_runner(const std::function<RunResult(BatchRunner&)>& task);
  Status begin_reading(const std::string& command_line);
  /// Keeps the status row in step with what was done outside a run.
  Status keep_status(RunResult& result);

  std::string database_;
  SystemClock clock_;
  std::unique_ptr<SignalInterrupts> interrupts_;
  std::unique_ptr<Monitor> monitor_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
  JobTarget target_;
  RunErrorOptions errors_;
  JobPrices prices_;
  bool reask_ = true;
  bool knows_key_ = false;
  std::unique_ptr<Provider> provider_;
  std::unique_ptr<BatchApi> api_;
  std::unique_ptr<BatchApi> compatible_api_;
  std::unique_ptr<AnswerCheck> check_;
  std::unique_ptr<HttpClient> client_;
  std::vector<BatchRecord> batches_;
  RunStatus status_;
};

/// Of a `batches` command that ended so.
int exit_code_of(const RunResult& result);

}  // namespace llmbatch
