// What a BatchRunner is made of and told, and what it tells of the result files it read. Plain
// data.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "llmbatch/engine/spending.h"
#include "llmbatch/model/usage_means.h"
#include "llmbatch/policy/retry_policy.h"
#include "llmbatch/port/answer_check.h"
#include "llmbatch/port/batch_api.h"
#include "llmbatch/port/batch_journal.h"
#include "llmbatch/port/http_client.h"
#include "llmbatch/port/interrupts.h"
#include "llmbatch/port/item_source.h"
#include "llmbatch/port/known_answers.h"
#include "llmbatch/port/monitor.h"
#include "llmbatch/port/provider.h"
#include "llmbatch/port/token_counter.h"

namespace llmbatch {

struct BatchRunnerSettings {
  std::int64_t batch_size = 0;  ///< requests of a batch; 0: what the provider takes
  Duration poll_interval = std::chrono::seconds(30);
  bool wait = true;    ///< false: submit, collect what is ready, end
  bool submit = true;  ///< false: only look after batches that exist
  /// False: an item goes into one batch; what comes back without an answer stays pending.
  bool resubmit = true;
  bool cancel_on_interrupt = false;
  /// When to cancel what is still open and end, so that the rest can be done otherwise.
  std::optional<WallTime> give_up_at;
  Duration drain_timeout = std::chrono::seconds(30);
  RetrySettings retries;
  double max_error_rate = 0.05;  ///< 1: off
  bool pause_on_error_rate = true;
  bool reask = true;
  std::optional<std::int64_t> max_items;
  std::optional<Duration> max_duration;
  SpendingSettings spending;  ///< `held` without what the open batches reserve
  UsageMeans usage_means;
  std::string limiter_state;                    ///< kept as it is
  const TokenCounter* token_counter = nullptr;  ///< null: the estimate
  std::string spool_prefix;  ///< of the files that batches need: `tickets.jsonl.llmbatch.db.batch-`
  std::string key_secret;    ///< hashed, to tell that the key is another one
  std::uint64_t random_seed = 0;
  /// Not empty: what is pending becomes request files in this directory for somebody else to bring
  /// to an engine (BatchStage::written). Nothing is sent, and no other batch is looked after.
  std::string write_directory;
  /// False: the key is not known here, so it is not compared.
  bool knows_key = true;
};

/// What BatchRunner::read() found in result files.
struct ReadLines {
  std::int64_t lines = 0;
  std::int64_t stored = 0;        ///< answers
  std::int64_t known = 0;         ///< answers that were stored before
  std::int64_t unanswered = 0;    ///< lines that say that there is no answer
  std::int64_t given_back = 0;    ///< of batches that were given up, or of items that left them
  std::int64_t foreign = 0;       ///< of other jobs
  std::string unanswered_reason;  ///< of the last such line
  std::vector<std::string> strangers;   ///< a few custom ids of other jobs
  std::vector<std::int64_t> collected;  ///< batches that are done by them
};

/// A file of result lines, and what the user calls it.
struct ResultFile {
  std::string path;
  std::string name;
};

struct BatchRunnerParts {
  const Clock& clock;
  const Provider& provider;
  const BatchApi& api;
  HttpClient& client;
  BatchJournal& journal;
  Monitor& monitor;
  Interrupts& interrupts;
  /// The items that are not final, from the first on; called once for each pass over them.
  std::function<Result<std::unique_ptr<ItemSource>>()> open_source;
  /// The states of the items of the input, counted.
  std::function<Result<StateCounts>()> count_states;
  const AnswerCheck* answer_check = nullptr;  ///< null: every answer is good
  KnownAnswers* answers = nullptr;            ///< null: identical requests are all sent
  /// Reads result lines that are not in the form of `api`; null: there are none.
  const BatchApi* other_api = nullptr;
};

}  // namespace llmbatch
