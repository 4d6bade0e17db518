// BatchApi: the Batch API of one provider. Describes requests and reads replies; pure functions of
// bytes, no network, no state. What a provider cannot do is said by its capabilities; the engine
// has no special cases. Source of protocol facts: the providers' API references on batches and
// files. Thread rule: const and safe from any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/api_request.h"
#include "llmbatch/model/http.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/remote_batch.h"

namespace llmbatch {

struct BatchCapabilities {
  /// Of one batch.
  std::int64_t max_requests = 50'000;
  std::int64_t max_bytes = 200'000'000;              ///< of the request file, or of the whole body
  std::optional<std::int64_t> max_embedding_inputs;  ///< summed over its requests
  /// Every request of a batch must name the same model.
  bool one_model = true;
  /// False: the lines travel in the body of the create call.
  bool uploads_file = true;
  /// A batch tells the tag that it was created with.
  bool echoes_tag = true;
  /// Counts change while a batch is worked on; else they come with its end.
  bool live_counts = true;
  /// How long results can be fetched.
  Duration results_kept = std::chrono::hours(24 * 30);
  /// After this an unfinished batch expires; zero: it does not.
  Duration window = std::chrono::hours(24);
};

/// A batch that is to be created.
struct BatchDraft {
  std::string tag;        ///< `llmbatch-` and 16 hex digits; unique
  std::string file_path;  ///< of the request lines
  std::int64_t file_bytes = 0;
  std::int64_t requests = 0;
  Request first;           ///< url and model of the first request (its body may be left out)
  std::string input_file;  ///< id of the uploaded file; empty where none is uploaded
};

struct FilePage {
  std::vector<RemoteFile> files;
  std::string next;  ///< cursor; empty: no more
};

struct BatchPage {
  std::vector<RemoteBatch> batches;
  std::string next;
};

/// What the reply to an upload call leads to.
struct UploadStep {
  std::optional<RemoteFile> file;     ///< done
  std::optional<ApiRequest> request;  ///< else: the next call
};

class BatchApi {
 public:
  virtual ~BatchApi() = default;
  virtual const BatchCapabilities& capabilities() const = 0;

  /// Appends one request line, with its newline. `first`: of its file (inline bodies put a comma
  /// before the others). Fails when this request cannot be in a batch; the message says why.
  virtual Status append_line(std::string& out, std::string_view custom_id, const Request& request,
                             bool first) const = 0;

  // Replies given to the functions below have status 2xx; other replies are classified by
  // Provider::parse_response(). A reply that is not understood is an error, whose message says what
  // was wrong.

  /// Only where uploads_file.
  virtual ApiRequest upload(const BatchDraft& draft) const = 0;
  /// `draft` is the same; the first reply leads to the file or to a second call.
  virtual Result<UploadStep> after_upload(const BatchDraft& draft,
                                          const HttpReply& reply) const = 0;
  virtual ApiRequest get_file(const std::string& id) const = 0;
  virtual Result<RemoteFile> parse_file(const HttpReply& reply) const = 0;
  /// Newest first where the provider can. `cursor`: of the page before; empty: the first page.
  virtual ApiRequest list_files(const std::string& cursor) const = 0;
  /// `cursor`: that of the page.
  virtual Result<FilePage> parse_files(const HttpReply& reply, const std::string& cursor) const = 0;
  /// The name that upload() gives the file: how it is found again.
  virtual std::string file_name(const BatchDraft& draft) const = 0;
  virtual ApiRequest delete_file(const std::string& id) const = 0;

  virtual ApiRequest create(const BatchDraft& draft) const = 0;
  virtual ApiRequest get(const std::string& id) const = 0;
  virtual ApiRequest cancel(const std::string& id) const = 0;
  /// Of create(), get() and cancel().
  virtual Result<RemoteBatch> parse_batch(const HttpReply& reply) const = 0;
  virtual ApiRequest list(const std::string& cursor) const = 0;
  virtual Result<BatchPage> parse_batches(const HttpReply& reply,
                                          const std::string& cursor) const = 0;
  /// True when this error reply to create() says that the account's queue is full.
  virtual bool says_queue_full(const HttpReply& reply) const = 0;

  /// `result`: of RemoteBatch::results.
  virtual ApiRequest download(const std::string& result) const = 0;
  /// One line of a result file (without its newline, not blank). Fails on a line that is not a
  /// result line.
  virtual Result<BatchAnswer> parse_answer(std::string_view line) const = 0;
};

}  // namespace llmbatch
