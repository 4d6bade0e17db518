// The simulated Batch APIs: the requests of a batch, and the lines of its result files.
#include <algorithm>
#include <unordered_set>

#include "batch_service.h"
#include "dice.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

constexpr std::size_t kMostRequests = 100'000;

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string text_member(const nlohmann::ordered_json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

/// Where the requests of a batch would be sent one by one: beside the path that created it.
std::string request_path(const std::string& create_path, std::string_view url) {
  if (url.starts_with("/v1/")) url.remove_prefix(3);
  std::string prefix = create_path;
  for (const char* mark : {"/batch/jobs", "/batches"}) {
    if (prefix.ends_with(mark)) prefix.resize(prefix.size() - std::string_view(mark).size());
  }
  return prefix.append(url);
}

}  // namespace

bool BatchService::read_draft(const nlohmann::ordered_json& body, Batch& batch) {
  const auto inner = body.find("batch");
  if (batch.family == Family::gemini) {
    if (inner == body.end() || !inner->is_object()) return false;
    batch.tag = text_member(*inner, "displayName");
    const auto config = inner->find("inputConfig");
    if (config != inner->end() && config->is_object()) {
      batch.input_file = text_member(*config, "fileName");
    }
    const std::string& path = batch.http.path;
    const std::size_t start = path.find("/models/") + 8;
    batch.model = path.substr(start, path.rfind(':') - start);
  } else {
    batch.endpoint = text_member(body, "endpoint");
    batch.model = text_member(body, "model");
    batch.input_file = text_member(body, "input_file_id");
    const auto files = body.find("input_files");
    if (files != body.end() && files->is_array() && !files->empty() && files->front().is_string()) {
      batch.input_file = files->front().get<std::string>();
    }
    const auto metadata = body.find("metadata");
    batch.tag = metadata == body.end() ? "null" : metadata->dump();
  }
  const File* file = find_file(batch.input_file);
  if (file == nullptr || file->gone) return false;
  if (batch.family == Family::azure && !file->looked_at) return false;
  read_lines(file->bytes, batch);
  validate(batch);
  return true;
}

bool BatchService::read_inline(const nlohmann::ordered_json& body, Batch& batch) {
  const auto requests = body.find("requests");
  if (requests == body.end() || !requests->is_array() || requests->empty()) return false;
  std::unordered_set<std::string> ids;
  for (const auto& request : *requests) {
    const auto params = request.find("params");
    if (params == request.end()) return false;
    std::string id = text_member(request, "custom_id");
    const bool plain = std::all_of(id.begin(), id.end(), [](unsigned char c) {
      return std::isalnum(c) != 0 || c == '_' || c == '-';
    });
    if (id.empty() || id.size() > 64 || !plain || !ids.insert(id).second) return false;
    batch.lines.push_back({std::move(id), "/v1/messages", params->dump()});
  }
  batch.total = static_cast<std::int64_t>(batch.lines.size());
  return batch.lines.size() <= kMostRequests;
}

void BatchService::read_lines(const std::string& bytes, Batch& batch) {
  std::string_view rest = bytes;
  for (std::size_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view text = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (trim(text).empty()) continue;
    const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
    const bool gemini = batch.family == Family::gemini;
    const char* body_name = gemini ? "request" : "body";
    if (!json.is_object() || !json.contains(body_name)) {
      batch.errors.push_back({"invalid_json_line", "This line is not parseable.", number});
      continue;
    }
    // The bytes as they were sent, so that a body is known again whichever way it came.
    std::string body = json[body_name].dump();
    std::string url =
        gemini ? "/models/" + batch.model + ":generateContent" : text_member(json, "url");
    if (batch.family == Family::mistral) {
      url = batch.endpoint;
      body.insert(1, "\"model\":" + json_text(batch.model) + (body.size() > 2 ? "," : ""));
    } else if (!gemini && url != batch.endpoint) {
      batch.errors.push_back({"url_mismatch", "The URL is not that of the batch.", number});
    }
    const std::string path = gemini ? "/v1beta" + url : request_path(batch.http.path, url);
    batch.lines.push_back({text_member(json, gemini ? "key" : "custom_id"), path, std::move(body)});
  }
  batch.total = static_cast<std::int64_t>(batch.lines.size());
}

void BatchService::validate(Batch& batch) {
  if (batch.lines.empty()) batch.errors.push_back({"empty_file", "The file is empty.", 0});
  std::unordered_set<std::string_view> ids;
  std::string model;
  for (std::size_t i = 0; i < batch.lines.size(); ++i) {
    const Line& line = batch.lines[i];
    if (line.custom_id.empty() || !ids.insert(line.custom_id).second) {
      batch.errors.push_back({"duplicate_custom_id", "The custom_id is not unique.", i + 1});
    }
    if (batch.family == Family::mistral || batch.family == Family::gemini) continue;
    const std::string its =
        text_member(nlohmann::ordered_json::parse(line.body, nullptr, false), "model");
    if (i == 0) model = its;
    if (its != model) {
      batch.errors.push_back({"model_mismatch", "The model is not that of line 1.", i + 1});
    }
  }
}

bool BatchService::expires(const Batch& batch, const Line& line) {
  if (batch.fate == "all-expired") return true;
  if (settings_.batch_expire <= 0) return false;
  const std::uint64_t hash = hash64(line.body, settings_.seed ^ 0xE0F1U);
  return Dice(hash).uniform() < settings_.batch_expire && expired_once_.insert(hash).second;
}

void BatchService::answer_lines(Batch& batch) {
  std::vector<std::size_t> order(batch.lines.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  Dice dice(settings_.seed ^ batches_.size());
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[dice.below(i)]);
  const auto in_time = static_cast<std::size_t>(
      batch.cancelled ? batch.answered_at_cancel : static_cast<std::int64_t>(order.size()));
  std::string output;
  std::string errors;
  if (batch.fate != "no-output") {
    for (const std::size_t i : order) {
      answer_line(batch, batch.lines[i], i < in_time, output, errors);
    }
  }
  const bool one_file = batch.family == Family::anthropic || batch.family == Family::gemini;
  if (one_file) output += std::exchange(errors, {});
  if (!output.empty()) {
    batch.output_file = keep_file(batch.family, "output.jsonl", "batch_output", output).id;
  }
  if (!errors.empty()) {
    batch.error_file = keep_file(batch.family, "errors.jsonl", "batch_output", errors).id;
  }
}

void BatchService::answer_line(Batch& batch, const Line& line, bool in_time, std::string& output,
                               std::string& errors) {
  const bool expired = in_time && expires(batch, line);
  if (expired || !in_time) {
    errors += render_unanswered(batch, line, expired);
    ++batch.failed;
    ++(expired ? batch.expired : batch.cancelled_lines);
    if (expired && batch.end == State::completed) batch.end = State::expired;
    return;
  }
  HttpRequest http = batch.http;
  http.method = "POST";
  http.path = line.path;
  http.body = line.body;
  const LineAnswer answer = answer_(http);
  if (answer.fault == Fault::batch_missing) return;
  if (answer.fault == Fault::batch_expired) {
    errors += render_unanswered(batch, line, true);
    ++batch.failed;
    ++batch.expired;
    if (batch.end == State::completed) batch.end = State::expired;
    return;
  }
  const bool good = answer.status == 200 && answer.fault == Fault::none;
  ++(good ? batch.succeeded : batch.failed);
  ++counters_.lines_answered;
  (good ? output : errors) += render_answer(batch, line, answer);
}

std::string BatchService::render_answer(const Batch& batch, const Line& line,
                                        const LineAnswer& answer) {
  const std::string id = json_text(line.custom_id);
  std::string body =
      nlohmann::ordered_json::accept(answer.body) ? answer.body : json_text(answer.body);
  // A result line is one line.
  std::replace(body.begin(), body.end(), '\n', ' ');
  if (batch.family == Family::anthropic) {
    const bool good = answer.status == 200;
    return "{\"custom_id\":" + id + ",\"result\":{\"type\":" +
           (good ? "\"succeeded\",\"message\":" : "\"errored\",\"error\":") + body + "}}\n";
  }
  if (batch.family == Family::gemini) {
    if (answer.status == 200) return "{\"key\":" + id + ",\"response\":" + body + "}\n";
    const auto json = nlohmann::ordered_json::parse(answer.body, nullptr, false);
    const std::string error = json.is_object() && json.contains("error")
                                  ? json["error"].dump()
                                  : R"({"code":13,"message":"internal"})";
    return "{\"key\":" + id + ",\"error\":" + error + "}\n";
  }
  const int status = answer.fault == Fault::batch_zero ? 0 : answer.status;
  return "{\"id\":" + json_text("batch_req_" + line.custom_id) + ",\"custom_id\":" + id +
         ",\"response\":{\"status_code\":" + std::to_string(status) +
         ",\"request_id\":\"req_1\",\"body\":" + (status == 0 ? "{}" : body) +
         "},\"error\":null}\n";
}

std::string BatchService::render_unanswered(const Batch& batch, const Line& line, bool expired) {
  const std::string id = json_text(line.custom_id);
  if (batch.family == Family::anthropic) {
    return "{\"custom_id\":" + id + ",\"result\":{\"type\":\"" +
           (expired ? "expired" : "canceled") + "\"}}\n";
  }
  if (batch.family == Family::gemini) {
    return "{\"key\":" + id + ",\"error\":{\"code\":" + (expired ? "4" : "1") + ",\"message\":\"" +
           (expired ? "Batch expired." : "Batch cancelled.") + "\"}}\n";
  }
  return "{\"id\":" + json_text("batch_req_" + line.custom_id) + ",\"custom_id\":" + id +
         ",\"response\":null,\"error\":{\"code\":\"" +
         (expired ? "batch_expired" : "batch_cancelled") +
         "\",\"message\":\"This request was not executed in time.\"}}\n";
}

}  // namespace llmbatch::sim
