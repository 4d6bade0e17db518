#include <simdjson.h>

#include <algorithm>

#include "answer_format.h"
#include "answers.h"
#include "error_reply.h"
#include "llmbatch/base/text.h"
#include "llmbatch/provider/make_provider.h"
#include "llmbatch/provider/rate_limit_headers.h"
#include "raw_json.h"
#include "reask.h"
#include "request_builder.h"

namespace llmbatch {
namespace {

/// A buffer that grew for one huge reply is given back instead of being kept for ever.
constexpr std::size_t kKeptParserBytes = std::size_t{1} << 20U;

ErrorClass class_of(TransportError error) {
  switch (error) {
    case TransportError::none:
      return ErrorClass::none;
    case TransportError::timeout:
      return ErrorClass::timeout;
    case TransportError::too_large:
      return ErrorClass::response_too_large;
    case TransportError::aborted:
      return ErrorClass::interrupted;
    case TransportError::resolve:
    case TransportError::connect:
    case TransportError::tls:
    case TransportError::reset:
    case TransportError::protocol:
      return ErrorClass::connection;
  }
  return ErrorClass::connection;
}

std::string_view without_leading_space(std::string_view body) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  const auto start = body.find_first_not_of(" \t\r\n");
  return start == std::string_view::npos ? std::string_view{} : body.substr(start);
}

/// When a bucket is empty, the time until it is full again is the only hint left; at most a minute
/// of it is believed, because the bucket need not be full.
std::optional<Duration> reset_hint(const RateLimitHints& limits) {
  std::optional<Duration> hint;
  for (const auto& bucket :
       {limits.requests_per_minute, limits.requests_per_day, limits.tokens_per_minute,
        limits.input_tokens_per_minute, limits.output_tokens_per_minute}) {
    if (bucket.remaining != 0 || !bucket.reset || *bucket.reset <= Duration::zero()) continue;
    if (!hint || *bucket.reset > *hint) hint = bucket.reset;
  }
  if (hint) hint = std::min<Duration>(*hint, std::chrono::minutes(1));
  return hint;
}

bool may_pass(ErrorClass error) {
  return error == ErrorClass::rate_limited || error == ErrorClass::overloaded ||
         error == ErrorClass::server_error || error == ErrorClass::request_timeout ||
         error == ErrorClass::quota_exhausted;
}

class WireProvider final : public Provider {
 public:
  WireProvider(ProviderConfig config, RequestBuilder builder)
      : config_(std::move(config)),
        profile_(config_.profile != nullptr ? *config_.profile : generic_profile()),
        rate_limits_(family_of(profile_, config_.wire_format)),
        builder_(std::move(builder)) {}

  Status build_request(const LineFields& line, Request& request) const override {
    return builder_.build(line, request);
  }
  bool build_reask(const Request& first, const Completion& answer, std::string_view violation,
                   Request& request) const override {
    return append_reask(config_.wire_format, first, {answer, violation}, request);
  }
  bool has_own_model(const LineFields& line) const override { return builder_.has_own_model(line); }
  void redact(std::string& text) const override;
  Hash128 request_hash(const Request& request) const override { return builder_.hash(request); }

  Outcome parse_response(const HttpReply& reply) const override;
  std::vector<std::string> request_headers() const override;

 private:
  static RateLimitFamily family_of(const ProviderProfile& profile, WireFormat format) {
    if (!profile.name.empty() || format != WireFormat::anthropic_messages) {
      return profile.rate_limits;
    }
    return RateLimitFamily::anthropic;
  }
  void read_success(const HttpReply& reply, Outcome& outcome, bool has_hint) const;
  void apply_error(const ErrorDetails& details, ErrorClass error, Outcome& outcome) const;
  KeyHeader key_header() const;

  ProviderConfig config_;
  const ProviderProfile& profile_;
  RateLimitFamily rate_limits_;
  RequestBuilder builder_;
};

/// No call uses a thousand million tokens; such numbers would only spoil sums and estimates.
bool is_plausible(const Usage& usage) {
  constexpr TokenCount kMost = 1'000'000'000;
  const auto within = [](TokenCount count) { return count >= 0 && count <= kMost; };
  return within(usage.input) && within(usage.cached_input) && within(usage.cache_write) &&
         within(usage.output) && within(usage.reasoning);
}

/// A server may repeat the key in its complaint; it must not get into records and logs.
void WireProvider::redact(std::string& text) const {
  constexpr std::size_t kShortestKey = 6;
  if (config_.key.size() < kShortestKey) return;
  for (auto at = text.find(config_.key); at != std::string::npos; at = text.find(config_.key, at)) {
    text.replace(at, config_.key.size(), "[key]");
  }
}

void WireProvider::apply_error(const ErrorDetails& details, ErrorClass error,
                               Outcome& outcome) const {
  outcome.error = error;
  outcome.message = details.message;
  outcome.code = details.best_code();
  if (outcome.request_id.empty()) outcome.request_id = details.request_id;
  if (!outcome.retry_after && may_pass(error)) {
    const bool positive = details.retry_delay && *details.retry_delay > Duration::zero();
    outcome.retry_after = positive ? details.retry_delay : retry_hint_in_text(details.message);
    if (!outcome.retry_after && error == ErrorClass::rate_limited) {
      outcome.retry_after = reset_hint(outcome.limits);
    }
  }
  redact(outcome.message);
  redact(outcome.code);
}

void WireProvider::read_success(const HttpReply& reply, Outcome& outcome, bool has_hint) const {
  const auto body = without_leading_space(reply.body);
  if (body.empty()) {
    outcome.error = ErrorClass::malformed;
    outcome.message = "the reply is empty";
    return;
  }
  thread_local simdjson::dom::parser parser;
  std::string repaired;
  simdjson::dom::element root;
  auto status = parser.parse(body.data(), body.size(), true).get(root);
  if (status == simdjson::UTF8_ERROR) {
    // One bad byte must not cost a paid answer.
    repaired = to_valid_utf8(body);
    status = parser.parse(repaired).get(root);
  }
  if (status == simdjson::STRING_ERROR) {
    repaired = mend_surrogates(repaired.empty() ? body : std::string_view(repaired));
    status = parser.parse(repaired).get(root);
  }
  simdjson::dom::object object;
  if (status != simdjson::SUCCESS) {
    outcome.error = ErrorClass::malformed;
    const auto details = read_error_body(body);
    outcome.message = std::string("the reply is not JSON (") + simdjson::error_message(status) +
                      "): " + truncate_chars(details.message, 200);
    redact(outcome.message);
  } else if (root.get(object) != simdjson::SUCCESS) {
    const auto details = read_error_body(body);
    const bool wrapped_error = root.is_array() && !details.message.empty() &&
                               (details.status_in_body || !details.type.empty());
    apply_error(details,
                wrapped_error ? classify_error_in_success(details, profile_, has_hint)
                              : ErrorClass::malformed,
                outcome);
  } else {
    const AnswerContext context{config_.wire_format, profile_,
                                repaired.empty() ? body : std::string_view(repaired)};
    read_answer(object, context, outcome);
    // An empty object beside a complete answer says nothing.
    simdjson::dom::object error;
    const bool has_error =
        (object.at_key("error").get(error) == simdjson::SUCCESS && error.size() > 0) ||
        !text_in(object, "error").empty();
    if (has_error || text_in(object, "type") == "error") {
      const auto details = read_error_body(body);
      apply_error(details, classify_error_in_success(details, profile_, has_hint), outcome);
    } else {
      redact(outcome.message);
    }
  }
  if (body.size() > kKeptParserBytes) parser = simdjson::dom::parser();
}

Outcome WireProvider::parse_response(const HttpReply& reply) const {
  Outcome outcome;
  outcome.http_status = reply.status;
  const WallTime now = reply.started_at + reply.latency;
  const auto headers = read_reply_headers(reply.headers, rate_limits_, now, outcome.limits);
  outcome.request_id = headers.request_id;
  redact(outcome.request_id);
  // A status that came says more than the loss of the rest of the error page.
  if (reply.error != TransportError::none && reply.status < 400) {
    outcome.error = class_of(reply.error);
    outcome.message = reply.error_message;
    redact(outcome.message);
    return outcome;
  }
  if (reply.error == TransportError::aborted) {
    outcome.error = ErrorClass::interrupted;
    outcome.message = reply.error_message;
    return outcome;
  }
  if (headers.should_retry == "true") outcome.should_retry = true;
  if (headers.should_retry == "false") outcome.should_retry = false;
  const auto hint = retry_after_hint(headers, now);
  if (reply.status >= 200 && reply.status < 300) {
    read_success(reply, outcome, hint.has_value());
    if (!is_plausible(outcome.completion.usage)) {
      outcome.completion.usage = {};
      outcome.completion.has_usage = false;
    }
    if (outcome.error == ErrorClass::none) {
      outcome.should_retry.reset();
    } else if (hint) {
      outcome.retry_after = hint;
    }
    return outcome;
  }
  outcome.retry_after = hint;
  auto details = read_error_body(reply.body);
  if (details.message.empty()) {
    details.message = "HTTP " + std::to_string(reply.status) + " with an empty body";
  }
  if (reply.status >= 300 && reply.status < 400 && !headers.location.empty()) {
    details.message = "redirected to " + to_valid_utf8(headers.location.substr(0, 200));
  }
  apply_error(details, classify_error(reply.status, details, profile_, hint.has_value()), outcome);
  return outcome;
}

KeyHeader WireProvider::key_header() const {
  const bool openai_surface = config_.wire_format != WireFormat::anthropic_messages &&
                              config_.wire_format != WireFormat::gemini_generate;
  if (openai_surface) {
    // Azure alone has a header of its own there.
    return profile_.key_header == KeyHeader::api_key ? KeyHeader::api_key : KeyHeader::bearer;
  }
  if (config_.wire_format == WireFormat::gemini_generate) return KeyHeader::x_goog_api_key;
  // OAuth tokens and the newer API version go with a bearer header.
  const bool bearer =
      config_.anthropic_version != "2023-06-01" || config_.key.starts_with("sk-ant-oat");
  return bearer ? KeyHeader::bearer : KeyHeader::x_api_key;
}

std::vector<std::string> WireProvider::request_headers() const {
  std::vector<std::string> headers{"Content-Type: application/json"};
  if (!config_.key.empty()) {
    switch (key_header()) {
      case KeyHeader::bearer:
        headers.push_back("Authorization: Bearer " + config_.key);
        break;
      case KeyHeader::x_api_key:
        headers.push_back("x-api-key: " + config_.key);
        break;
      case KeyHeader::api_key:
        headers.push_back("api-key: " + config_.key);
        break;
      case KeyHeader::x_goog_api_key:
        headers.push_back("x-goog-api-key: " + config_.key);
        break;
    }
  }
  if (config_.wire_format == WireFormat::anthropic_messages) {
    headers.push_back("anthropic-version: " + config_.anthropic_version);
  }
  headers.insert(headers.end(), config_.extra_headers.begin(), config_.extra_headers.end());
  return headers;
}

bool is_visible_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

Status check_key(const ProviderConfig& config, const ProviderProfile& profile,
                 const std::string& base_url) {
  if (config.key.empty()) {
    if (!profile.needs_key) return {};
    std::string names;
    for (const auto name : profile.key_variables) {
      if (name.empty()) continue;
      if (!names.empty()) names += " or ";
      names += name;
    }
    return usage_error("provider " + std::string(profile.name) + ": no API key (set " + names +
                       " or use --api-key-file)");
  }
  if (!is_visible_ascii(config.key)) {
    return usage_error("API key: contains white space, control or non-ASCII characters");
  }
  if (base_url.starts_with("http://") && !is_loopback_url(base_url)) {
    return usage_error("base url '" + base_url +
                       "': an API key is not sent over plain http, except to this machine");
  }
  return {};
}

}  // namespace

std::optional<std::int64_t> demanded_max_tokens(WireFormat format,
                                                const RequestDefaults& defaults) {
  constexpr std::int64_t kAnthropicDefault = 4096;
  if (format != WireFormat::anthropic_messages || defaults.max_tokens) return std::nullopt;
  for (const auto& [name, value] : defaults.parameters) {
    if (name == "max_tokens" || name == "max_completion_tokens") return std::nullopt;
  }
  return kAnthropicDefault;
}

std::vector<std::string> answer_format_notes(const ProviderConfig& config) {
  const auto& profile = config.profile != nullptr ? *config.profile : generic_profile();
  return asked_format(config.wire_format, profile, config.defaults.answer_format).notes;
}

Result<std::unique_ptr<Provider>> make_provider(ProviderConfig config) {
  auto base_url = effective_base_url(config);
  if (!base_url) return forward_error(base_url);
  const auto& profile = config.profile != nullptr ? *config.profile : generic_profile();
  if (auto status = check_key(config, profile, *base_url); !status) return forward_error(status);
  if (!is_visible_ascii(config.anthropic_version)) {
    return usage_error("anthropic version: not a version date");
  }
  for (const auto& header : config.extra_headers) {
    if (header.find_first_of("\r\n") != std::string::npos ||
        header.find(':') == std::string::npos) {
      return usage_error("request header: not of the form 'Name: value'");
    }
  }
  auto builder = RequestBuilder::make(config, *base_url);
  if (!builder) return forward_error(builder);
  return std::unique_ptr<Provider>(
      std::make_unique<WireProvider>(std::move(config), std::move(*builder)));
}

}  // namespace llmbatch
