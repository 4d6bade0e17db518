// BatchService: the providers' Batch APIs: files, batches whose states advance with the clock, and
// result files in another order than the requests. Every request of a batch is answered as the
// same call in real time would be.
// Source: the API references of OpenAI, Azure, Together, Mistral, Anthropic and Google.
// Thread rule: that of the Responder.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/sim/settings.h"
#include "reply.h"
#include "request.h"

namespace llmbatch::sim {

/// What one request of a batch is answered with.
struct LineAnswer {
  int status = 200;
  std::string body;
  Fault fault = Fault::none;   ///< batch_expired, batch_missing, batch_zero: no answer, not paid
  bool lost = false;           ///< the connection of such a call would have been lost
};

class BatchService {
 public:
  using Answer = std::function<LineAnswer(const HttpRequest& http)>;

  /// `answer` outlives the service.
  BatchService(const SimulatorSettings& settings, const Clock& clock, Answer answer);

  /// True for the paths that it serves.
  static bool serves(const HttpRequest& http);
  Reply respond(const HttpRequest& http);

  struct Counters {
    std::uint64_t files_uploaded = 0;
    std::uint64_t batches_created = 0;
    std::uint64_t batches_cancelled = 0;
    std::uint64_t lines_answered = 0;
    std::uint64_t files_downloaded = 0;  ///< complete ones
  };
  const Counters& counters() const { return counters_; }

 private:
  using Json = nlohmann::json;
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
    std::string name;
    std::string purpose;
    std::string bytes;
    WallTime created_at{};
    int looks = 0;
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
    std::size_t line = 0;
  };
  struct Batch {
    std::string id;
    Family family = Family::openai;
    std::string endpoint;
    std::string model;
    std::string tag;  ///< raw JSON of metadata, or the display name
    std::string input_file;
    std::vector<Line> lines;
    std::vector<LineError> errors;
    SteadyTime created{};
    WallTime created_at{};
    std::optional<SteadyTime> cancelled;
    std::string fate;  ///< the fault of the list that this batch meets; empty: none
    bool settled = false;
    State end = State::completed;
    std::string output_file;
    std::string error_file;
    std::int64_t succeeded = 0;
    std::int64_t failed = 0;
    std::int64_t expired = 0;
    std::int64_t cancelled_lines = 0;
  };
  /// The path of a request, split.
  struct Target {
    Family family = Family::openai;
    std::string kind;  ///< `files`, `batches`, `upload`, `create`
    std::string id;
    std::string verb;  ///< `content`, `cancel`, `results`, `download`
  };

  static Target target_of(const HttpRequest& http);
  static std::string argument(const HttpRequest& http, const char* name);

  // Files: batch_files.cc
  Reply serve_files(const HttpRequest& http, const Target& target);
  Reply upload(const HttpRequest& http, const Target& target);
  Reply upload_resumable(const HttpRequest& http);
  Reply list_files(const HttpRequest& http, const Target& target);
  Reply content(const HttpRequest& http, File& file);
  Json describe(File& file, Family family);
  File& keep_file(std::string name, std::string purpose, std::string bytes);
  Reply stored(const std::string& fault, Json body);

  // Batches: batch_service.cc
  Reply serve_batches(const HttpRequest& http, const Target& target);
  Reply create(const HttpRequest& http, const Target& target);
  Reply create_from(Batch batch, const std::string& bytes);
  Reply list_batches(const HttpRequest& http, Family family);
  Reply look(Batch& batch);
  Reply cancel(Batch& batch);
  Json describe(Batch& batch);
  State state_of(Batch& batch);
  std::int64_t answered_by(const Batch& batch) const;
  void settle(Batch& batch);
  bool take(const std::string& fault);

  // Lines: batch_lines.cc
  static bool read_lines(const std::string& bytes, Batch& batch);
  static void validate(Batch& batch);
  void answer_lines(Batch& batch);
  std::string render_answer(const Batch& batch, const Line& line, const LineAnswer& answer);
  static std::string render_unanswered(const Batch& batch, const Line& line, const char* reason);
  bool expires(const Line& line);

  const SimulatorSettings& settings_;
  const Clock& clock_;
  Answer answer_;
  Counters counters_;
  std::vector<std::unique_ptr<File>> files_;
  std::vector<std::unique_ptr<Batch>> batches_;
  std::vector<std::string> faults_;  ///< that are still to happen
  std::unordered_set<std::uint64_t> expired_once_;
  std::map<std::string, std::string> uploads_;  ///< begun resumable ones: display names
  std::uint64_t next_id_ = 1;
};

}  // namespace llmbatch::sim
