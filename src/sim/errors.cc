#include "errors.h"

#include <cmath>
#include <utility>

#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += '"';
  out += name;
  out += "\":";
  append_json_string(out, value);
}

void append_nullable(std::string& out, std::string_view name, std::string_view value) {
  if (!value.empty()) return append_member(out, name, value);
  out += '"';
  out += name;
  out += "\":null";
}

std::string anthropic_type(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 402:
      return "billing_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 409:
      return "conflict_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 504:
      return "timeout_error";
    case 529:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

std::string gemini_status(int status) {
  switch (status) {
    case 401:
      return "UNAUTHENTICATED";
    case 403:
      return "PERMISSION_DENIED";
    case 404:
      return "NOT_FOUND";
    case 402:
    case 429:
      return "RESOURCE_EXHAUSTED";
    case 499:
      return "CANCELLED";
    case 503:
    case 529:
      return "UNAVAILABLE";
    case 504:
      return "DEADLINE_EXCEEDED";
    default:
      return status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
  }
}

std::pair<std::string, std::string> openai_type_and_code(int status) {
  switch (status) {
    case 401:
      return {"invalid_request_error", "invalid_api_key"};
    case 403:
      return {"invalid_request_error", "unsupported_country_region_territory"};
    case 404:
      return {"invalid_request_error", "model_not_found"};
    case 429:
      return {"requests", "rate_limit_exceeded"};
    case 498:
      return {"capacity", "capacity_exceeded"};
    case 503:
    case 529:
      return {"service_unavailable_error", "server_is_overloaded"};
    default:
      return {status >= 500 ? "server_error" : "invalid_request_error", ""};
  }
}

std::string message_for(int status) {
  switch (status) {
    case 401:
      return "Incorrect API key provided.";
    case 402:
      return "Your credit balance is too low.";
    case 403:
      return "You may not use this resource.";
    case 404:
      return "The requested resource does not exist.";
    case 408:
      return "The request took too long.";
    case 413:
      return "The request is too large.";
    case 429:
      return "Rate limit reached for requests.";
    case 503:
    case 529:
      return "The server is overloaded, please try again later.";
    default:
      return status >= 500 ? "The server had an error while processing your request."
                           : "The request is not valid.";
  }
}

std::string protobuf_duration(Duration duration) {
  const auto milliseconds = static_cast<std::int64_t>(std::ceil(to_seconds(duration) * 1000));
  std::string text = std::to_string(milliseconds / 1000);
  if (const std::int64_t rest = milliseconds % 1000; rest != 0) {
    text += '.' + std::to_string(1000 + rest).substr(1);
  }
  return text + "s";
}

std::string render_openai(const ApiError& error) {
  const auto [type, code] = openai_type_and_code(error.status);
  std::string out = "{\"error\":{";
  append_member(out, "message", error.message);
  out += ',';
  append_member(out, "type", error.type.empty() ? type : error.type);
  out += ',';
  append_nullable(out, "param", error.param);
  out += ',';
  append_nullable(out, "code", error.code.empty() && error.type.empty() ? code : error.code);
  return out + "}}";
}

std::string render_azure(const ApiError& error) {
  if (error.code == "content_filter") {
    std::string out = "{\"error\":{";
    append_member(out, "message", error.message);
    return out +
           R"(,"type":null,"param":"prompt","code":"content_filter","status":400,"innererror":)"
           R"({"code":"ResponsibleAIPolicyViolation","content_filter_result":)"
           R"({"hate":{"filtered":false,"severity":"safe"},)"
           R"("self_harm":{"filtered":false,"severity":"safe"},)"
           R"("sexual":{"filtered":false,"severity":"safe"},)"
           R"("violence":{"filtered":true,"severity":"medium"},)"
           R"("jailbreak":{"filtered":false,"detected":false}}}}})";
  }
  std::string out = "{\"error\":{";
  append_member(out, "code", error.code.empty() ? std::to_string(error.status) : error.code);
  out += ',';
  append_member(out, "message", error.message);
  return out + "}}";
}

std::string render_mistral(const ApiError& error, const std::string& request_id) {
  std::string out = "{";
  if (error.status == 401) {
    append_member(out, "message", "Unauthorized");
    out += ',';
    append_member(out, "request_id", request_id);
    return out + "}";
  }
  if (error.status == 422) {
    out += R"("detail":[{"type":"extra_forbidden","loc":["body",)";
    append_json_string(out, error.param);
    out += "],";
    append_member(out, "msg", error.message);
    return out + "}]}";
  }
  out += R"("object":"error",)";
  append_member(out, "message", error.message);
  out += ',';
  append_member(out, "type", error.status == 429 ? "rate_limited" : "invalid_request_error");
  out += ",\"param\":null,";
  append_member(out, "code", error.status == 429 ? "1300" : "3000");
  return out + ",\"raw_status_code\":" + std::to_string(error.status) + "}";
}

std::string render_anthropic(const ApiError& error, const std::string& request_id) {
  std::string out = R"({"type":"error","error":{)";
  append_member(out, "type", error.type.empty() ? anthropic_type(error.status) : error.type);
  out += ',';
  append_member(out, "message", error.message);
  if (!error.detail.empty()) {
    out += ",\"details\":{";
    append_member(out, "error_code", error.detail);
    out += '}';
  }
  out += "},";
  append_member(out, "request_id", request_id);
  return out + "}";
}

std::string render_gemini(const ApiError& error) {
  std::string out = R"({"error":{"code":)" + std::to_string(error.status) + ",";
  append_member(out, "message", error.message);
  out += ',';
  append_member(out, "status", gemini_status(error.status));
  std::string details;
  if (error.status == 429 && !error.detail.empty()) {
    details +=
        R"({"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{"quotaMetric":)"
        R"("generativelanguage.googleapis.com/generate_content_requests",)";
    append_member(details, "quotaId", error.detail);
    details += "}]}";
  } else if (!error.detail.empty()) {
    details += R"({"@type":"type.googleapis.com/google.rpc.ErrorInfo",)";
    append_member(details, "reason", error.detail);
    details += '}';
  }
  if (error.retry_after) {
    details += details.empty() ? "" : ",";
    details += R"({"@type":"type.googleapis.com/google.rpc.RetryInfo",)";
    append_member(details, "retryDelay", protobuf_duration(*error.retry_after));
    details += '}';
  }
  if (!details.empty()) out += ",\"details\":[" + details + "]";
  return out + "}}";
}

}  // namespace

ApiError error_for_status(Dialect dialect, int status) {
  ApiError error;
  error.status = status;
  error.message = message_for(status);
  if (dialect == Dialect::gemini && status == 429) {
    error.detail = "GenerateRequestsPerMinutePerProjectPerModel";
  }
  return error;
}

ApiError bad_request(std::string message, std::string param) {
  ApiError error;
  error.message = std::move(message);
  error.param = std::move(param);
  return error;
}

ApiError content_blocked(Dialect dialect) {
  ApiError error;
  switch (dialect) {
    case Dialect::azure:
      error.code = "content_filter";
      error.message =
          "The response was filtered because the prompt triggered the content "
          "management policy.";
      break;
    case Dialect::anthropic:
      error.message = "Output blocked by content filtering policy";
      break;
    case Dialect::openai:
    case Dialect::plain:
    case Dialect::groq:
    case Dialect::mistral:
    case Dialect::gemini:
      error.type = "invalid_request_error";
      error.code = "content_policy_violation";
      error.message = "Your request was rejected because it violates the content policy.";
      break;
  }
  return error;
}

ApiError quota_exhausted(Dialect dialect) {
  ApiError error;
  error.status = dialect == Dialect::mistral ? 402 : 429;
  error.message = "You exceeded your current quota, please check your plan and billing details.";
  if (dialect == Dialect::anthropic) {
    error.detail = "enforced_spend_limit_reached";
  } else if (dialect == Dialect::gemini) {
    error.detail = "GenerateRequestsPerDayPerProjectPerModel";
  } else {
    error.type = "insufficient_quota";
    error.code = "insufficient_quota";
  }
  return error;
}

ApiError request_too_large(Dialect dialect, std::int64_t limit, std::int64_t requested) {
  ApiError error;
  error.message = "Request too large on tokens per min (TPM): Limit " + std::to_string(limit) +
                  ", Requested " + std::to_string(requested) + ".";
  switch (dialect) {
    case Dialect::anthropic:
    case Dialect::groq:
      error.status = 413;
      break;
    case Dialect::gemini:
      error.status = 400;
      break;
    case Dialect::openai:
    case Dialect::plain:
    case Dialect::azure:
    case Dialect::mistral:
      error.status = 429;
      error.type = "tokens";
      error.code = "rate_limit_exceeded";
      break;
  }
  return error;
}

ApiError context_exceeded(Dialect dialect, std::int64_t limit, std::int64_t requested) {
  const std::string most = std::to_string(limit);
  const std::string used = std::to_string(requested);
  if (dialect == Dialect::anthropic) {
    return bad_request("prompt is too long: " + used + " tokens > " + most + " maximum");
  }
  if (dialect == Dialect::gemini) {
    return bad_request("The input token count (" + used +
                       ") exceeds the maximum number of tokens allowed (" + most + ").");
  }
  ApiError error = bad_request("This model's maximum context length is " + most +
                                   " tokens. However, your messages resulted in " + used +
                                   " tokens. Please reduce the length of the messages.",
                               "messages");
  error.type = "invalid_request_error";
  error.code = "context_length_exceeded";
  return error;
}

ApiError model_not_found(Dialect dialect, const std::string& model) {
  ApiError error;
  error.status = 404;
  error.message = "The model `" + model + "` does not exist or you do not have access to it.";
  if (dialect == Dialect::azure) error.code = "DeploymentNotFound";
  return error;
}

ApiError wrong_key(Dialect dialect) {
  ApiError error;
  error.status = dialect == Dialect::gemini ? 400 : 401;
  error.message = dialect == Dialect::gemini ? "API key not valid. Please pass a valid API key."
                                             : "Incorrect API key provided.";
  if (dialect == Dialect::gemini) error.detail = "API_KEY_INVALID";
  return error;
}

std::string render_error(Dialect dialect, const ApiError& error, const std::string& request_id) {
  switch (dialect) {
    case Dialect::openai:
    case Dialect::plain:
    case Dialect::groq:
      return render_openai(error);
    case Dialect::azure:
      return render_azure(error);
    case Dialect::mistral:
      return render_mistral(error, request_id);
    case Dialect::anthropic:
      return render_anthropic(error, request_id);
    case Dialect::gemini:
      return render_gemini(error);
  }
  return {};
}

}  // namespace llmbatch::sim
