#include "llmbatch/model/run_status.h"

#include "json_members.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

void append_items(std::string& out, const StateCounts& items) {
  out += R"({"total":)";
  append_json_integer(out, items.total());
  for (int index = 0; index < kItemStateCount; ++index) {
    const auto state = static_cast<ItemState>(index);
    out += ",\"";
    out += to_string(state);
    out += "\":";
    append_json_integer(out, items[state]);
  }
  out += '}';
}

void append_cost(std::string& out, const RunStatus& status) {
  out += R"({"spent":)";
  append_json_money(out, status.spent);
  out += R"(,"projected":)";
  append_json_money(out, status.projected);
  out += R"(,"saved":)";
  append_json_money(out, status.saved);
  out += R"(,"per_item":)";
  append_json_money(out, status.per_item);
  out += '}';
}

void append_rate(std::string& out, const RunStatus& status) {
  out += R"({"requests_per_minute":)";
  append_json_number(out, status.requests_per_minute);
  out += R"(,"tokens_per_minute":)";
  append_json_number(out, status.tokens_per_minute);
  out += '}';
}

void append_batches(std::string& out, const std::vector<BatchProgress>& batches) {
  out += R"(,"batches":[)";
  for (const BatchProgress& batch : batches) {
    if (&batch != &batches.front()) out += ',';
    out += R"({"number":)";
    append_json_integer(out, batch.number);
    out += R"(,"provider_id":)";
    append_json_text(out, batch.provider_id);
    out += R"(,"state":)";
    append_json_text(out, batch.state);
    out += R"(,"requests":)";
    append_json_integer(out, batch.requests);
    out += R"(,"done":)";
    append_json_integer(out, batch.done);
    out += R"(,"submitted_at":)";
    append_json_time(out, batch.submitted_at);
    out += R"(,"expires_at":)";
    append_json_time(out, batch.expires_at);
    out += '}';
  }
  out += ']';
}

}  // namespace

std::int64_t StateCounts::total() const {
  std::int64_t sum = 0;
  for (const std::int64_t count : by_state) sum += count;
  return sum;
}

std::int64_t StateCounts::finished() const {
  std::int64_t sum = 0;
  for (int index = 0; index < kItemStateCount; ++index) {
    const auto state = static_cast<ItemState>(index);
    if (is_final(state)) sum += (*this)[state];
  }
  return sum;
}

void SavedByReuse::add(const std::optional<Usage>& usage, const std::optional<Money>& price) {
  if (usage) {
    input += usage->input;
    output += usage->output;
  }
  if (price) {
    cost += *price;
  } else {
    ++unpriced;
  }
}

std::optional<Money> SavedByReuse::known_cost() const {
  return unpriced == 0 || cost > Money() ? std::optional(cost) : std::nullopt;
}

std::int64_t StateCounts::problems() const { return finished() - (*this)[ItemState::succeeded]; }

std::string to_json_members(const RunStatus& status) {
  std::string out = R"("database":)";
  append_json_text(out, status.database);
  out += R"(,"model":)";
  append_json_text(out, status.model);
  out += status.running ? R"(,"running":true)" : R"(,"running":false)";
  out += R"(,"items":)";
  append_items(out, status.items);
  out += R"(,"attempts":)";
  append_json_integer(out, status.attempts);
  out += R"(,"retries":)";
  append_json_integer(out, status.retries);
  out += R"(,"usage":)";
  append_json_usage(out, status.usage);
  out += R"(,"cost_usd":)";
  append_cost(out, status);
  out += R"(,"rate":)";
  append_rate(out, status);
  out += R"(,"eta_seconds":)";
  append_json_number(out, status.eta_seconds);
  out += R"(,"waiting_for":)";
  append_json_text(out, status.waiting_for);
  out += R"(,"error_rate":)";
  append_json_number(out, status.error_rate);
  out += R"(,"cached":)";
  append_json_integer(out, status.cached);
  out += R"(,"started_at":)";
  append_json_time(out, status.started_at);
  out += R"(,"pause_reason":)";
  append_json_text(out, status.pause_reason);
  append_batches(out, status.batches);
  return out;
}

std::string to_json(const RunStatus& status) { return '{' + to_json_members(status) + '}'; }

}  // namespace llmbatch
