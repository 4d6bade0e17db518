#include "schema.h"

#include <array>
#include <string>

namespace llmbatch {
namespace {

// Times are milliseconds since the Unix epoch (UTC) unless the name says otherwise; money is whole
// pico-dollars (1e-12 USD); 128-bit hashes are 16 bytes, big-endian. Everything wide comes last in
// its table, so that reading the narrow columns never touches overflow pages.
constexpr const char* kTables = R"sql(
-- What the runs of this database resume: one row. A run whose job differs is refused.
create table job (
  id              integer primary key check (id = 1),
  wire_format     text not null,      -- openai-chat, anthropic, gemini, ...
  profile         text not null,      -- provider profile; custom: --base-url alone
  model           text not null,
  prompt_template text not null,
  system_template text not null,
  id_rule         text not null,      -- id, line, hash, field:NAME
  parameters      text not null,      -- canonical JSON of the request parameters
  checks          text not null       -- canonical JSON of the answer checks; empty: none
) strict;

-- One row per invocation that may send requests.
create table runs (
  number            integer primary key,
  started_ms        integer not null,
  finished_ms       integer,          -- null: still running, or killed
  command           text not null,
  version           text not null,    -- of llmbatch
  pid               integer not null,
  input_path        text not null,
  input_size_bytes  integer not null,
  input_mtime_nanos integer not null,
  input_lines       integer not null,
  end_reason        text,             -- finished, rechecked, paused: ..., interrupted, error: ...
  exit_code         integer,
  finished_items    integer,          -- brought to a final state by this run
  attempts          integer,          -- of the job when the run ended, all runs
  cost_pico         integer,          -- of the job when the run ended, all runs; null: unknown
  rpm               integer,          -- limits that were set, per minute; null: none
  tpm               integer,
  endpoint          blob              -- hash of the base URL; null: the profile's. Answers of one
                                      --   endpoint are not reused for another
) strict;

-- One row per item that was ever attempted or finished; seq is the order of first sight. There is no
-- index on the id: with random ids it would cost a factor of five in every commit.
create table items (
  seq            integer primary key,
  state          integer not null,    -- 0 pending, 1 in_flight, 2 submitted, 3 succeeded,
                                      -- 4 filtered, 5 flagged, 6 failed, 7 invalid
  error_class    integer not null,    -- see the view attempt_log for the names; 0: none
  http_status    integer,
  attempts       integer not null,    -- over all runs and contents
  last_attempt   integer,             -- attempts.id: model, usage, latency and raw response; of an
                                      --   item answered without a call that of the item it repeats
  cost_pico      integer,             -- sum of all attempts with a known cost; null: none has one
  cached         integer not null,    -- 1: answered without a call
  output_is_json integer not null,    -- 1: output is JSON text, 0: plain text
  finished_ms    integer,
  line           integer not null,    -- place in the input when it was last dispatched; the present
  offset_bytes   integer not null,    --   line of an item is told by line_map
  length_bytes   integer not null,
  id_hash        blob not null,
  request_hash   blob not null,       -- wire format, profile and exact request body
  id             text not null,
  error_message  text,                -- null: that of the last attempt
  output         text,
  input          text                 -- the input line, where it has to be stored
) strict;
-- Succeeded items, nearly all, are left out.
create index items_problems on items (state, error_class) where state <> 3;

-- One row per HTTP call, in the order of their commits. Nothing that was paid for is ever dropped.
create table attempts (
  id                  integer primary key,
  seq                 integer not null,   -- items.seq
  run                 integer not null,   -- runs.number
  number              integer not null,   -- from 1, over all runs of the item
  started_ms          integer not null,
  latency_us          integer not null,
  http_status         integer,            -- null: no HTTP answer
  error_class         integer not null,
  transmissions       integer not null,   -- more than 1: the transport had to repeat it
  input_tokens        integer,
  cached_input_tokens integer,
  cache_write_tokens  integer,
  output_tokens       integer,
  reasoning_tokens    integer,
  usage_estimated     integer,            -- 1: the provider reported no usage
  reported_cost_pico  integer,            -- the provider's own figure
  cost_pico           integer,
  model               text,
  finish_reason       text,
  request_id          text,               -- of the provider
  batch               integer,            -- batches.number; null: a call of its own. latency_us is
                                          --   that of the whole batch then
  error_code          text,               -- of the provider
  error_message       text,
  response_encoding   integer not null,   -- 0: bytes as they came, 1: zstd frame
  response            blob
) strict;

-- Input lines that cannot be used; replaced by each scan.
create table invalid_lines (
  line         integer primary key,
  offset_bytes integer not null,
  id           text,
  message      text not null,
  content      blob not null          -- at most 64 KiB of the line
) strict;

-- The input as the last scan found it: one row.
create table input (
  id              integer primary key check (id = 1),
  run             integer not null,
  path            text not null,
  device          integer not null,
  inode           integer not null,
  size_bytes      integer not null,
  mtime_nanos     integer not null,
  ctime_nanos     integer not null,
  ends            blob not null,      -- hash of the first and last 64 KiB
  has_line_map    integer not null,   -- 0: nothing is known of its lines
  natural_order   integer not null,   -- 1: seqs rise with the lines
  lines           integer not null,
  blank           integer not null,
  todo            integer not null,
  changed         integer not null,
  duplicates      integer not null,
  invalid         integer not null,
  done_succeeded  integer not null,
  done_filtered   integer not null,
  done_flagged    integer not null,
  done_failed     integer not null,
  done_invalid    integer not null
) strict;

-- What the last scan found in each line, as packed runs of equal lines in line order (see
-- packed_records.h): the order of export, and what an unchanged file is resumed by.
create table line_map (
  first_line integer primary key,
  data       blob not null
) strict;

-- Lines to be run whose request stands on an earlier line too, or was answered before: packed like
-- line_map; the seqs are those of the other items, whose answers are taken over.
create table line_repeats (
  first_line integer primary key,
  data       blob not null
) strict;

-- Id hash, request hash, seq and state of every item in the order of the commits, packed (see
-- packed_records.h); later records supersede earlier ones. What a scan compares the input with.
create table item_log (
  id     integer primary key,
  merged integer not null,            -- 0: one commit; 1: many commits merged into one row
  data   blob not null
) strict;

-- Where the job stands: one row, written by every commit.
create table progress (
  id                    integer primary key check (id = 1),
  done_below_line       integer not null,  -- every line below it is final
  pending               integer not null,  -- items of the current input, by state
  in_flight             integer not null,
  submitted             integer not null,
  succeeded             integer not null,
  filtered              integer not null,
  flagged               integer not null,
  failed                integer not null,
  invalid               integer not null,
  attempts              integer not null,  -- of the job, all runs, and so are all below
  retries               integer not null,
  cached                integer not null,
  input_tokens          integer not null,
  cached_input_tokens   integer not null,
  cache_write_tokens    integer not null,
  output_tokens         integer not null,
  reasoning_tokens      integer not null,
  cost_pico             integer not null,  -- of the attempts with a known cost
  unpriced              integer not null,  -- attempts with usage, but no known cost
  estimated             integer not null,  -- attempts whose usage the provider did not report
  cost_ceiling_pico     integer not null,  -- cost_pico plus what calls may have cost that are not
                                           --   stored: in flight, or lost with a killed run
  saved_input_tokens    integer not null,  -- what the answers that were taken over had used
  saved_output_tokens   integer not null,
  saved_pico            integer not null,  -- and cost, where that is known
  saved_unpriced        integer not null,  -- those of unknown cost
  limiter_state         blob not null,
  -- Smoothed means over the answers of this job: what token estimates are corrected by.
  counted_input_mean    real not null,     -- input tokens as counted before the call
  reported_input_mean   real not null,     -- of the same calls, as the provider reported them
  input_samples         integer not null,
  output_mean           real not null,     -- reported output tokens
  output_samples        integer not null
) strict;
insert into progress values (1, 1, 0,0,0,0,0,0,0,0, 0,0,0, 0,0,0,0,0, 0,0,0,0, 0,0,0,0, x'', 0,0,0,0,0);

-- The last status snapshot, at most a second old while a run lasts: one row.
create table status (
  id         integer primary key check (id = 1),
  updated_ms integer not null,
  json       text not null
) strict;

-- What reviewers said, in the order of time; of an answer the latest counts. A verdict is about one
-- answer: it no longer counts when the item's request or last attempt is another one.
create table verdicts (
  id           integer primary key,
  seq          integer not null,      -- items.seq
  request_hash blob not null,         -- of the item when it was judged
  attempt      integer not null,      -- items.last_attempt when it was judged; 0: none
  state        integer not null,      -- items.state when it was judged
  verdict      integer not null,      -- 1 good, 2 bad, 3 skip, 4 accept, 5 requeue
  sampled      integer not null,      -- 1: drawn at random, counts for the estimate of quality
  applied      integer,               -- accept and requeue: 0 waiting for the lock of the database,
                                      -- 1 done, 2 lapsed; null: there is nothing to do
  time_ms      integer not null,
  reviewer     text not null,
  note         text
) strict;
create index verdicts_by_item on verdicts (seq);
create index verdicts_waiting on verdicts (seq) where applied = 0;
)sql";

// Since schema 2.
constexpr const char* kBatchTables = R"sql(
-- Provider batches of this job, one row each, for good. Every stage is stored before the next step.
create table batches (
  number          integer primary key,
  run             integer not null,   -- runs.number that began it; 0: none
  stage           integer not null,   -- 0 collecting, 1 ready, 2 uploaded, 3 submitted, 4 collected,
                                      -- 5 discarded, 6 written
  remote_state    integer not null,   -- 0 unknown, 1 validating, 2 in_progress, 3 finalizing,
                                      -- 4 cancelling, 5 completed, 6 failed, 7 expired, 8 cancelled
  call_begun_ms   integer,            -- the call that leads to the next stage may have been made
  tag             text not null,      -- what the provider's batch is found by
  model           text not null,
  url             text not null,
  requests        integer not null,
  bytes           integer not null,   -- of the request file
  first_seq       integer not null,   -- of its items
  last_seq        integer not null,
  file_path       text not null,      -- of the request file
  input_file      text not null,      -- the provider's id of it
  remote_id       text not null,      -- the provider's id of the batch
  remote_total    integer,            -- the provider's counts; null: not told
  remote_succeeded integer,
  remote_failed   integer,
  queue_full      integer not null,   -- 1: refused for now, waits for other batches to end
  cancel_asked    integer not null,
  other_ids       text not null,      -- ids that are not this batch, separated by blanks
  key_hash        text not null,      -- salted hash of the API key it was sent with
  reserved_pico   integer not null,   -- the most that it may cost; 0 without a cost limit
  answered        integer not null,   -- requests whose answer is stored
  unanswered      integer not null,   -- requests that were given back
  created_ms      integer not null,
  submitted_ms    integer,
  expires_ms      integer,
  ended_ms        integer,
  collected_ms    integer,
  message         text not null
) strict;

-- Items that are in a provider batch (batch > 0), or were in one and wait for the next. An item
-- has one row at most, so it is never in two batches at a time.
create table submissions (
  seq          integer primary key,   -- items.seq
  batch        integer not null,      -- batches.number
  position     integer not null,      -- line of the request file, from 1
  tries        integer not null,      -- batches it was in
  own_model    integer not null,      -- 1: the line names a model
  changed      integer not null,      -- 1: the input has another content by now
  reask        integer not null,      -- 1: the next question quotes why the last answer failed
  retries      integer not null,      -- as decided by kind of answer
  timeouts     integer not null,
  malformed    integer not null,
  truncated    integer not null,
  rate_limited integer not null,
  request_hash blob not null          -- of what was submitted
) strict;
)sql";

// What schema 1 lacks.
constexpr const char* kSinceSchema1 = "alter table attempts add column batch integer;";

// The readable side: names instead of numbers, dollars instead of pico-dollars, RFC 3339 times.
constexpr const char* kViews = R"sql(
drop view if exists results;
drop view if exists attempt_log;
drop view if exists reviews;
drop view if exists batch_log;

create view attempt_log as
select a.id as attempt_id, i.id, a.number, a.run,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.started_ms / 1000.0, 'unixepoch') as started_at,
  case when a.batch is null then a.latency_us / 1000 end as latency_ms, a.batch, a.http_status,
  case a.error_class
    when 0 then null
    when 1 then 'rate_limited'
    when 2 then 'overloaded'
    when 3 then 'server_error'
    when 4 then 'timeout'
    when 5 then 'connection'
    when 6 then 'request_timeout'
    when 7 then 'content_policy'
    when 8 then 'malformed'
    when 9 then 'truncated'
    when 10 then 'invalid_request'
    when 11 then 'context_length'
    when 12 then 'too_large'
    when 13 then 'model_not_found'
    when 14 then 'quota_exhausted'
    when 15 then 'authentication'
    when 16 then 'permission'
    when 17 then 'response_too_large'
    when 18 then 'invalid_input'
    when 19 then 'interrupted'
    when 20 then 'check_failed'
  end as error,
  a.error_code, a.error_message, a.model, a.finish_reason, a.request_id as provider_request_id,
  a.input_tokens, a.cached_input_tokens, a.cache_write_tokens, a.output_tokens, a.reasoning_tokens,
  a.usage_estimated, a.cost_pico / 1e12 as cost_usd, a.transmissions, a.seq
from attempts a left join items i on i.seq = a.seq;

create view results as
select i.id,
  case i.state
    when 3 then 'succeeded'
    when 4 then 'filtered'
    when 5 then 'flagged'
    when 6 then 'failed'
    when 7 then 'invalid'
  end as state,
  i.output,
  case i.error_class
    when 0 then null
    when 1 then 'rate_limited'
    when 2 then 'overloaded'
    when 3 then 'server_error'
    when 4 then 'timeout'
    when 5 then 'connection'
    when 6 then 'request_timeout'
    when 7 then 'content_policy'
    when 8 then 'malformed'
    when 9 then 'truncated'
    when 10 then 'invalid_request'
    when 11 then 'context_length'
    when 12 then 'too_large'
    when 13 then 'model_not_found'
    when 14 then 'quota_exhausted'
    when 15 then 'authentication'
    when 16 then 'permission'
    when 17 then 'response_too_large'
    when 18 then 'invalid_input'
    when 19 then 'interrupted'
    when 20 then 'check_failed'
  end as error,
  case when i.error_class <> 0 then coalesce(i.error_message, a.error_message) end as error_message,
  i.http_status, a.model,
  a.input_tokens, a.cached_input_tokens, a.cache_write_tokens, a.output_tokens, a.reasoning_tokens,
  i.cost_pico / 1e12 as cost_usd, i.attempts,
  case when not i.cached and a.batch is null then a.latency_us / 1000 end as latency_ms, a.finish_reason,
  a.request_id as provider_request_id, i.cached,
  strftime('%Y-%m-%dT%H:%M:%fZ', i.finished_ms / 1000.0, 'unixepoch') as finished_at,
  i.line, i.seq
from items i left join attempts a on a.id = i.last_attempt
where i.state >= 3
union all
select id, 'invalid', null, 'invalid_input', message, null, null, null, null, null, null, null,
  null, 0, null, null, null, 0, null, line, null
from invalid_lines;

create view reviews as
select i.id,
  case v.verdict
    when 1 then 'good'
    when 2 then 'bad'
    when 3 then 'skip'
    when 4 then 'accept'
    when 5 then 'requeue'
  end as verdict,
  v.note, v.reviewer, strftime('%Y-%m-%dT%H:%M:%fZ', v.time_ms / 1000.0, 'unixepoch') as judged_at,
  v.request_hash = i.request_hash and v.attempt = coalesce(i.last_attempt, 0) as is_current,
  v.sampled, v.applied, v.seq
from verdicts v left join items i on i.seq = v.seq;

create view batch_log as
select number, run,
  case stage
    when 0 then 'collecting'
    when 1 then 'ready'
    when 2 then 'uploaded'
    when 3 then 'submitted'
    when 4 then 'collected'
    when 5 then 'discarded'
    when 6 then 'written'
  end as stage,
  case remote_state
    when 1 then 'validating'
    when 2 then 'in_progress'
    when 3 then 'finalizing'
    when 4 then 'cancelling'
    when 5 then 'completed'
    when 6 then 'failed'
    when 7 then 'expired'
    when 8 then 'cancelled'
  end as provider_state,
  remote_id as provider_id, model, requests, answered, unanswered,
  strftime('%Y-%m-%dT%H:%M:%fZ', submitted_ms / 1000.0, 'unixepoch') as submitted_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', ended_ms / 1000.0, 'unixepoch') as ended_at,
  strftime('%Y-%m-%dT%H:%M:%fZ', collected_ms / 1000.0, 'unixepoch') as collected_at,
  nullif(message, '') as message
from batches;
)sql";

Status apply(Connection& connection, const char* sql, std::int64_t version) {
  if (auto status = connection.execute(sql); !status) return status;
  if (auto status = connection.execute(kViews); !status) return status;
  return connection.execute(("pragma user_version = " + std::to_string(version)).c_str());
}

}  // namespace

std::span<const Migration> migrations() {
  static const std::string kFrom1 = std::string(kSinceSchema1).append(kBatchTables);
  static const std::array<Migration, 1> kSteps{{{1, kFrom1.c_str()}}};
  return kSteps;
}

Status create_schema(Connection& connection) {
  auto transaction = Transaction::begin(connection);
  if (!transaction) return forward_error(transaction);
  const std::string mark = "pragma application_id = " + std::to_string(kApplicationId);
  if (auto status = connection.execute(mark.c_str()); !status) return status;
  if (auto status = connection.execute(kTables); !status) return status;
  if (auto status = apply(connection, kBatchTables, kSchemaVersion); !status) return status;
  return transaction->commit();
}

Status migrate(Connection& connection, std::span<const Migration> steps, std::int64_t target) {
  auto transaction = Transaction::begin(connection);
  if (!transaction) return forward_error(transaction);
  auto version = connection.query_integer("pragma user_version");
  if (!version) return forward_error(version);
  std::string sql;
  std::int64_t reached = *version;
  for (const Migration& step : steps) {
    if (step.from != reached || reached == target) continue;
    sql.append(step.sql).append(";\n");
    ++reached;
  }
  if (reached != target) {
    return failure(connection.path() + ": no way from schema " + std::to_string(*version) + " to " +
                       std::to_string(target),
                   ErrorKind::mismatch);
  }
  if (auto status = apply(connection, sql.c_str(), target); !status) return status;
  return transaction->commit();
}

}  // namespace llmbatch
