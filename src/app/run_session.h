// RunSession: everything one `run` is made of, in the order in which it is built.
// Thread rule: that of run_job.h.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "llmbatch/app/environment.h"
#include "llmbatch/app/job_target.h"
#include "llmbatch/app/run_options.h"
#include "llmbatch/app/run_plan.h"
#include "llmbatch/base/log.h"
#include "llmbatch/engine/batch_runner.h"
#include "llmbatch/engine/runner.h"
#include "llmbatch/net/curl_transport.h"
#include "llmbatch/net/signal_interrupts.h"
#include "llmbatch/store/answer_cache.h"
#include "llmbatch/store/store.h"
#include "llmbatch/store/store_reader.h"
#include "llmbatch/tokenizer/make_token_counter.h"
#include "recheck.h"
#include "rehearsal.h"

namespace llmbatch {

class RunSession {
 public:
  RunSession(RunOptions options, const Environment& environment, std::string command_line)
      : options_(std::move(options)),
        environment_(environment),
        command_line_(std::move(command_line)) {}

  Result<int> run();

 private:
  Status open_surroundings();
  Status resolve_job();
  Status open_database();
  Result<bool> compare_job();
  Result<bool> make_plan(bool job_changed);
  Status begin();
  Result<int> conclude_recheck();
  std::unique_ptr<KnownAnswers> open_answers();
  Result<RunResult> execute();
  Result<RunResult> call_for_rest();
  Result<RunResult> run_calls();
  // The part that goes through provider batches: run_session_batches.cc
  Status choose_way();
  bool open_batches() const;
  bool batches_at_provider() const;
  Status refuse_moving_batches(const JobIdentity& stored);
  Status need_batch_price();
  bool writes_files() const { return !options_.batches.write_directory.empty(); }
  Result<RunResult> run_batches();
  BatchRunnerSettings batch_settings(std::string limiter_state) const;
  void go_on_from(const RunResult& result);
  Duration time_for_calls(std::int64_t items) const;
  Result<int> conclude(const RunResult& result);
  RunnerSettings runner_settings(std::string limiter_state) const;
  TransportConfig transport_config() const;
  RunStatus initial_status(const JobTotals& totals) const;
  void tell(const std::string& text);

  RunOptions options_;
  const Environment& environment_;
  std::string command_line_;
  SystemClock clock_;
  Log log_;
  std::unique_ptr<SignalInterrupts> interrupts_;
  std::unique_ptr<Monitor> monitor_;
  std::unique_ptr<Rehearsal> rehearsal_;
  JobTarget target_;
  std::unique_ptr<Provider> provider_;
  std::unique_ptr<AnswerCheck> answer_check_;
  JobPrices prices_;
  Money held_;  ///< what earlier runs may have spent beside the stored cost
  TokenCounterChoice tokens_;
  std::optional<InputFile> input_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<StoreReader> reader_;
  std::unique_ptr<Provider> provider_before_;  ///< of the stored job, for --recheck
  bool checks_change_ = false;
  std::unique_ptr<AnswerCache> cache_;
  RunPlan plan_;
  std::unique_ptr<Recheck> recheck_;
  std::string estimate_line_;  ///< empty: there is nothing to tell
  RunStatus initial_status_;
  std::int64_t run_number_ = 0;
  std::int64_t concurrency_ = 0;
  std::unique_ptr<BatchApi> batch_api_;  ///< null: the provider has none, or it is not needed
  std::vector<BatchRecord> batches_;     ///< of the job, when the run began
  bool offline_ = false;                 ///< nothing is asked of the provider's Batch API
  bool via_batch_ = false;
  bool rest_follows_ = false;  ///< after the batches: something is left to be called for
};

}  // namespace llmbatch
