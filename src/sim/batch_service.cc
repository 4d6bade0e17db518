#include "batch_service.h"

#include <algorithm>

#include "errors.h"

namespace llmbatch::sim {
namespace {

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// Takes the part up to the next slash or colon off the front.
std::string next_segment(std::string_view& path) {
  while (path.starts_with('/') || path.starts_with(':')) path.remove_prefix(1);
  const std::size_t end = std::min(path.find_first_of("/:"), path.size());
  std::string segment(path.substr(0, end));
  path.remove_prefix(end);
  return segment;
}

/// The rest of the path behind `mark`; empty and absent are different things.
std::optional<std::string_view> behind(std::string_view path, std::string_view mark) {
  const std::size_t at = path.rfind(mark);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = path.substr(at + mark.size());
  if (!rest.empty() && rest.front() != '/' && rest.front() != ':') return std::nullopt;
  return rest;
}

}  // namespace

BatchService::BatchService(const SimulatorSettings& settings, const Clock& clock, Answer answer)
    : settings_(settings),
      clock_(clock),
      answer_(std::move(answer)),
      faults_(settings.batch_faults) {}

BatchService::Target BatchService::target_of(const HttpRequest& http) {
  const std::string_view path = http.path;
  Target target;
  if (contains(path, "/messages/batches")) {
    target.family = Family::anthropic;
  } else if (contains(path, "/v1beta/") && !contains(path, "/openai/")) {
    target.family = Family::gemini;
  } else if (path.starts_with("/mistral/")) {
    target.family = Family::mistral;
  } else if (path.starts_with("/together/")) {
    target.family = Family::together;
  } else if (path.starts_with("/azure/") || http.has_api_key_header) {
    target.family = Family::azure;
  }
  if (contains(path, ":batchGenerateContent")) {
    target.kind = "create";
    return target;
  }
  for (const auto& [mark, kind] :
       {std::pair{"/batch/jobs", "batches"}, {"/batches", "batches"}, {"/files", "files"}}) {
    auto rest = behind(path, mark);
    if (!rest) continue;
    target.kind = kind;
    if (target.kind == "files" && path.starts_with("/upload")) target.kind = "upload";
    target.id = next_segment(*rest);
    target.verb = next_segment(*rest);
    break;
  }
  if (target.kind == "batches" && target.id.empty() && http.method == "POST") {
    target.kind = "create";
  }
  return target;
}

bool BatchService::serves(const HttpRequest& http) { return !target_of(http).kind.empty(); }

std::string BatchService::argument(const HttpRequest& http, const char* name) {
  for (const auto& [known, value] : http.arguments) {
    if (known == name) return value;
  }
  return {};
}

bool BatchService::take(std::string_view fault) {
  const auto found = std::find(faults_.begin(), faults_.end(), fault);
  if (found == faults_.end()) return false;
  faults_.erase(found);
  return true;
}

/// An error reply in the words of the API that the path belongs to.
Reply BatchService::refuse(Family family, const ApiError& error) {
  Dialect dialect = Dialect::openai;
  if (family == Family::anthropic) dialect = Dialect::anthropic;
  if (family == Family::gemini) dialect = Dialect::gemini;
  if (family == Family::mistral) dialect = Dialect::mistral;
  if (family == Family::azure) dialect = Dialect::azure;
  Reply reply;
  reply.status = error.status;
  reply.body = render_error(dialect, error, "req_" + std::to_string(next_id_++));
  reply.outcome = "batch-" + std::to_string(error.status);
  return reply;
}

Reply BatchService::refuse(Family family, int status, std::string message) {
  ApiError error;
  error.status = status;
  error.message = std::move(message);
  return refuse(family, error);
}

Reply BatchService::respond(const HttpRequest& http) {
  const Target target = target_of(http);
  Reply reply = target.kind == "files" || target.kind == "upload" ? serve_files(http, target)
                                                                  : serve_batches(http, target);
  if (reply.outcome == "ok") reply.outcome = "batch-api";
  return reply;
}

Reply BatchService::serve_batches(const HttpRequest& http, const Target& target) {
  if (target.kind == "create") return create(http, target);
  if (target.id.empty()) return list_batches(http, target.family);
  const auto found = std::find_if(batches_.begin(), batches_.end(), [&](const auto& batch) {
    return batch->id == target.id && batch->family == target.family;
  });
  if (found == batches_.end() || take("unknown-batch")) {
    return refuse(target.family, 404, "No batch found with id '" + target.id + "'.");
  }
  Batch& batch = **found;
  if (target.verb == "cancel") return cancel(batch);
  if (target.verb == "results") return results(http, batch);
  if (take("poll-500")) return refuse(target.family, 500, "The server had an error.");
  if (take("poll-429")) {
    Reply reply = refuse(target.family, 429, "Too many requests.");
    reply.headers.emplace_back("retry-after", "1");
    return reply;
  }
  return reply_with(describe(batch));
}

Reply BatchService::reply_with(const Json& body) {
  Reply reply;
  reply.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  return reply;
}

/// What a call that changed something is answered, unless that answer is to be lost.
Reply BatchService::stored(std::string_view fault, const Json& body) {
  Reply reply = reply_with(body);
  if (take(fault)) {
    reply.ending = Ending::no_answer;
    reply.outcome = fault;
  }
  return reply;
}

Reply BatchService::create(const HttpRequest& http, const Target& target) {
  if (take("refuse-create")) return refuse(target.family, 503, "The server is overloaded.");
  if (take("reject-create")) return refuse(target.family, 400, "This batch is not acceptable.");
  const Json body = Json::parse(http.body, nullptr, false);
  if (!body.is_object()) return refuse(target.family, 400, "We could not parse the JSON body.");
  auto batch = std::make_unique<Batch>();
  batch->family = target.family;
  batch->http = http;
  batch->http.body.clear();
  batch->http.arguments.clear();
  batch->created = clock_.now();
  batch->created_at = clock_.wall_now();
  const bool inlined = target.family == Family::anthropic;
  if (inlined ? !read_inline(body, *batch) : !read_draft(body, *batch)) {
    return refuse(target.family, 400, "Missing or unknown input: " + batch->input_file);
  }
  if (queue_is_full(*batch)) return refuse_full(target.family);
  batch->id = id_prefix(target.family) + std::to_string(next_id_++);
  ++counters_.batches_created;
  batches_.push_back(std::move(batch));
  return stored("lost-create", describe_created(*batches_.back()));
}

/// A full queue is told at once by some, and by a failed batch by the others.
bool BatchService::queue_is_full(Batch& batch) {
  for (const char* fate : {"fail-validation", "no-output", "all-expired", "queue-full"}) {
    if (batch.fate.empty() && take(fate)) batch.fate = fate;
  }
  if (batch.fate == "fail-validation") {
    batch.errors.push_back({"invalid_json_line", "This line is not parseable.", 2});
  }
  if (batch.fate != "queue-full") return false;
  if (batch.family == Family::anthropic || batch.family == Family::gemini) return true;
  batch.errors.push_back({"token_limit_exceeded", "Enqueued token limit reached.", 0});
  return false;
}

Reply BatchService::refuse_full(Family family) {
  ApiError error =
      error_for_status(family == Family::anthropic ? Dialect::anthropic : Dialect::gemini, 429);
  error.message = "Your queue of batch requests is full.";
  return refuse(family, error);
}

std::string BatchService::id_prefix(Family family) {
  if (family == Family::anthropic) return "msgbatch_";
  if (family == Family::gemini) return "sim";
  return "batch_";
}

Reply BatchService::list_batches(const HttpRequest& http, Family family) {
  std::vector<Batch*> all;
  for (auto batch = batches_.rbegin(); batch != batches_.rend(); ++batch) {
    if ((*batch)->family == family) all.push_back(batch->get());
  }
  Json list = Json::array();
  const Page page = page_of(http, family, all.size(), [&](std::size_t i) { return all[i]->id; });
  for (std::size_t i = page.begin; i < page.end; ++i) list.push_back(describe(*all[i]));
  return reply_with(wrap_list(family, "operations", std::move(list), page, all.size()));
}

Reply BatchService::cancel(Batch& batch) {
  const State state = state_of(batch);
  if (state == State::validating || state == State::in_progress || state == State::finalizing) {
    batch.answered_at_cancel = answered_by(batch);
    batch.cancelled = clock_.now();
    ++counters_.batches_cancelled;
  }
  // Google answers an empty object.
  if (batch.family == Family::gemini) return reply_with(Json::object());
  return reply_with(describe(batch));
}

double BatchService::progress_of(const Batch& batch) const {
  const double whole = std::chrono::duration<double>(settings_.batch_latency).count();
  if (whole <= 0) return 1;
  return std::chrono::duration<double>(clock_.now() - batch.created).count() / whole;
}

BatchService::State BatchService::state_of(Batch& batch) {
  if (batch.settled) return batch.end;
  const double progress = progress_of(batch);
  if (batch.cancelled) {
    // As long again as a quarter of the whole.
    if (clock_.now() < *batch.cancelled + settings_.batch_latency / 4) return State::cancelling;
  } else if (progress < 0.1) {
    return State::validating;
  } else if (!is_rejected(batch) && progress < 0.9) {
    return State::in_progress;
  } else if (!is_rejected(batch) && progress < 1) {
    return State::finalizing;
  }
  settle(batch);
  return batch.end;
}

bool BatchService::is_rejected(const Batch& batch) { return !batch.errors.empty(); }

std::int64_t BatchService::answered_by(const Batch& batch) const {
  const double share = std::clamp((progress_of(batch) - 0.1) / 0.8, 0.0, 1.0);
  return static_cast<std::int64_t>(share * static_cast<double>(batch.lines.size()));
}

void BatchService::settle(Batch& batch) {
  batch.settled = true;
  batch.ended_at = clock_.wall_now();
  if (is_rejected(batch) && !batch.cancelled) {
    batch.end = State::failed;
    return;
  }
  batch.end = batch.cancelled ? State::cancelled : State::completed;
  if (batch.fate == "all-expired") batch.end = State::expired;
  answer_lines(batch);
  batch.lines.clear();
}

}  // namespace llmbatch::sim
