// Canned error replies of every provider and what they are.
#include "support.h"

namespace llmbatch {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using E = ErrorClass;

struct ErrorCase {
  const char* name;
  const char* profile;
  int status;
  const char* body;
  E expected;
  const char* message_part = "";
  const char* headers = "";
};

class ErrorReply : public ::testing::TestWithParam<ErrorCase> {};

TEST_P(ErrorReply, IsClassified) {
  const auto& test = GetParam();
  const auto provider = provider_of(config_for(test.profile));
  const auto outcome = provider->parse_response(reply_of(test.status, test.body, test.headers));
  EXPECT_EQ(to_string(outcome.error), to_string(test.expected)) << outcome.message;
  EXPECT_NE(outcome.message.find(test.message_part), std::string::npos) << outcome.message;
  EXPECT_FALSE(outcome.message.empty());
  EXPECT_EQ(outcome.http_status, test.status);
}

#define ERR(type, code, message) \
  R"({"error":{"message":")" message R"(","type":")" type R"(","param":null,"code":")" code R"("}})"

const ErrorCase kCases[] = {
    {"rate", "openai", 429, ERR("requests", "rate_limit_exceeded", "try again in 1.2s"),
     E::rate_limited, "try again"},
    {"slow_down", "openai", 429, ERR("rate_limit_error", "slow_down", "ramp"), E::rate_limited},
    {"quota", "openai", 429, ERR("insufficient_quota", "insufficient_quota", "pay"),
     E::quota_exhausted},
    {"credit", "openai", 429, ERR("insufficient_quota", "credit_balance_exhausted", "pay"),
     E::quota_exhausted},
    {"project_spend", "openai", 429, ERR("x", "project_spend_limit_exceeded", "pay"),
     E::quota_exhausted},
    {"too_large_text", "openai", 429,
     ERR("tokens", "rate_limit_exceeded", "Request too large for m: Limit 100, Requested 900"),
     E::too_large},
    {"too_large_numbers", "openai", 429,
     ERR("tokens", "rate_limit_exceeded",
         "Rate limit reached on TPM: Limit 30,000, Requested 41,000. See /rate-limits"),
     E::too_large},
    {"limit_used_requested", "openai", 429,
     ERR("tokens", "rate_limit_exceeded", "Limit 30000, Used 29000, Requested 4000."),
     E::rate_limited},
    {"context", "openai", 400, ERR("invalid_request_error", "context_length_exceeded", "8k"),
     E::context_length},
    {"policy", "openai", 400, ERR("invalid_request_error", "content_policy_violation", "no"),
     E::content_policy},
    {"invalid_prompt", "openai", 400, ERR("invalid_request_error", "invalid_prompt", "no"),
     E::content_policy},
    {"bad_request", "openai", 400, ERR("invalid_request_error", "unsupported_parameter", "no"),
     E::invalid_request},
    {"key", "openai", 401, ERR("invalid_request_error", "invalid_api_key", "bad"),
     E::authentication},
    {"region", "openai", 403, ERR("x", "unsupported_country_region_territory", "no"),
     E::permission},
    {"model", "openai", 404, ERR("invalid_request_error", "model_not_found", "no such"),
     E::model_not_found},
    {"path", "openai", 404, R"({"error":{"message":"Invalid URL POST /v1/x."}})",
     E::invalid_request},
    {"timeout408", "openai", 408, "", E::request_timeout, "HTTP 408 with an empty body"},
    {"conflict", "openai", 409, "{}", E::server_error},
    {"html413", "openai", 413, "<html><title>413 Too Large</title></html>", E::too_large,
     "an HTML page: 413 Too Large"},
    {"server", "openai", 500, ERR("server_error", "", "oops"), E::server_error},
    {"html502", "openai", 502, "<html><head><TITLE>Bad gateway</TITLE>", E::server_error,
     "Bad gateway"},
    {"empty503", "openai", 503, "", E::overloaded, "HTTP 503 with an empty body"},
    {"overloaded503", "openai", 503, ERR("service_unavailable_error", "server_is_overloaded", "x"),
     E::overloaded},
    {"cloudflare524", "openai", 524, "error code: 524", E::server_error, "error code: 524"},
    {"redirect", "openai", 301, "", E::invalid_request, "redirected to https://x/",
     "Location: https://x/\r\n"},

    {"azure_filter", "azure", 400,
     R"({"error":{"message":"content management policy","type":null,"param":"prompt",)"
     R"("code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
     E::content_policy},
    {"azure_inner_only", "azure", 400,
     R"({"error":{"message":"m","innererror":{"code":"ResponsibleAIPolicyViolation"}}})",
     E::content_policy},
    {"azure_deployment", "azure", 404, R"({"error":{"code":"DeploymentNotFound","message":"m"}})",
     E::model_not_found},
    {"azure_429", "azure", 429, R"({"error":{"code":"429","message":"retry after 37 seconds"}})",
     E::rate_limited},
    {"azure_gateway", "azure", 401, R"({"statusCode":401,"message":"denied"})", E::authentication,
     "denied"},

    {"anthropic_spend400", "anthropic", 400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"You have reached your )"
     R"(specified API usage limits."}})",
     E::quota_exhausted},
    {"anthropic_credit", "anthropic", 400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is )"
     R"(too low"}})",
     E::quota_exhausted},
    {"anthropic_prompt", "anthropic", 400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: )"
     R"(210000 tokens > 200000 maximum"}})",
     E::context_length},
    {"anthropic_tier", "anthropic", 429,
     R"({"type":"error","error":{"type":"rate_limit_error","message":"m","details":)"
     R"({"error_code":"enforced_spend_limit_reached"}}})",
     E::quota_exhausted},
    {"anthropic_ramp", "anthropic", 429,
     R"({"type":"error","error":{"type":"rate_limit_error","message":"m","details":)"
     R"({"error_code":"ramp_limit_exceeded"}}})",
     E::rate_limited},
    {"anthropic_hold", "anthropic", 400,
     R"({"type":"error","error":{"type":"invalid_request_error","message":"m","details":)"
     R"({"error_code":"organization_on_hold"}}})",
     E::quota_exhausted},
    {"anthropic_billing", "anthropic", 402,
     R"({"type":"error","error":{"type":"billing_error","message":"m"}})", E::quota_exhausted},
    {"anthropic_model", "anthropic", 404,
     R"({"type":"error","error":{"type":"not_found_error","message":"model: claude-x"}})",
     E::model_not_found},
    {"anthropic_529", "anthropic", 529,
     R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})",
     E::overloaded},

    {"gemini_minute", "gemini", 429,
     R"({"error":{"code":429,"message":"You exceeded your current quota","status":)"
     R"("RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"RequestsPerMinutePerProject"}]},)"
     R"({"retryDelay":"36s"}]}})",
     E::rate_limited},
    {"gemini_day", "gemini", 429,
     R"({"error":{"code":429,"message":"m","status":"RESOURCE_EXHAUSTED","details":)"
     R"([{"violations":[{"quotaId":"GenerateRequestsPerDayPerProject"}]}]}})",
     E::quota_exhausted},
    {"gemini_limit0", "gemini", 429,
     R"({"error":{"code":429,"message":"see rate-limits, limit: 0, model","status":"RESOURCE_EXHAUSTED",)"
     R"("details":[{"violations":[{"quotaId":"RequestsPerMinute-FreeTier"}]}]}})",
     E::quota_exhausted},
    {"gemini_array", "gemini", 429, R"([{"error":{"code":429,"message":"in array"}}])",
     E::rate_limited, "in array"},
    {"gemini_key", "gemini", 400,
     R"({"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":)"
     R"([{"reason":"API_KEY_INVALID"}]}})",
     E::authentication},
    {"gemini_region", "gemini", 400,
     R"({"error":{"code":400,"message":"User location","status":"FAILED_PRECONDITION"}})",
     E::permission},
    {"gemini_context", "gemini", 400,
     R"({"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of )"
     R"(tokens allowed (8).","status":"INVALID_ARGUMENT"}})",
     E::context_length},
    {"gemini_404", "gemini", 404,
     R"({"error":{"code":404,"message":"models/x is not found","status":"NOT_FOUND"}})",
     E::model_not_found},
    {"gemini_503", "gemini", 503, R"({"error":{"code":503,"message":"m","status":"UNAVAILABLE"}})",
     E::overloaded},

    {"mistral_flat", "mistral", 429,
     R"({"object":"error","message":"slow","type":"rate_limited","param":null,"code":"1300",)"
     R"("raw_status_code":429})",
     E::rate_limited, "slow"},
    {"mistral_bare", "mistral", 429, R"({"message":"Requests rate limit exceeded"})",
     E::rate_limited, "Requests rate"},
    {"mistral_422", "mistral", 422,
     R"({"detail":[{"loc":["body","x",0],"msg":"extra","type":"t"},{"msg":"two"}]})",
     E::invalid_request, "body.x.0: extra; two"},
    {"mistral_kong", "mistral", 401, R"({"message":"Unauthorized","request_id":"k"})",
     E::authentication, "Unauthorized"},

    {"groq_498", "groq", 498, ERR("x", "capacity_exceeded", "flex"), E::rate_limited},
    {"groq_413", "groq", 413, ERR("tokens", "rate_limit_exceeded", "Request too large for model"),
     E::too_large},
    {"groq_json", "groq", 400,
     R"({"error":{"message":"m","type":"invalid_request_error","code":"json_validate_failed",)"
     R"("failed_generation":"{"}})",
     E::malformed},
    {"together_403", "together", 403,
     R"({"error":{"message":"prompt + max_tokens exceed the context"}})", E::context_length},
    {"openai_403_context", "openai", 403, R"({"error":{"message":"no tokens for you"}})",
     E::permission},
    {"openrouter_402", "openrouter", 402, R"({"error":{"code":402,"message":"credits"}})",
     E::quota_exhausted},
    {"openrouter_402_later", "openrouter", 402, R"({"error":{"code":402,"message":"in flight"}})",
     E::rate_limited, "in flight", "Retry-After: 3\r\n"},
    {"openrouter_403", "openrouter", 403,
     R"({"error":{"code":403,"message":"m","metadata":{"reasons":["violence"]}}})",
     E::content_policy},
    {"openrouter_raw", "openrouter", 502,
     R"({"error":{"code":502,"message":"Provider returned error","metadata":{"raw":"upstream"}}})",
     E::server_error, "Provider returned error: upstream"},
    {"fireworks_412", "fireworks", 412, R"({"error":"account suspended"})", E::permission},
    {"deepseek_402", "deepseek", 402, ERR("x", "invalid_request_error", "Insufficient Balance"),
     E::quota_exhausted},
    {"xai_string", "xai", 400, R"({"code":"c","error":"Incorrect API key provided"})",
     E::authentication, "Incorrect"},
    {"vllm_context", "vllm", 400,
     R"({"error":{"message":"This model's maximum context length is 8 tokens","type":)"
     R"("BadRequestError","param":null,"code":400}})",
     E::context_length},
    {"vllm_flat", "vllm", 404,
     R"({"object":"error","message":"The model `x` does not exist.","code":404})",
     E::model_not_found},
    {"ollama_model", "ollama", 404,
     R"({"error":{"message":"model \"x\" not found","type":"not_found_error","code":null}})",
     E::model_not_found},
    {"ollama_busy", "ollama", 503, R"({"error":"server busy"})", E::overloaded, "server busy"},

    // Errors inside a 200.
    {"ok_error_object", "openrouter", 200, R"({"error":{"code":429,"message":"m"}})",
     E::rate_limited},
    {"ok_error_502", "openrouter", 200, R"({"error":{"code":502,"message":"m"}})", E::server_error},
    {"ok_error_plain", "openai", 200, R"({"error":{"message":"something"}})", E::server_error},
    {"ok_error_string", "xai", 200, R"({"code":"x","error":"went wrong"})", E::server_error,
     "went wrong"},
    {"ok_endpoint", "lmstudio", 200, R"({"error":"Unexpected endpoint or method"})",
     E::invalid_request},
    {"ok_gemini_array", "gemini", 200,
     R"([{"error":{"code":503,"message":"m","status":"UNAVAILABLE"}}])", E::overloaded},
    {"ok_anthropic", "anthropic", 200,
     R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})", E::overloaded},
    {"ok_quota", "openai", 200, ERR("insufficient_quota", "insufficient_quota", "m"),
     E::quota_exhausted},
    {"ok_choice_error", "openrouter", 200,
     R"({"choices":[{"finish_reason":"error","error":{"code":502,"message":"up"}}]})",
     E::server_error, "up"},
};

INSTANTIATE_TEST_SUITE_P(Canned, ErrorReply, ::testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ErrorHints, ComeFromHeadersThenBodyThenTextThenReset) {
  const auto hint = [](const char* profile, const char* body, const char* headers) {
    return provider_of(config_for(profile))
        ->parse_response(reply_of(429, body, headers))
        .retry_after;
  };
  const char* google = R"({"error":{"code":429,"message":"Please retry in 36.9s.","details":)"
                       R"([{"retryDelay":"1.5s"}]}})";
  EXPECT_EQ(hint("gemini", google, "retry-after: 9\r\n"), Duration(9s));
  EXPECT_EQ(hint("gemini", google, ""), Duration(1500ms));
  EXPECT_EQ(hint("openai", R"({"error":{"message":"try again in 6m0s"}})", ""), Duration(6min));
  EXPECT_EQ(
      hint("openai", "{}", "x-ratelimit-remaining-tokens: 0\r\nx-ratelimit-reset-tokens: 8s\r\n"),
      Duration(8s));
  EXPECT_EQ(hint("openai", "{}", ""), std::nullopt);
  EXPECT_EQ(hint("openai", "{}", "Retry-After: Mon, 23 Nov 2026 10:00:12 GMT\r\n"), Duration(10s))
      << "an HTTP date counts from the end of the reply";
}

TEST(ErrorHints, ShouldRetryIsHandedOn) {
  const auto provider = provider_of(config_for("openai"));
  EXPECT_EQ(provider->parse_response(reply_of(500, "", "x-should-retry: false\r\n")).should_retry,
            false);
  EXPECT_EQ(provider->parse_response(reply_of(400, "", "X-Should-Retry: true\r\n")).should_retry,
            true);
  EXPECT_EQ(provider->parse_response(reply_of(500, "")).should_retry, std::nullopt);
}

TEST(ErrorReplies, NeverRepeatTheKey) {
  const std::string key = kKey;
  for (const int status : {200, 400, 401, 500}) {
    for (const auto& body :
         {R"({"error":{"message":"bad key )" + key + R"(","code":")" + key + "\"}}", "plain " + key,
          "[\"" + key + "\"]"}) {
      const auto outcome =
          provider_of(config_for("openai"))->parse_response(reply_of(status, body));
      EXPECT_EQ(outcome.message.find(key), std::string::npos) << outcome.message;
      EXPECT_EQ(outcome.code.find(key), std::string::npos);
    }
  }
}

TEST(ErrorReplies, TheirRequestIdIsFoundInHeaderOrBody) {
  const auto provider = provider_of(config_for("anthropic"));
  const char* body = R"({"type":"error","error":{"message":"m"},"request_id":"req_body"})";
  EXPECT_EQ(provider->parse_response(reply_of(500, body)).request_id, "req_body");
  EXPECT_EQ(provider->parse_response(reply_of(500, body, "Request-Id: req_head\r\n")).request_id,
            "req_head");
}

TEST(ErrorReplies, TheirRequestIdNeverHoldsTheKey) {
  const auto reply = reply_of(400, "{}", std::string("x-request-id: ") + kKey + "\r\n");
  EXPECT_EQ(provider_of(config_for("openai"))->parse_response(reply).request_id, "[key]");
}

TEST(Answers, AnEmptyErrorBesideACompleteAnswerIsNone) {
  const auto provider = provider_of(config_for("openai"));
  const char* body =
      R"({"error":{},"choices":[{"message":{"content":"Paris"},"finish_reason":"stop"}]})";
  const auto outcome = provider->parse_response(reply_of(200, body));
  EXPECT_EQ(outcome.error, E::none);
  EXPECT_EQ(outcome.completion.output, "Paris");
}

TEST(Answers, UsageThatCannotBeIsNotReported) {
  const auto provider = provider_of(config_for("openai"));
  const char* body = R"({"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],)"
                     R"("usage":{"prompt_tokens":9223372036854775807,"completion_tokens":2}})";
  EXPECT_FALSE(provider->parse_response(reply_of(200, body)).completion.has_usage);
}

TEST(TransportErrors, HaveTheirClasses) {
  const auto provider = provider_of(config_for("openai"));
  const auto class_of = [&](TransportError error, int status) {
    auto reply = reply_of(status, R"({"choices":[)");
    reply.error = error;
    reply.error_message = "transport words";
    return provider->parse_response(reply).error;
  };
  EXPECT_EQ(class_of(TransportError::timeout, 0), E::timeout);
  for (const auto error : {TransportError::resolve, TransportError::connect, TransportError::tls,
                           TransportError::reset, TransportError::protocol}) {
    EXPECT_EQ(class_of(error, 0), E::connection);
  }
  EXPECT_EQ(class_of(TransportError::reset, 200), E::connection) << "cut in the middle";
  EXPECT_EQ(class_of(TransportError::reset, 503), E::overloaded) << "the status says more";
  EXPECT_EQ(class_of(TransportError::too_large, 200), E::response_too_large);
  EXPECT_EQ(class_of(TransportError::aborted, 0), E::interrupted);
  EXPECT_EQ(class_of(TransportError::aborted, 500), E::interrupted);
}

}  // namespace
}  // namespace llmbatch
