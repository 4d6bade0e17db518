// RequestBuilder: splices a line's raw JSON into the body of one wire format; nothing is parsed
// that need not be. Thread rule: const and safe from any thread.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/base/hash.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/item.h"
#include "llmbatch/provider/make_provider.h"
#include "request_fields.h"

namespace llmbatch {

class RequestBuilder {
 public:
  /// `base_url` as effective_base_url returns it.
  static Result<RequestBuilder> make(const ProviderConfig& config, std::string base_url);

  Status build(const LineFields& line, Request& request) const;
  bool has_own_model(const LineFields& line) const;
  Hash128 hash(const Request& request) const;

 private:
  RequestBuilder(Parameters parameters, Parameters without_format)
      : parameters_(std::move(parameters)), without_format_(std::move(without_format)) {}

  Status build_batch_line(const LineFields& line, Request& request) const;
  void name_model(std::string_view raw, std::string& name) const;
  Status set_batch_url(const LineFields& line, Request& request) const;
  Status append_content(const LineFields& line, std::string& body) const;
  Status append_chat(const LineFields& line, std::string& body) const;
  Status append_input(const LineFields& line, std::string& body) const;
  Status append_anthropic(const LineFields& line, std::string& body) const;
  Status append_gemini(const LineFields& line, std::string& body) const;
  bool append_marked_prompt(const LineFields& line, std::string& body) const;
  void set_url(std::string& url, std::string_view path) const;
  bool same_model(std::string_view raw_model) const;

  WireFormat format_ = WireFormat::openai_chat;
  std::string identity_;       ///< wire format and profile, or the base URL where there is none
  std::string base_;           ///< base URL without its query
  std::string query_;          ///< `?api-version=...`, or empty
  std::string url_;            ///< complete, for the job's own model
  std::string model_name_;     ///< the job's model as text, for Request::model
  std::string model_;          ///< raw JSON string, empty when the job names none
  std::string system_;         ///< raw JSON string, empty when there is none
  bool model_in_url_ = false;  ///< the deployment is part of the base URL (Azure)
  std::string shared_prompt_;  ///< inside a JSON string: what prompts begin with, to be marked
  bool mark_system_ = false;
  Parameters parameters_;
  Parameters without_format_;  ///< without the job's answer format
  /// The answer format goes only with messages that say the word JSON.
  bool format_needs_word_ = false;
};

}  // namespace llmbatch
