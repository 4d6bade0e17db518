// The stored form of RunStatus: every field, units in the names, so that what one process wrote
// another shows without loss.
#include <nlohmann/json.hpp>

#include "llmbatch/model/run_status.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;

Json write(const std::optional<Money>& money) { return money ? Json(money->pico()) : Json(); }
Json write(const std::optional<double>& number) { return number ? Json(*number) : Json(); }
Json write(const std::optional<WallTime>& time) {
  return time ? Json(to_unix_nanos(*time)) : Json();
}

/// Null when the member is missing or null. What has the wrong type throws, here and below, which
/// from_storage_json turns into "absent".
const Json* find_member(const Json& json, const char* name) {
  const auto& object = json.get_ref<const Json::object_t&>();
  const auto place = object.find(name);
  return place == object.end() || place->second.is_null() ? nullptr : &place->second;
}

/// Reads one member into its field; a missing one leaves the field as it is.
template <typename T>
void read(const Json& json, const char* name, T& field) {
  if (const Json* member = find_member(json, name)) field = member->get<T>();
}

template <typename T, typename Stored, typename Convert>
void read_optional(const Json& json, const char* name, std::optional<T>& field, Convert convert) {
  if (const Json* member = find_member(json, name)) field = convert(member->get<Stored>());
}

void read(const Json& json, const char* name, std::optional<Money>& field) {
  read_optional<Money, std::int64_t>(json, name, field, Money::from_pico);
}
void read(const Json& json, const char* name, std::optional<double>& field) {
  read_optional<double, double>(json, name, field, [](double number) { return number; });
}
void read(const Json& json, const char* name, std::optional<std::int64_t>& field) {
  read_optional<std::int64_t, std::int64_t>(json, name, field,
                                            [](std::int64_t number) { return number; });
}
void read(const Json& json, const char* name, std::optional<WallTime>& field) {
  read_optional<WallTime, std::int64_t>(json, name, field, from_unix_nanos);
}

Json write(const StateCounts& counts) {
  Json json = Json::object();
  for (int index = 0; index < kItemStateCount; ++index) {
    const auto state = static_cast<ItemState>(index);
    json[std::string(to_string(state))] = counts[state];
  }
  return json;
}

void read(const Json& json, StateCounts& counts) {
  for (int index = 0; index < kItemStateCount; ++index) {
    const auto state = static_cast<ItemState>(index);
    read(json, to_string(state).data(), counts[state]);
  }
}

Json write(const Usage& usage) {
  return {{"input", usage.input},
          {"cached_input", usage.cached_input},
          {"cache_write", usage.cache_write},
          {"output", usage.output},
          {"reasoning", usage.reasoning},
          {"estimated", usage.estimated},
          {"reported_cost_pico", write(usage.reported_cost)}};
}

void read(const Json& json, Usage& usage) {
  read(json, "input", usage.input);
  read(json, "cached_input", usage.cached_input);
  read(json, "cache_write", usage.cache_write);
  read(json, "output", usage.output);
  read(json, "reasoning", usage.reasoning);
  read(json, "estimated", usage.estimated);
  read(json, "reported_cost_pico", usage.reported_cost);
}

Json write(const std::vector<ErrorTally>& errors) {
  Json json = Json::array();
  for (const ErrorTally& tally : errors) {
    json.push_back(
        {{"class", tally.error_class}, {"message", tally.message}, {"count", tally.count}});
  }
  return json;
}

void read(const Json& json, std::vector<ErrorTally>& errors) {
  for (const Json& entry : json.get_ref<const Json::array_t&>()) {
    ErrorTally tally;
    read(entry, "class", tally.error_class);
    read(entry, "message", tally.message);
    read(entry, "count", tally.count);
    errors.push_back(std::move(tally));
  }
}

Json write(const std::vector<BatchProgress>& batches) {
  Json json = Json::array();
  for (const BatchProgress& batch : batches) {
    json.push_back({{"number", batch.number},
                    {"provider_id", batch.provider_id},
                    {"state", batch.state},
                    {"requests", batch.requests},
                    {"done", batch.done ? Json(*batch.done) : Json()},
                    {"submitted_at_nanos", write(batch.submitted_at)},
                    {"expires_at_nanos", write(batch.expires_at)}});
  }
  return json;
}

void read(const Json& json, std::vector<BatchProgress>& batches) {
  for (const Json& entry : json.get_ref<const Json::array_t&>()) {
    BatchProgress batch;
    read(entry, "number", batch.number);
    read(entry, "provider_id", batch.provider_id);
    read(entry, "state", batch.state);
    read(entry, "requests", batch.requests);
    read(entry, "done", batch.done);
    read(entry, "submitted_at_nanos", batch.submitted_at);
    read(entry, "expires_at_nanos", batch.expires_at);
    batches.push_back(std::move(batch));
  }
}

Json write(const RunStatus& status) {
  return {{"database", status.database},
          {"input", status.input},
          {"model", status.model},
          {"running", status.running},
          {"pid", status.pid},
          {"run_number", status.run_number},
          {"items", write(status.items)},
          {"duplicates", status.duplicates},
          {"attempts", status.attempts},
          {"retries", status.retries},
          {"cached", status.cached},
          {"saved_input", status.reuse.input},
          {"saved_output", status.reuse.output},
          {"usage", write(status.usage)},
          {"spent_pico", write(status.spent)},
          {"projected_pico", write(status.projected)},
          {"saved_pico", write(status.saved)},
          {"per_item_pico", write(status.per_item)},
          {"known_cost_pico", status.known_cost.pico()},
          {"unpriced", status.unpriced},
          {"requests_per_minute", write(status.requests_per_minute)},
          {"tokens_per_minute", write(status.tokens_per_minute)},
          {"eta_seconds", write(status.eta_seconds)},
          {"waiting_for", status.waiting_for},
          {"error_rate", write(status.error_rate)},
          {"started_at_nanos", write(status.started_at)},
          {"updated_at_nanos", write(status.updated_at)},
          {"pause_reason", status.pause_reason},
          {"errors", write(status.errors)},
          {"batches", write(status.batches)},
          {"finished_this_run", status.finished_this_run},
          {"collected_this_run", status.collected_this_run},
          {"done_before", status.done_before},
          {"elapsed_nanos", status.elapsed.count()},
          {"concurrency", status.concurrency}};
}

void read(const Json& json, RunStatus& status) {
  read(json, "database", status.database);
  read(json, "input", status.input);
  read(json, "model", status.model);
  read(json, "running", status.running);
  read(json, "pid", status.pid);
  read(json, "run_number", status.run_number);
  if (const Json* member = find_member(json, "items")) read(*member, status.items);
  read(json, "duplicates", status.duplicates);
  read(json, "attempts", status.attempts);
  read(json, "retries", status.retries);
  read(json, "cached", status.cached);
  read(json, "saved_input", status.reuse.input);
  read(json, "saved_output", status.reuse.output);
  if (const Json* member = find_member(json, "usage")) read(*member, status.usage);
  read(json, "spent_pico", status.spent);
  read(json, "projected_pico", status.projected);
  read(json, "saved_pico", status.saved);
  read(json, "per_item_pico", status.per_item);
  std::int64_t known_cost_pico = 0;
  read(json, "known_cost_pico", known_cost_pico);
  status.known_cost = Money::from_pico(known_cost_pico);
  read(json, "unpriced", status.unpriced);
  read(json, "requests_per_minute", status.requests_per_minute);
  read(json, "tokens_per_minute", status.tokens_per_minute);
  read(json, "eta_seconds", status.eta_seconds);
  read(json, "waiting_for", status.waiting_for);
  read(json, "error_rate", status.error_rate);
  read(json, "started_at_nanos", status.started_at);
  read(json, "updated_at_nanos", status.updated_at);
  read(json, "pause_reason", status.pause_reason);
  if (const Json* member = find_member(json, "errors")) read(*member, status.errors);
  if (const Json* member = find_member(json, "batches")) read(*member, status.batches);
  read(json, "finished_this_run", status.finished_this_run);
  read(json, "collected_this_run", status.collected_this_run);
  read(json, "done_before", status.done_before);
  std::int64_t elapsed_nanos = 0;
  read(json, "elapsed_nanos", elapsed_nanos);
  status.elapsed = Duration{elapsed_nanos};
  read(json, "concurrency", status.concurrency);
}

}  // namespace

std::string to_storage_json(const RunStatus& status) {
  return write(status).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::optional<RunStatus> from_storage_json(const std::string& text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  try {
    RunStatus status;
    read(json, status);
    return status;
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace llmbatch
