#include "llmbatch/model/item_result.h"

#include <algorithm>
#include <array>

#include "json_members.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

/// Writes one value, without its name.
using AppendValue = void (*)(std::string& out, const ItemResult& result);

struct Member {
  std::string_view name;
  AppendValue append;
};

void append_id(std::string& out, const ItemResult& result) {
  if (result.has_id) {
    append_json_string(out, result.id);
  } else {
    out += "null";
  }
}

void append_state(std::string& out, const ItemResult& result) {
  append_json_string(out, to_string(result.state));
}

void append_output(std::string& out, const ItemResult& result) {
  if (!result.output || (result.output_is_json && result.output->empty())) {
    out += "null";
    return;
  }
  if (!result.output_is_json) {
    append_json_string(out, *result.output);
    return;
  }
  const std::size_t start = out.size();
  const bool ascii = std::all_of(result.output->begin(), result.output->end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  out += ascii ? *result.output : to_valid_utf8(*result.output);
  // JSON may be laid out over several lines; a result is one line. Inside strings a line end is
  // always escaped, so those left are layout.
  for (std::size_t index = start; index < out.size(); ++index) {
    if (out[index] == '\n' || out[index] == '\r') out[index] = ' ';
  }
}

void append_error(std::string& out, const ItemResult& result) {
  if (result.error == ErrorClass::none) {
    out += "null";
    return;
  }
  out += R"({"class":)";
  append_json_string(out, to_string(result.error));
  out += R"(,"http_status":)";
  if (result.http_status == 0) {
    out += "null";
  } else {
    append_json_integer(out, result.http_status);
  }
  out += R"(,"message":)";
  append_json_string(out, result.error_message);
  out += '}';
}

void append_model(std::string& out, const ItemResult& result) {
  append_json_text(out, result.model);
}

void append_usage(std::string& out, const ItemResult& result) {
  if (result.usage) {
    append_json_usage(out, *result.usage);
  } else {
    out += "null";
  }
}

void append_cost(std::string& out, const ItemResult& result) {
  append_json_money(out, result.cost);
}

void append_attempts(std::string& out, const ItemResult& result) {
  append_json_integer(out, result.attempts);
}

void append_latency(std::string& out, const ItemResult& result) {
  if (result.latency_ms) {
    append_json_integer(out, *result.latency_ms);
  } else {
    out += "null";
  }
}

void append_finish_reason(std::string& out, const ItemResult& result) {
  append_json_text(out, result.finish_reason);
}

void append_request_id(std::string& out, const ItemResult& result) {
  append_json_text(out, result.provider_request_id);
}

void append_cached(std::string& out, const ItemResult& result) {
  out += result.cached ? "true" : "false";
}

void append_finished_at(std::string& out, const ItemResult& result) {
  append_json_time(out, result.finished_at);
}

constexpr auto kMembers = std::to_array<Member>({
    {"id", append_id},
    {"state", append_state},
    {"output", append_output},
    {"error", append_error},
    {"model", append_model},
    {"usage", append_usage},
    {"cost_usd", append_cost},
    {"attempts", append_attempts},
    {"latency_ms", append_latency},
    {"finish_reason", append_finish_reason},
    {"provider_request_id", append_request_id},
    {"cached", append_cached},
    {"finished_at", append_finished_at},
});

}  // namespace

const std::vector<std::string>& item_result_fields() {
  static const std::vector<std::string> kFields = [] {
    std::vector<std::string> names;
    names.reserve(kMembers.size());
    for (const Member& member : kMembers) names.emplace_back(member.name);
    return names;
  }();
  return kFields;
}

void append_json_members(std::string& out, const ItemResult& result,
                         const std::vector<std::string>& fields) {
  bool first = true;
  const auto append = [&](const Member& member) {
    if (!first) out += ',';
    first = false;
    out += '"';
    out += member.name;
    out += "\":";
    member.append(out, result);
  };
  if (fields.empty()) {
    for (const Member& member : kMembers) append(member);
    return;
  }
  for (const std::string& field : fields) {
    const auto* const member =
        std::find_if(kMembers.begin(), kMembers.end(),
                     [&](const Member& candidate) { return candidate.name == field; });
    if (member != kMembers.end()) append(*member);
  }
}

std::string to_json(const ItemResult& result) {
  std::string out = "{";
  append_json_members(out, result);
  out += '}';
  return out;
}

}  // namespace llmbatch
