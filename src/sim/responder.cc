#include "responder.h"

#include <algorithm>

#include "dice.h"
#include "llmbatch/base/text.h"
#include "schema_sample.h"

namespace llmbatch::sim {
namespace {

// What a 429 that was asked for says when nothing else is told.
constexpr Duration kDefaultHint = std::chrono::milliseconds(200);
constexpr std::int64_t kContextWindow = 128'000;

bool is_paid(Fault fault) {
  switch (fault) {
    case Fault::none:
    case Fault::slow:
    case Fault::blank:
    case Fault::no_usage:
    case Fault::length:
    case Fault::refusal:
    case Fault::filter200:
    case Fault::bad_answer:
    case Fault::stubborn:
      return true;
    case Fault::status:
    case Fault::html:
    case Fault::unavailable:
    case Fault::hang:
    case Fault::reset:
    case Fault::cut:
    case Fault::truncated:
    case Fault::empty:
    case Fault::error_object:
    case Fault::no_choices:
    case Fault::filter:
    case Fault::not_json:
    case Fault::quota:
    case Fault::too_large:
    case Fault::context_length:
    case Fault::batch_expired:
    case Fault::batch_missing:
    case Fault::batch_zero:
      return false;
  }
  return false;
}

/// Faults of a connection: there is none for a request of a batch.
bool is_lost(Fault fault) {
  return fault == Fault::hang || fault == Fault::reset || fault == Fault::cut ||
         fault == Fault::truncated || fault == Fault::empty;
}

bool is_of_batches(Fault fault) {
  return fault == Fault::batch_expired || fault == Fault::batch_missing ||
         fault == Fault::batch_zero;
}

/// The first `size` bytes of `text` or a little less, so that no character is split.
void cut_text(std::string& text, std::size_t size) {
  if (size >= text.size()) return;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U) --size;
  text.resize(size);
}

}  // namespace

Responder::Responder(const SimulatorSettings& settings, const Clock& clock)
    : settings_(settings),
      clock_(clock),
      gate_(settings.limits, clock.now()),
      batches_(settings, clock, [this](const HttpRequest& http) { return answer_line(http); }) {}

Reply Responder::respond(const HttpRequest& http) {
  Call call{http, find_route(http, settings_.header_style), {}, {}, {}};
  Reply reply;
  if (call.route.endpoint == Endpoint::stats) {
    reply.body = to_json(stats());
    reply.counted = false;
    return reply;
  }
  if (call.route.endpoint == Endpoint::models) return list_models();
  reply.body_hash = hash128(http.body, settings_.seed);
  call.answer.hash = reply.body_hash.low;
  call.answer.id = to_hex(reply.body_hash).substr(0, 16);
  const std::scoped_lock lock(mutex_);
  ++stats_.requests;
  stats_.max_in_flight = std::max(stats_.max_in_flight, ++stats_.in_flight);
  if (BatchService::serves(http)) return respond_batches(call, std::move(reply));
  call.request_id = "req_" + call.answer.id + std::to_string(stats_.requests);
  Body& body = bodies_[reply.body_hash];
  reply.attempt = body.attempts + 1;
  reply.headers.emplace_back(
      call.route.dialect == Dialect::anthropic ? "request-id" : "x-request-id", call.request_id);
  return decide(call, body, std::move(reply));
}

Reply Responder::respond_batches(Call& call, Reply reply) {
  if (!settings_.required_key.empty() && call.http.key != settings_.required_key) {
    set_error(call, wrong_key(call.route.dialect), reply);
  } else {
    reply = batches_.respond(call.http);
  }
  ++stats_.outcomes[reply.outcome];
  const BatchService::Counters& counters = batches_.counters();
  stats_.files_uploaded = counters.files_uploaded;
  stats_.batches_created = counters.batches_created;
  stats_.batches_cancelled = counters.batches_cancelled;
  stats_.batch_lines_answered = counters.lines_answered;
  stats_.files_downloaded = counters.files_downloaded;
  return reply;
}

/// One request of a batch: decided like a call, but nothing limits or delays it.
LineAnswer Responder::answer_line(const HttpRequest& http) {
  Call call{http, find_route(http, settings_.header_style), {}, {}, {}};
  Reply reply;
  reply.body_hash = hash128(http.body, settings_.seed);
  call.answer.hash = reply.body_hash.low;
  call.answer.id = to_hex(reply.body_hash).substr(0, 16);
  call.request_id = "req_" + call.answer.id;
  Body& body = bodies_[reply.body_hash];
  reply.attempt = ++body.attempts;
  if (refuse_early(call, reply)) return {reply.status, std::move(reply.body), Fault::none};
  prepare_answer(call);
  Dice dice(settings_.seed ^ reply.body_hash.high ^ (0x5851F42D4C957F2DULL * reply.attempt));
  FaultStep step = choose_step(call, reply.attempt, dice.uniform());
  if (is_lost(step.fault)) step = FaultStep{Fault::status, 500, {}, false};
  apply(step, call, reply);
  count(reply, call, body, is_paid(step.fault));
  return {reply.status, std::move(reply.body),
          is_of_batches(step.fault) ? step.fault : Fault::none};
}

Reply Responder::decide(Call& call, Body& body, Reply reply) {
  if (settings_.die_after && stats_.requests == *settings_.die_after) {
    reply.server_goes_down = true;
    reply.ending = Ending::no_answer;
    reply.outcome = "died";
    count(reply, call, body, false);
    return reply;
  }
  if (refuse_early(call, reply) || refuse_by_limits(call, reply)) {
    count(reply, call, body, false);
    return reply;
  }
  ++body.attempts;
  Dice dice(settings_.seed ^ reply.body_hash.high ^ (0x5851F42D4C957F2DULL * reply.attempt));
  FaultStep step = choose_step(call, reply.attempt, dice.uniform());
  if (is_of_batches(step.fault)) step.fault = Fault::none;
  const double first = dice.uniform();
  reply.delay = settings_.latency.sample(first, dice.uniform());
  if (settings_.quota_after && paid_answers_ >= *settings_.quota_after && is_paid(step.fault)) {
    step = FaultStep{Fault::quota, 429, {}, false};
  }
  apply(step, call, reply);
  count(reply, call, body, reply.outcome != "400" && is_paid(step.fault));
  return reply;
}

bool Responder::refuse_early(Call& call, Reply& reply) {
  if (!settings_.required_key.empty() && call.http.key != settings_.required_key) {
    set_error(call, wrong_key(call.route.dialect), reply);
    reply.outcome = "401";
    return true;
  }
  if (call.route.endpoint == Endpoint::unknown) {
    ApiError error = error_for_status(call.route.dialect, 404);
    error.type = "invalid_request_error";
    error.message = "Unknown request URL: " + call.http.method + " " + call.http.path;
    if (call.route.dialect == Dialect::anthropic) error.type = "not_found_error";
    set_error(call, error, reply);
    return true;
  }
  if (const auto error = read_request(call.route, call.http, call.request)) {
    set_error(call, *error, reply);
    return true;
  }
  const auto& unknown = settings_.unknown_models;
  if (std::find(unknown.begin(), unknown.end(), call.request.model) != unknown.end()) {
    set_error(call, model_not_found(call.route.dialect, call.request.model), reply);
    return true;
  }
  return false;
}

bool Responder::refuse_by_limits(Call& call, Reply& reply) {
  prepare_answer(call);
  if (!gate_.limited()) return false;
  const Admission admission =
      gate_.admit(call.request.input_tokens, call.answer.output_tokens, clock_.now());
  const WallTime now = clock_.wall_now();
  append_limit_headers(reply.headers, call.route.dialect, settings_.header_style, admission.report,
                       now);
  if (admission.verdict == Admission::Verdict::admitted) return false;
  if (admission.verdict == Admission::Verdict::never) {
    const std::int64_t requested = call.request.input_tokens + call.answer.output_tokens;
    set_error(call, request_too_large(call.route.dialect, admission.limit, requested), reply);
    reply.outcome = "toolarge";
    return true;
  }
  ApiError error = error_for_status(call.route.dialect, 429);
  if (admission.limit_name.find("tokens") != std::string::npos && error.detail.empty() &&
      call.route.dialect != Dialect::anthropic) {
    error.type = "tokens";
    error.code = "rate_limit_exceeded";
  }
  error.message = "Rate limit reached for " + call.request.model + " on " + admission.limit_name +
                  ": Limit " + std::to_string(admission.limit) + ". Please try again in " +
                  format_go_duration(admission.wait) + ".";
  error.retry_after = admission.wait;
  if (call.route.dialect == Dialect::azure) error.code.clear();
  set_error(call, error, reply);
  append_retry_headers(reply.headers, call.route.dialect, settings_.retry_hint, admission.wait,
                       now);
  reply.outcome = "rate_limited";
  return true;
}

FaultStep Responder::choose_step(const Call& call, std::uint32_t attempt, double uniform) const {
  std::string_view script = call.http.script;
  if (script.empty()) script = find_marker(call.http.body);
  if (script.empty()) return settings_.faults.draw(uniform);
  const auto steps = parse_script(script);
  // A script nobody can read is the caller's mistake, not a fault to rehearse.
  if (!steps) return FaultStep{Fault::status, 400, {}, false};
  return (*steps)[std::min<std::size_t>(attempt, steps->size()) - 1];
}

void Responder::set_error(const Call& call, const ApiError& error, Reply& reply) const {
  reply.status = error.status;
  reply.body = render_error(call.route.dialect, error, call.request_id);
  reply.outcome = std::to_string(error.status);
}

std::string Responder::make_json_answer(const Call& call) const {
  if (!call.request.schema.empty()) {
    std::string sample =
        sample_schema(call.request.schema, call.answer.text, call.request.prompt, call.answer.hash);
    if (!sample.empty()) return sample;
  }
  std::string json =
      settings_.answer.kind == AnswerMode::Kind::classify ? R"({"label":)" : R"({"answer":)";
  append_json_string(json, call.answer.text);
  return json + "}";
}

void Responder::prepare_answer(Call& call) const {
  Answer& answer = call.answer;
  answer.dimensions = settings_.embedding_dimensions;
  if (call.route.endpoint == Endpoint::embeddings) return;
  answer.text = make_answer(settings_.answer, call.request.prompt, answer.hash);
  if (settings_.answer.kind == AnswerMode::Kind::classify) {
    answer.text = with_accuracy(settings_.accuracies, call.request.model, settings_.answer.labels,
                                std::move(answer.text), call.request.prompt, settings_.seed);
  }
  if (call.request.wants_json) answer.text = make_json_answer(call);
  const std::int64_t wanted = token_count(answer.text.size());
  answer.output_tokens = std::max<std::int64_t>(1, wanted);
  if (call.request.max_tokens && wanted > *call.request.max_tokens) {
    answer.output_tokens = *call.request.max_tokens;
    cut_text(answer.text, static_cast<std::size_t>(answer.output_tokens) * 4);
    answer.finish = Finish::length;
  }
}

void Responder::apply(const FaultStep& step, Call& call, Reply& reply) {
  if (is_paid(step.fault)) {
    apply_good(step, call, reply);
  } else {
    apply_broken(step, call, reply);
  }
  reply.outcome = fault_name(step);
}

void Responder::apply_good(const FaultStep& step, Call& call, Reply& reply) {
  Answer& answer = call.answer;
  if (step.fault == Fault::slow) reply.delay += step.duration;
  if (step.fault == Fault::no_usage) answer.with_usage = false;
  if (step.fault == Fault::length && call.route.endpoint != Endpoint::embeddings) {
    answer.finish = Finish::length;
    cut_text(answer.text, answer.text.size() / 2);
    answer.output_tokens = std::max<std::int64_t>(1, token_count(answer.text.size()));
  }
  if (step.fault == Fault::refusal || step.fault == Fault::filter200) {
    answer.finish = step.fault == Fault::refusal ? Finish::refused : Finish::filtered;
    if (step.fault == Fault::filter200) answer.output_tokens = 0;
  }
  const bool spoilt = step.fault == Fault::stubborn ||
                      (step.fault == Fault::bad_answer && !call.request.asked_again);
  if (spoilt && call.route.endpoint != Endpoint::embeddings) {
    answer.text = spoil_answer(answer.text, answer.hash);
    answer.output_tokens = std::max<std::int64_t>(1, token_count(answer.text.size()));
  }
  if (call.route.dialect == Dialect::anthropic) {
    const PromptCache::Use use = prompt_cache_.use(call.http.body, clock_.now(), reply.delay);
    answer.cache_read_tokens = std::min(use.read, call.request.input_tokens);
    answer.cache_write_tokens = std::min(use.written, call.request.input_tokens);
  }
  reply.body = render_answer(call.route, call.request, answer);
  if (step.fault == Fault::blank) reply.body.insert(0, "\n\n  \n");
}

void Responder::apply_broken(const FaultStep& step, Call& call, Reply& reply) {
  switch (step.fault) {
    case Fault::html:
    case Fault::not_json:
      reply.status = step.fault == Fault::html ? 502 : 200;
      reply.content_type = "text/html";
      reply.body =
          "<html>\n<head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway"
          "</h1></body>\n</html>\n";
      return;
    case Fault::unavailable:
      reply.status = 503;
      reply.content_type = "text/plain";
      return;
    case Fault::hang:
      reply.ending = Ending::hang;
      return;
    case Fault::reset:
      reply.ending = Ending::no_answer;
      return;
    case Fault::cut:
    case Fault::truncated:
      reply.body = render_answer(call.route, call.request, call.answer);
      if (step.fault == Fault::cut) reply.ending = Ending::cut_body;
      if (step.fault == Fault::truncated) reply.body.resize(reply.body.size() / 2);
      return;
    case Fault::error_object:
      reply.body = render_error_object(call.route, call.request, call.answer);
      return;
    case Fault::no_choices:
      return set_empty_answer(call, Finish::nothing, reply);
    case Fault::status:
    case Fault::filter:
    case Fault::quota:
    case Fault::too_large:
    case Fault::context_length:
      return apply_error(step, call, reply);
    case Fault::empty:
    case Fault::none:
    case Fault::filter200:
    case Fault::refusal:
    case Fault::length:
    case Fault::no_usage:
    case Fault::blank:
    case Fault::slow:
    case Fault::bad_answer:
    case Fault::stubborn:
    case Fault::batch_expired:
    case Fault::batch_missing:
    case Fault::batch_zero:
      return;
  }
}

void Responder::apply_error(const FaultStep& step, Call& call, Reply& reply) {
  const Dialect dialect = call.route.dialect;
  const std::int64_t tokens = call.request.input_tokens;
  if (step.fault == Fault::filter) {
    // Gemini says so in an answer without candidates.
    if (dialect == Dialect::gemini) return set_empty_answer(call, Finish::prompt_blocked, reply);
    return set_error(call, content_blocked(dialect), reply);
  }
  if (step.fault == Fault::quota) return set_error(call, quota_exhausted(dialect), reply);
  if (step.fault == Fault::too_large) {
    constexpr std::int64_t kLimit = 1000;
    return set_error(call, request_too_large(dialect, kLimit, kLimit + tokens), reply);
  }
  if (step.fault == Fault::context_length) {
    return set_error(call, context_exceeded(dialect, kContextWindow, kContextWindow + tokens),
                     reply);
  }
  ApiError error = step.status == 404 ? model_not_found(dialect, call.request.model)
                                      : error_for_status(dialect, step.status);
  if (step.status == 429) {
    error.retry_after = step.has_duration ? step.duration : kDefaultHint;
    append_retry_headers(reply.headers, dialect, settings_.retry_hint, *error.retry_after,
                         clock_.wall_now());
  }
  set_error(call, error, reply);
}

void Responder::set_empty_answer(Call& call, Finish finish, Reply& reply) const {
  call.answer.finish = finish;
  call.answer.output_tokens = 0;
  reply.body = render_answer(call.route, call.request, call.answer);
}

Reply Responder::list_models() const {
  std::vector<std::string> models = settings_.models;
  if (models.empty()) models = {"simulated", "gpt-4o-mini", "claude-haiku-4-5"};
  Reply reply;
  reply.counted = false;
  reply.body = R"({"object":"list","data":[)";
  for (std::size_t i = 0; i < models.size(); ++i) {
    reply.body += i == 0 ? R"({"id":)" : R"(,{"id":)";
    append_json_string(reply.body, models[i]);
    reply.body += R"(,"object":"model","created":1790000000,"owned_by":"simulator"})";
  }
  reply.body += "]}";
  return reply;
}

void Responder::count(const Reply& reply, const Call& call, Body& body, bool paid) {
  ++stats_.outcomes[reply.outcome];
  stats_.distinct_bodies = bodies_.size();
  stats_.max_attempts = std::max<std::uint64_t>(stats_.max_attempts, body.attempts);
  if (!paid) return;
  ++paid_answers_;
  stats_.input_tokens += call.request.input_tokens;
  stats_.output_tokens += call.answer.output_tokens;
  if (body.answers++ == 0) {
    ++stats_.answered_bodies;
  } else {
    ++stats_.answered_again;
  }
}

void Responder::finished() {
  const std::scoped_lock lock(mutex_);
  --stats_.in_flight;
}

SimulatorStats Responder::stats() const {
  const std::scoped_lock lock(mutex_);
  return stats_;
}

}  // namespace llmbatch::sim
