// OpenAI's files and batches, as a base of what Together and Mistral made of them.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "batch_dialect.h"
#include "batch_json.h"

namespace llmbatch {

/// The member of a batch's metadata that holds its tag.
inline constexpr const char* kBatchTagName = "llmbatch";

std::string json_string(std::string_view text);

class OpenAiBatchApi : public BatchApi {
 public:
  explicit OpenAiBatchApi(BatchApiConfig config) : config_(std::move(config)) {}

  const BatchCapabilities& capabilities() const override { return config_.dialect.limits; }

  Status append_line(std::string& out, std::string_view custom_id, const Request& request,
                     bool first) const override;

  std::string file_name(const BatchDraft& draft) const override { return draft.tag + ".jsonl"; }
  ApiRequest upload(const BatchDraft& draft) const override;
  Result<UploadStep> after_upload(const BatchDraft& draft, const HttpReply& reply) const override;
  ApiRequest get_file(const std::string& id) const override;
  ApiRequest delete_file(const std::string& id) const override;
  Result<RemoteFile> parse_file(const HttpReply& reply) const override;
  ApiRequest list_files(const std::string& cursor) const override;
  Result<FilePage> parse_files(const HttpReply& reply, const std::string& cursor) const override;

  ApiRequest create(const BatchDraft& draft) const override;
  ApiRequest get(const std::string& id) const override;
  ApiRequest cancel(const std::string& id) const override;
  ApiRequest list(const std::string& cursor) const override;
  Result<RemoteBatch> parse_batch(const HttpReply& reply) const override;
  Result<BatchPage> parse_batches(const HttpReply& reply, const std::string& cursor) const override;
  bool says_queue_full(const HttpReply& reply) const override;

  ApiRequest download(const std::string& result) const override;
  Result<BatchAnswer> parse_answer(std::string_view line) const override;

 protected:
  std::string url(std::string_view path, std::string_view query = {}) const {
    return api_url(config_.base_url, path, query);
  }
  std::string line_path() const;
  ApiRequest create_call(std::string_view path, std::string body) const;
  virtual RemoteBatch read_batch(const Json& object) const;

  // For read_batch(): id, state and tag; the ids of result files; whether the queue was full.
  static RemoteBatch read_identity(const Json& object);
  static void add_results(const Json& object, std::span<const char* const> names,
                          RemoteBatch& batch);
  static void find_full_queue(RemoteBatch& batch);

 private:
  static void read_errors(const Json& object, RemoteBatch& batch);

  BatchApiConfig config_;
};

std::unique_ptr<BatchApi> make_mistral_batch_api(BatchApiConfig config);

}  // namespace llmbatch
