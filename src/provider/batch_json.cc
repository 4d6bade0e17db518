#include "batch_json.h"

#include <fmt/format.h>

#include <charconv>

#include "llmbatch/base/text.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

const Json kNoObject = Json::object();
const Json kNoArray = Json::array();

bool is_null(std::string_view raw) { return raw.empty() || raw == "null"; }

/// A member as text: a string, or a number as it was written.
std::string scalar_of(std::string_view object, std::string_view name) {
  const std::string_view raw = raw_member(object, name);
  if (is_null(raw) || is_json_object(raw) || is_json_array(raw)) return {};
  return decode_json_string(raw).value_or(std::string(raw));
}

/// The HTTP status of an error that stands alone in its line. 200 without one: its code is judged
/// as that of an error inside a success, as in real time.
int status_of_error(std::string_view error) {
  if (!is_json_object(error)) return 500;
  for (const char* name : {"status_code", "raw_status_code", "status", "code"}) {
    const auto status = raw_integer(scalar_of(error, name));
    if (status && *status >= 400 && *status <= 599) return static_cast<int>(*status);
  }
  for (const char* name : {"code", "type"}) {
    const std::string text = scalar_of(error, name);
    // The request is at fault: it is not asked again.
    for (const char* word : {"invalid", "unsupported", "missing", "too_long", "context"}) {
      if (text.find(word) != std::string::npos) return 400;
    }
  }
  return 200;
}

struct ResponseParts {
  std::string_view status;
  std::string_view body;
  std::string_view request_id;
};

ResponseParts read_response(std::string_view response) {
  ResponseParts parts;
  RawObject members(response);
  while (members.next()) {
    if (members.key() == "status_code") parts.status = members.value();
    if (members.key() == "body") parts.body = members.value();
    if (members.key() == "request_id") parts.request_id = members.value();
  }
  return parts;
}

void read_unanswered(std::string_view error, BatchAnswer& answer) {
  const std::string code = scalar_of(error, "code");
  if (code == "batch_expired" || code == "batch_cancelled" || code == "batch_canceled") {
    answer.reason = code == "batch_expired" ? "expired" : "cancelled";
    return;
  }
  if (is_null(error)) {
    answer.reason = "no answer";
    return;
  }
  answer.answered = true;
  answer.reply.status = status_of_error(error);
  answer.reply.body = fmt::format("{{\"error\":{}}}", error);
}

void read_answered(const ResponseParts& parts, std::string_view error, int status,
                   BatchAnswer& answer) {
  const bool no_body = is_null(parts.body) || parts.body == "{}" || parts.body == "\"\"";
  // A success without a body is none.
  if (status < 400 && no_body && !is_null(error)) return read_unanswered(error, answer);
  answer.answered = true;
  answer.reply.status = status;
  if (no_body && !is_null(error)) {
    answer.reply.body = fmt::format("{{\"error\":{}}}", error);
  } else if (is_json_string(parts.body)) {
    answer.reply.body = decode_json_string(parts.body).value_or(std::string(parts.body));
  } else if (!is_null(parts.body)) {
    answer.reply.body = parts.body;
  }
  if (const auto id = decode_json_string(parts.request_id); id && !id->empty()) {
    answer.reply.headers = fmt::format("x-request-id: {}\r\n", sanitize_for_terminal(*id));
  }
}

}  // namespace

std::string url_part(std::string_view text) {
  // These are steps in a path.
  if (text == ".") return "%2E";
  if (text == "..") return "%2E%2E";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string api_url(std::string_view base, std::string_view path, std::string_view query) {
  const std::size_t mark = base.find('?');
  std::string url(base.substr(0, mark));
  url.append(path);
  std::string all(mark == std::string_view::npos ? std::string_view() : base.substr(mark + 1));
  if (!query.empty()) all.append(all.empty() ? "" : "&").append(query);
  return all.empty() ? url : url + '?' + all;
}

Result<Json> read_reply(const HttpReply& reply, std::string_view what) {
  Json json = Json::parse(reply.body, nullptr, false);
  if (json.is_object() || json.is_array()) return json;
  return failure(fmt::format("{}: not JSON: {}", what,
                             sanitize_for_terminal(truncate_chars(reply.body, 120))));
}

Result<Json> read_list(const HttpReply& reply, std::string_view what) {
  auto json = read_reply(reply, what);
  if (!json || json->is_array()) return json;
  const auto data = json->find("data");
  const bool listed = data != json->end() && (data->is_array() || data->is_null());
  if (!listed) return failure(fmt::format("{}: no list", what));
  return json;
}

std::string text_of(const Json& object, const char* name) {
  if (!object.is_object()) return {};
  const auto member = object.find(name);
  if (member == object.end()) return {};
  if (member->is_string()) return member->get<std::string>();
  return member->is_number_integer() ? member->dump() : std::string();
}

std::optional<std::int64_t> number_of(const Json& object, const char* name) {
  const std::string text = text_of(object, name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::int64_t count_of(const Json& object, const char* name) {
  constexpr std::int64_t kMost = 1'000'000'000'000;
  return std::clamp<std::int64_t>(number_of(object, name).value_or(0), 0, kMost);
}

bool is_true(const Json& object, const char* name) {
  if (!object.is_object()) return false;
  const auto member = object.find(name);
  return member != object.end() && *member == true;
}

std::optional<WallTime> time_of(const Json& object, const char* name) {
  constexpr std::int64_t kLatest = 253'402'300'799;  // the end of the year 9999
  if (const auto seconds = number_of(object, name)) {
    if (*seconds <= 0 || *seconds > kLatest) return std::nullopt;
    return from_unix_nanos(std::min<std::int64_t>(*seconds, 9'000'000'000) * 1'000'000'000);
  }
  return parse_rfc3339(text_of(object, name));
}

const Json& object_of(const Json& object, const char* name) {
  if (!object.is_object()) return kNoObject;
  const auto member = object.find(name);
  return member == object.end() || !member->is_object() ? kNoObject : *member;
}

const Json& array_of(const Json& object, const char* name) {
  if (!object.is_object()) return kNoArray;
  const auto member = object.find(name);
  return member == object.end() || !member->is_array() ? kNoArray : *member;
}

RemoteBatchState state_of(std::string_view word, std::span<const StateWord> words) {
  for (const StateWord& known : words) {
    if (equals_ignore_case(known.word, word)) return known.state;
  }
  return RemoteBatchState::unknown;
}

void append_on_one_line(std::string& out, std::string_view json) {
  const std::size_t begin = out.size();
  out.append(json);
  for (std::size_t i = begin; i < out.size(); ++i) {
    if (out[i] == '\n' || out[i] == '\r') out[i] = ' ';
  }
}

void append_without_member(std::string& out, std::string_view object, std::string_view name) {
  out += '{';
  bool first = true;
  RawObject members(object);
  while (members.next()) {
    if (members.key() == name) continue;
    if (!first) out += ',';
    first = false;
    append_json_string(out, members.key());
    out += ':';
    append_on_one_line(out, members.value());
  }
  out += '}';
}

Status refuse_stream(std::string_view body) {
  if (raw_member(body, "stream") != "true") return {};
  return failure("\"stream\":true cannot be in a batch");
}

tl::unexpected<Error> not_a_line(const RawObject& members, std::string_view id_name) {
  if (!members.ok()) return failure("not a result line: not a JSON object");
  // What follows would be lost, and its request be sent and paid again.
  if (!members.is_alone()) return failure("not a result line: something follows its JSON object");
  return failure(fmt::format("not a result line: no {}", id_name));
}

Result<BatchAnswer> parse_openai_answer(std::string_view line) {
  std::string_view id;
  std::string_view response;
  std::string_view error;
  RawObject members(line);
  while (members.next()) {
    if (members.key() == "custom_id") id = members.value();
    if (members.key() == "response") response = members.value();
    if (members.key() == "error") error = members.value();
  }
  BatchAnswer answer;
  const auto custom_id = decode_json_string(id);
  if (!members.is_alone() || !custom_id) return not_a_line(members, "custom_id");
  if (response.empty() && error.empty()) {
    return failure("not a result line: neither response nor error");
  }
  answer.custom_id = *custom_id;
  const ResponseParts parts = is_json_object(response) ? read_response(response) : ResponseParts{};
  const auto status = raw_integer(parts.status);
  if (status && *status >= 100 && *status <= 599) {
    read_answered(parts, error, static_cast<int>(*status), answer);
  } else {
    read_unanswered(error, answer);
  }
  return answer;
}

}  // namespace llmbatch
