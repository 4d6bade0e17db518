// BatchService: the providers' Batch APIs: files, batches whose states advance with the clock, and
// result files in another order than the requests. Every request of a batch is answered as the
// same call in real time would be.
// Source: the API references of OpenAI, Azure, Together, Mistral, Anthropic and Google.
// Thread rule: that of the Responder.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "errors.h"
#include "llmbatch/base/clock.h"
#include "llmbatch/sim/settings.h"
#include "reply.h"
#include "request.h"

namespace llmbatch::sim {

/// What one request of a batch is answered with.
struct LineAnswer {
  int status = 200;
  std::string body;
  Fault fault = Fault::none;  ///< batch_expired, batch_missing, batch_zero: not answered, not paid
};

class BatchService {
 public:
  using Answer = std::function<LineAnswer(const HttpRequest& http)>;

  /// `settings`, `clock` and what `answer` refers to outlive the service.
  BatchService(const SimulatorSettings& settings, const Clock& clock, Answer answer);

  /// True for the paths that it serves.
  static bool serves(const HttpRequest& http);
  Reply respond(const HttpRequest& http);

  struct Counters {
    std::uint64_t files_uploaded = 0;
    std::uint64_t batches_created = 0;
    std::uint64_t batches_cancelled = 0;
    std::uint64_t lines_answered = 0;
    std::uint64_t files_downloaded = 0;  ///< to their end
  };
  const Counters& counters() const { return counters_; }

 private:
  using Json = nlohmann::ordered_json;
  enum class Family : std::uint8_t { openai, azure, together, mistral, anthropic, gemini };
  enum class State : std::uint8_t {
    validating,
    in_progress,
    finalizing,
    cancelling,
    completed,
    failed,
    expired,
    cancelled,
  };

  struct File {
    std::string id;
    Family family = Family::openai;
    std::string name;
    std::string purpose;
    std::string bytes;
    WallTime created_at{};
    bool looked_at = false;
    bool gone = false;
  };
  struct Line {
    std::string custom_id;
    std::string path;
    std::string body;
  };
  struct LineError {
    std::string code;
    std::string message;
    std::size_t line = 0;  ///< from 1; 0: of no line
  };
  struct Batch {
    std::string id;
    Family family = Family::openai;
    HttpRequest http;  ///< that created it, without its body: key and dialect of its requests
    std::string endpoint;
    std::string model;
    std::string tag;  ///< metadata as JSON, or the display name
    std::string input_file;
    std::vector<Line> lines;  ///< until it is settled
    std::vector<LineError> errors;
    SteadyTime created{};
    WallTime created_at{};
    WallTime ended_at{};
    std::optional<SteadyTime> cancelled;
    std::int64_t answered_at_cancel = 0;
    std::string fate;  ///< the fault of the list that this batch meets; empty: none
    bool settled = false;
    State end = State::completed;
    std::string output_file;
    std::string error_file;
    std::int64_t total = 0;
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t expired = 0;
    std::int64_t cancelled_lines = 0;
  };
  /// The path of a request, split.
  struct Target {
    Family family = Family::openai;
    std::string kind;  ///< `files`, `upload`, `batches`, `create`; empty: none of this service
    std::string id;
    std::string verb;  ///< `content`, `cancel`, `results`, `download`
  };
  /// Part of a list.
  struct Page {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string next;  ///< cursor; empty: the last page
  };

  static Target target_of(const HttpRequest& http);
  static std::string argument(const HttpRequest& http, const char* name);
  bool take(std::string_view fault);
  Reply refuse(Family family, const ApiError& error);
  Reply refuse(Family family, int status, std::string message);
  static Reply reply_with(const Json& body);
  Reply stored(std::string_view fault, const Json& body);

  // Batches: batch_service.cc
  Reply serve_batches(const HttpRequest& http, const Target& target);
  Reply create(const HttpRequest& http, const Target& target);
  bool queue_is_full(Batch& batch);
  Reply refuse_full(Family family);
  static std::string id_prefix(Family family);
  Reply list_batches(const HttpRequest& http, Family family);
  Reply cancel(Batch& batch);
  double progress_of(const Batch& batch) const;
  State state_of(Batch& batch);
  static bool is_rejected(const Batch& batch);
  std::int64_t answered_by(const Batch& batch) const;
  void settle(Batch& batch);

  // How they are told: batch_describe.cc
  Json describe(Batch& batch);
  Json describe_created(Batch& batch);
  Json describe_openai(Batch& batch, State state);
  Json describe_mistral(Batch& batch, State state);
  Json describe_anthropic(Batch& batch, State state);
  Json describe_gemini(Batch& batch, State state);
  static Page page_of(const HttpRequest& http, Family family, std::size_t size,
                      const std::function<std::string(std::size_t)>& id_of);
  static Json wrap_list(Family family, const char* gemini_name, Json list, const Page& page,
                        std::size_t total);

  // Files: batch_files.cc
  Reply serve_files(const HttpRequest& http, const Target& target);
  Reply upload(const HttpRequest& http, const Target& target);
  Reply upload_resumable(const HttpRequest& http);
  Reply list_files(const HttpRequest& http, Family family);
  Reply content(const HttpRequest& http, File& file);
  Reply results(const HttpRequest& http, Batch& batch);
  Reply send_bytes(const HttpRequest& http, Family family, const std::string& bytes);
  static Json describe(File& file);
  File& keep_file(Family family, std::string name, std::string purpose, std::string bytes);
  File* find_file(const std::string& id);

  // Lines: batch_lines.cc
  bool read_draft(const Json& body, Batch& batch);
  static bool read_inline(const Json& body, Batch& batch);
  static void read_lines(const std::string& bytes, Batch& batch);
  static void validate(Batch& batch);
  void answer_lines(Batch& batch);
  void answer_line(Batch& batch, const Line& line, bool in_time, std::string& output,
                   std::string& errors);
  static std::string render_answer(const Batch& batch, const Line& line, const LineAnswer& answer);
  static std::string render_unanswered(const Batch& batch, const Line& line, bool expired);
  bool expires(const Batch& batch, const Line& line);

  const SimulatorSettings& settings_;
  const Clock& clock_;
  Answer answer_;
  Counters counters_;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<std::unique_ptr<Batch>> batches_;
  std::vector<std::string> faults_;  ///< that are still to happen
  std::unordered_set<std::uint64_t> expired_once_;
  std::unordered_map<std::string, std::string> uploads_;  ///< begun resumable ones: display names
  std::uint64_t next_id_ = 1;
};

}  // namespace llmbatch::sim
