// Schema 1 as the first released version created it: what a migration starts from.
#pragma once

namespace llmbatch::store_test {

constexpr const char* kSchema1Tables = R"sql(
create table job (
  id              integer primary key check (id = 1),
  wire_format     text not null,
  profile         text not null,
  model           text not null,
  prompt_template text not null,
  system_template text not null,
  id_rule         text not null,
  parameters      text not null,
  checks          text not null
) strict;
create table runs (
  number            integer primary key,
  started_ms        integer not null,
  finished_ms       integer,
  command           text not null,
  version           text not null,
  pid               integer not null,
  input_path        text not null,
  input_size_bytes  integer not null,
  input_mtime_nanos integer not null,
  input_lines       integer not null,
  end_reason        text,
  exit_code         integer,
  finished_items    integer,
  attempts          integer,
  cost_pico         integer,
  rpm               integer,
  tpm               integer,
  endpoint          blob
) strict;
create table items (
  seq            integer primary key,
  state          integer not null,
  error_class    integer not null,
  http_status    integer,
  attempts       integer not null,
  last_attempt   integer,
  cost_pico      integer,
  cached         integer not null,
  output_is_json integer not null,
  finished_ms    integer,
  line           integer not null,
  offset_bytes   integer not null,
  length_bytes   integer not null,
  id_hash        blob not null,
  request_hash   blob not null,
  id             text not null,
  error_message  text,
  output         text,
  input          text
) strict;
create index items_problems on items (state, error_class) where state <> 3;
create table attempts (
  id                  integer primary key,
  seq                 integer not null,
  run                 integer not null,
  number              integer not null,
  started_ms          integer not null,
  latency_us          integer not null,
  http_status         integer,
  error_class         integer not null,
  transmissions       integer not null,
  input_tokens        integer,
  cached_input_tokens integer,
  cache_write_tokens  integer,
  output_tokens       integer,
  reasoning_tokens    integer,
  usage_estimated     integer,
  reported_cost_pico  integer,
  cost_pico           integer,
  model               text,
  finish_reason       text,
  request_id          text,
  error_code          text,
  error_message       text,
  response_encoding   integer not null,
  response            blob
) strict;
create table invalid_lines (
  line         integer primary key,
  offset_bytes integer not null,
  id           text,
  message      text not null,
  content      blob not null
) strict;
create table input (
  id              integer primary key check (id = 1),
  run             integer not null,
  path            text not null,
  device          integer not null,
  inode           integer not null,
  size_bytes      integer not null,
  mtime_nanos     integer not null,
  ctime_nanos     integer not null,
  ends            blob not null,
  has_line_map    integer not null,
  natural_order   integer not null,
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
create table line_map (
  first_line integer primary key,
  data       blob not null
) strict;
create table line_repeats (
  first_line integer primary key,
  data       blob not null
) strict;
create table item_log (
  id     integer primary key,
  merged integer not null,
  data   blob not null
) strict;
create table progress (
  id                    integer primary key check (id = 1),
  done_below_line       integer not null,
  pending               integer not null,
  in_flight             integer not null,
  submitted             integer not null,
  succeeded             integer not null,
  filtered              integer not null,
  flagged               integer not null,
  failed                integer not null,
  invalid               integer not null,
  attempts              integer not null,
  retries               integer not null,
  cached                integer not null,
  input_tokens          integer not null,
  cached_input_tokens   integer not null,
  cache_write_tokens    integer not null,
  output_tokens         integer not null,
  reasoning_tokens      integer not null,
  cost_pico             integer not null,
  unpriced              integer not null,
  estimated             integer not null,
  cost_ceiling_pico     integer not null,
  saved_input_tokens    integer not null,
  saved_output_tokens   integer not null,
  saved_pico            integer not null,
  saved_unpriced        integer not null,
  limiter_state         blob not null,
  counted_input_mean    real not null,
  reported_input_mean   real not null,
  input_samples         integer not null,
  output_mean           real not null,
  output_samples        integer not null
) strict;
insert into progress values (1, 1, 0,0,0,0,0,0,0,0, 0,0,0, 0,0,0,0,0, 0,0,0,0, 0,0,0,0, x'', 0,0,0,0,0);
create table status (
  id         integer primary key check (id = 1),
  updated_ms integer not null,
  json       text not null
) strict;
create table verdicts (
  id           integer primary key,
  seq          integer not null,
  request_hash blob not null,
  attempt      integer not null,
  state        integer not null,
  verdict      integer not null,
  sampled      integer not null,
  applied      integer,
  time_ms      integer not null,
  reviewer     text not null,
  note         text
) strict;
create index verdicts_by_item on verdicts (seq);
create index verdicts_waiting on verdicts (seq) where applied = 0;
)sql";

constexpr const char* kSchema1Views = R"sql(
create view attempt_log as
select a.id as attempt_id, i.id, a.number, a.run,
  strftime('%Y-%m-%dT%H:%M:%fZ', a.started_ms / 1000.0, 'unixepoch') as started_at,
  a.latency_us / 1000 as latency_ms, a.http_status,
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
  case when not i.cached then a.latency_us / 1000 end as latency_ms, a.finish_reason,
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
)sql";

}  // namespace llmbatch::store_test
