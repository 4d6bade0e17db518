#include "batch_json.h"

#include <fmt/format.h>

#include <charconv>

#include "llmbatch/base/text.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

const Json kNoObject = Json::object();

/// HTTP statuses of error codes that say that the request was at fault, so that it is not asked
/// for again; every other code may pass.
int status_of_code(std::string_view code) {
  for (const std::string_view word : {"invalid", "unsupported", "missing", "too_long", "context"}) {
    if (code.find(word) != std::string_view::npos) return 400;
  }
  return 500;
}

bool is_null(std::string_view raw) { return raw.empty() || raw == "null"; }

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
  const std::string code =
      is_json_object(error) ? decode_json_string(raw_member(error, "code")).value_or("") : "";
  if (code == "batch_expired" || code == "batch_cancelled" || code == "batch_canceled") {
    answer.reason = code == "batch_expired" ? "expired" : "cancelled";
    return;
  }
  if (is_null(error)) {
    answer.reason = "no answer";
    return;
  }
  answer.answered = true;
  answer.reply.status = status_of_code(code);
  answer.reply.body = fmt::format("{{\"error\":{}}}", error);
}

void read_answered(const ResponseParts& parts, std::string_view error, int status,
                   BatchAnswer& answer) {
  answer.answered = true;
  answer.reply.status = status;
  const bool no_body = is_null(parts.body) || parts.body == "{}" || parts.body == "\"\"";
  if (status >= 400 && no_body && !is_null(error)) {
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
  if (!members.ok() || !custom_id) return failure("not a result line: no custom_id");
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
