#include "llmbatch/store/answer_cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "connection.h"
#include "llmbatch/base/fd.h"
#include "response_codec.h"
#include "row_values.h"

namespace llmbatch {
namespace {

/// `LLMC` in ASCII, and the version of the schema below.
constexpr std::int64_t kCacheApplicationId = 0x4C4C4D43;
constexpr std::int64_t kCacheVersion = 1;
/// Larger files are not read through when they are opened.
constexpr off_t kCheckedBytes = off_t{64} << 20U;

constexpr const char* kSchema = R"sql(
pragma page_size = 8192;
pragma application_id = 1280068931;
-- One row per answered request. The key is a hash of endpoint (where no profile names one), wire
-- format, profile, path and exact body. The first answer stays.
create table answers (
  id                  integer primary key,
  key                 blob not null unique,
  answered_ms         integer not null,   -- since the Unix epoch, UTC
  http_status         integer not null,
  model               text,
  finish_reason       text,
  request_id          text,               -- of the provider
  input_tokens        integer,
  cached_input_tokens integer,
  cache_write_tokens  integer,
  output_tokens       integer,
  reasoning_tokens    integer,
  usage_estimated     integer,
  cost_pico           integer,            -- pico-dollars; null: unknown
  response_encoding   integer not null,   -- 0: bytes as they came, 1: zstd frame
  response            blob not null
) strict;
pragma user_version = 1;
pragma journal_mode = wal;
)sql";

// The last few answers may be lost in a power cut: they are in the job's database as well.
constexpr const char* kSettings =
    "pragma synchronous = normal; pragma cache_size = -1024; pragma mmap_size = 0;"
    "pragma trusted_schema = off; pragma journal_size_limit = 16777216;";

constexpr std::string_view kInsert =
    "insert or ignore into answers (key, answered_ms, http_status, model, finish_reason, "
    "request_id,"
    " input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens,"
    " usage_estimated, cost_pico, response_encoding, response) values"
    " (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15)";

constexpr std::string_view kSelect =
    "select answered_ms, http_status, model, finish_reason, request_id, input_tokens,"
    " cached_input_tokens, cache_write_tokens, output_tokens, reasoning_tokens, usage_estimated,"
    " cost_pico, response_encoding, response from answers where key = ?1";

Hash128 key_of(const Hash128& request_hash, const std::optional<Hash128>& endpoint) {
  const HashBytes request(request_hash);
  if (!endpoint) return hash128(request.view());
  const HashBytes url(*endpoint);
  return hash128(std::string(request.view()).append(url.view()));
}

bool is_answer(const ItemUpdate& update) {
  return update.state == ItemState::succeeded && update.error == ErrorClass::none &&
         update.attempt && !update.cached && !update.attempt->response.empty();
}

/// Under another name first, so that no process ever sees half a file.
Status create_file(const std::string& path, bool replace_empty) {
  std::string unfinished = path + ".XXXXXX";
  const UniqueFd fd(mkostemp(unfinished.data(), O_CLOEXEC));
  if (!fd.valid())
    return usage_error(path + ": could not create the cache (" + errno_text(errno) + ")");
  Status status;
  {
    auto connection = Connection::open(unfinished, Connection::Access::read_write);
    status = connection ? (*connection)->execute(kSchema) : Status(forward_error(connection));
  }
  if (status) {
    // A link fails when another process was first; its file is as good.
    const int made = replace_empty ? std::rename(unfinished.c_str(), path.c_str())
                                   : ::link(unfinished.c_str(), path.c_str());
    if (made != 0 && errno != EEXIST) {
      status = usage_error(path + ": could not create the cache (" + errno_text(errno) + ")");
    }
  }
  unlink(unfinished.c_str());
  return status;
}

Status check_file(Connection& connection, off_t size_bytes) {
  const std::string& path = connection.path();
  auto application = connection.query_integer("pragma application_id");
  if (!application) return usage_error(application.error().message);
  if (*application != kCacheApplicationId) {
    return usage_error(path + ": not a cache file of llmbatch (application id " +
                       std::to_string(*application) + ")");
  }
  auto version = connection.query_integer("pragma user_version");
  if (!version) return usage_error(version.error().message);
  if (*version > kCacheVersion) {
    return failure(
        path + ": was written by a newer llmbatch (cache version " + std::to_string(*version) + ")",
        ErrorKind::mismatch);
  }
  if (size_bytes > kCheckedBytes) return {};
  auto sound = connection.prepare("pragma quick_check(1)");
  if (!sound) return usage_error(sound.error().message);
  auto row = sound->step();
  if (!row) return usage_error(row.error().message);
  if (sound->text(0) == "ok") return {};
  return usage_error(path + ": the cache is damaged; remove it or name another one");
}

Result<std::unique_ptr<Connection>> open_connection(const std::string& path, const char* patience) {
  auto connection = Connection::open(path, Connection::Access::query);
  if (!connection) return usage_error(connection.error().message);
  if (auto status = (*connection)->execute(patience); !status) return forward_error(status);
  struct stat info {};
  const off_t size_bytes = stat(path.c_str(), &info) == 0 ? info.st_size : 0;
  if (auto status = check_file(**connection, size_bytes); !status) return forward_error(status);
  if (auto status = (*connection)->execute(kSettings); !status) return forward_error(status);
  return connection;
}

AttemptRecord read_attempt(const Statement& row) {
  AttemptRecord attempt;
  attempt.number = 0;
  attempt.transmissions = 0;
  attempt.started_at = from_unix_millis(row.integer(0));
  attempt.http_status = static_cast<int>(row.integer(1));
  attempt.model = row.text(2);
  attempt.finish_reason = row.text(3);
  attempt.request_id = row.text(4);
  if (!row.is_null(5)) {
    Usage& usage = attempt.usage.emplace();
    usage.input = row.integer(5);
    usage.cached_input = row.integer(6);
    usage.cache_write = row.integer(7);
    usage.output = row.integer(8);
    usage.reasoning = row.integer(9);
    usage.estimated = row.integer(10) != 0;
  }
  if (!row.is_null(11)) attempt.cost = Money::from_pico(row.integer(11));
  return attempt;
}

void bind_answer(Statement& s, const AttemptRecord& attempt) {
  s.bind(2, to_unix_millis(attempt.started_at + attempt.latency));
  s.bind(3, std::int64_t{attempt.http_status});
  s.bind_text_or_null(4, attempt.model);
  s.bind_text_or_null(5, attempt.finish_reason);
  s.bind_text_or_null(6, attempt.request_id);
  for (int i = 7; i <= 13; ++i) s.bind_null(i);
  if (attempt.usage) {
    s.bind(7, attempt.usage->input);
    s.bind(8, attempt.usage->cached_input);
    s.bind(9, attempt.usage->cache_write);
    s.bind(10, attempt.usage->output);
    s.bind(11, attempt.usage->reasoning);
    s.bind(12, std::int64_t{attempt.usage->estimated});
  }
  if (attempt.cost) s.bind(13, attempt.cost->pico());
}

}  // namespace

struct AnswerCache::State {
  std::optional<Hash128> endpoint;
  std::unique_ptr<Connection> reading;
  std::unique_ptr<Connection> writing;
  Statement select;
  Statement insert;
  ResponseEncoder encoder;
  bool read_failed = false;   // of the thread of find()
  bool write_failed = false;  // of the thread of add()

  std::mutex mutex;
  // Guarded by mutex.
  std::string warning;

  void warn(const std::string& text) {
    const std::lock_guard lock(mutex);
    if (!warning.empty()) warning += "; ";
    warning += text;
  }
  Status insert_answers(std::span<const ItemUpdate> updates);
};

Status AnswerCache::State::insert_answers(std::span<const ItemUpdate> updates) {
  auto transaction = Transaction::begin(*writing);
  if (!transaction) return forward_error(transaction);
  for (const ItemUpdate& update : updates) {
    if (!is_answer(update)) continue;
    const HashBytes key(key_of(update.request_hash, endpoint));
    insert.bind_blob(1, key.view());
    bind_answer(insert, *update.attempt);
    const EncodedResponse response = encoder.encode(update.attempt->response);
    insert.bind(14, static_cast<std::int64_t>(response.encoding));
    insert.bind_blob(15, response.bytes);
    if (auto status = insert.run(); !status) return status;
  }
  return transaction->commit();
}

AnswerCache::AnswerCache(std::unique_ptr<State> state) : state_(std::move(state)) {}

AnswerCache::~AnswerCache() = default;

Result<std::unique_ptr<AnswerCache>> AnswerCache::open(const std::string& path,
                                                       const std::optional<Hash128>& endpoint) {
  struct stat info {};
  const bool exists = stat(path.c_str(), &info) == 0;
  if (exists && !S_ISREG(info.st_mode)) return usage_error(path + ": not a file");
  if (!exists || info.st_size == 0) {
    if (auto status = create_file(path, exists); !status) return forward_error(status);
  }
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    return usage_error(path + ": not writable (" + errno_text(errno) + ")");
  }
  auto state = std::make_unique<State>();
  state->endpoint = endpoint;
  auto reading = open_connection(path, "pragma busy_timeout = 500");
  if (!reading) return forward_error(reading);
  state->reading = std::move(*reading);
  auto writing = open_connection(path, "pragma busy_timeout = 2000");
  if (!writing) return forward_error(writing);
  state->writing = std::move(*writing);
  auto select = state->reading->prepare(kSelect);
  if (!select) return usage_error(select.error().message);
  state->select = std::move(*select);
  auto insert = state->writing->prepare(kInsert);
  if (!insert) return usage_error(insert.error().message);
  state->insert = std::move(*insert);
  return std::unique_ptr<AnswerCache>(new AnswerCache(std::move(state)));
}

std::shared_ptr<const ReusedAnswer> AnswerCache::find(const Hash128& request_hash) {
  State& s = *state_;
  if (s.read_failed) return nullptr;
  const HashBytes key(key_of(request_hash, s.endpoint));
  s.select.bind_blob(1, key.view());
  const Result<bool> found = s.select.step();
  if (found && !*found) return nullptr;
  Result<std::string> response = std::string();
  if (found) {
    const auto encoding =
        s.select.integer(12) == 1 ? ResponseEncoding::zstd : ResponseEncoding::plain;
    response = decode_response(encoding, s.select.blob(13));
  }
  if (!found || !response) {
    // Another process that writes is no reason to give up; whatever else it is will not go away.
    const Error& error = found ? response.error() : found.error();
    s.read_failed = error.kind != ErrorKind::in_use;
    s.select.reset();
    if (s.read_failed) s.warn("the cache is not read any more: " + error.message);
    return nullptr;
  }
  auto answer = std::make_shared<ReusedAnswer>();
  AttemptRecord attempt = read_attempt(s.select);
  s.select.reset();
  answer->http_status = attempt.http_status;
  answer->model = attempt.model;
  answer->finish_reason = attempt.finish_reason;
  answer->request_id = attempt.request_id;
  answer->usage = attempt.usage;
  answer->cost = attempt.cost;
  attempt.response = std::move(*response);
  attempt.cost = Money();  // nothing was paid for it here
  answer->foreign = std::move(attempt);
  return answer;
}

void AnswerCache::add(std::span<const ItemUpdate> updates) {
  State& s = *state_;
  bool any = false;
  for (const ItemUpdate& update : updates) any = any || is_answer(update);
  if (!any || s.write_failed) return;
  const Status added = s.insert_answers(updates);
  // One that is in use by another process for long misses these answers, and takes the next ones.
  if (added || added.error().kind == ErrorKind::in_use) return;
  s.write_failed = true;
  s.warn("the cache is not added to any more: " + added.error().message);
}

std::string AnswerCache::warning() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->warning, std::string());
}

}  // namespace llmbatch
