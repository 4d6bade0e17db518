#include "error_reply.h"

#include <nlohmann/json.hpp>

#include "llmbatch/base/text.h"
#include "llmbatch/provider/rate_limit_headers.h"
#include "raw_json.h"

namespace llmbatch {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMaxMessageChars = 2000;
constexpr std::size_t kMaxErrorBytes = std::size_t{4} << 20U;

const Json* member(const Json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto at = object.find(name);
  return at == object.end() || at->is_null() ? nullptr : &*at;
}

/// A member as text, whatever scalar it is; empty for anything else.
std::string text_of(const Json& object, const char* name) {
  const Json* value = member(object, name);
  if (value == nullptr) return {};
  if (value->is_string()) return value->get_ref<const std::string&>();
  if (value->is_number()) return value->dump();
  return {};
}

/// FastAPI's `detail`: a string, or a list of {loc, msg}.
std::string detail_text(const Json& detail) {
  if (detail.is_string()) return detail.get_ref<const std::string&>();
  if (!detail.is_array()) return text_of(detail, "message");
  std::string joined;
  for (const auto& entry : detail) {
    std::string place;
    if (const Json* parts = member(entry, "loc"); parts != nullptr && parts->is_array()) {
      for (const auto& part : *parts) {
        if (!place.empty()) place += '.';
        place += part.is_string() ? part.get_ref<const std::string&>()
                                  : part.dump(-1, ' ', false, Json::error_handler_t::replace);
      }
    }
    if (!joined.empty()) joined += "; ";
    if (!place.empty()) joined.append(place).append(": ");
    joined += text_of(entry, "msg");
  }
  return joined;
}

/// google.rpc details: QuotaFailure, RetryInfo, ErrorInfo.
void read_google_details(const Json& details, ErrorDetails& found) {
  for (const auto& detail : details) {
    if (const auto delay = text_of(detail, "retryDelay"); !delay.empty()) {
      found.retry_delay = parse_go_duration(delay);
    }
    if (const auto reason = text_of(detail, "reason"); !reason.empty()) found.detail_code = reason;
    const Json* violations = member(detail, "violations");
    if (violations == nullptr || !violations->is_array()) continue;
    for (const auto& violation : *violations) {
      found.quota_ids.append(text_of(violation, "quotaId")).append(" ");
    }
  }
}

void read_metadata(const Json& metadata, ErrorDetails& found) {
  found.moderated =
      member(metadata, "reasons") != nullptr || member(metadata, "flagged_input") != nullptr;
  // OpenRouter wraps the upstream's own words.
  if (const auto upstream = text_of(metadata, "raw"); !upstream.empty()) {
    found.message.append(": ").append(upstream);
  }
}

void read_error_member(const Json& error, ErrorDetails& found) {
  found.message = text_of(error, "message");
  found.code = text_of(error, "code");
  found.type = text_of(error, "type");
  if (found.type.empty()) found.type = text_of(error, "status");
  found.failed_generation = member(error, "failed_generation") != nullptr;
  if (const Json* inner = member(error, "innererror")) found.detail_code = text_of(*inner, "code");
  if (const Json* details = member(error, "details")) {
    if (details->is_array()) read_google_details(*details, found);
    if (details->is_object()) found.detail_code = text_of(*details, "error_code");
  }
  if (const Json* metadata = member(error, "metadata")) read_metadata(*metadata, found);
}

void read_envelope(const Json& root, ErrorDetails& found) {
  const Json* error = member(root, "error");
  if (error != nullptr && error->is_object()) {
    read_error_member(*error, found);
  } else {
    if (error != nullptr && error->is_string())
      found.message = error->get_ref<const std::string&>();
    found.code = text_of(root, "code");
    found.type = text_of(root, "type");
    if (found.message.empty()) found.message = text_of(root, "message");
    const Json* detail = member(root, "detail");
    if (found.message.empty() && detail != nullptr) found.message = detail_text(*detail);
    if (found.code.empty()) found.code = text_of(root, "raw_status_code");
    if (found.code.empty()) found.code = text_of(root, "statusCode");
  }
  found.request_id = text_of(root, "request_id");
}

std::string describe_text(std::string_view body) {
  const auto open = to_lower_ascii(body.substr(0, 4096));
  const auto title = open.find("<title>");
  if (title != std::string::npos) {
    const auto start = title + 7;
    const auto end = open.find("</title>", start);
    const auto text = body.substr(start, end == std::string::npos ? 200 : end - start);
    return "an HTML page: " + to_valid_utf8(trim(text));
  }
  return truncate_chars(to_valid_utf8(body.substr(0, 2048)), 300);
}

}  // namespace

std::string_view ErrorDetails::best_code() const {
  if (!detail_code.empty()) return detail_code;
  if (code.empty() || status_in_body) return type.empty() ? code : type;
  return code;
}

ErrorDetails read_error_body(std::string_view body) {
  ErrorDetails found;
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  body = trim(body);
  Json root = Json::value_t::discarded;
  if (!body.empty() && body.size() <= kMaxErrorBytes && (body[0] == '{' || body[0] == '[')) {
    root = Json::parse(to_valid_utf8(body), nullptr, false);
  }
  if (root.is_discarded()) {
    found.message = describe_text(body);
    return found;
  }
  // Google wraps the object in an array on some paths.
  if (root.is_array() && !root.empty()) {
    read_envelope(root.front(), found);
  } else {
    read_envelope(root, found);
  }
  if (found.message.empty()) found.message = describe_text(body);
  found.message = truncate_chars(found.message, kMaxMessageChars);
  if (const auto number = raw_integer(found.code); number && *number >= 400 && *number < 600) {
    found.status_in_body = static_cast<int>(*number);
  }
  return found;
}

}  // namespace llmbatch
