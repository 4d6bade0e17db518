// InputLines: the original lines and requests of stored items, read again from the input for
// `export --with input,request`. Asked in rising line order. Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "llmbatch/app/environment.h"
#include "llmbatch/input/input_file.h"
#include "llmbatch/input/line_parser.h"
#include "llmbatch/input/line_reader.h"
#include "llmbatch/model/job.h"
#include "llmbatch/port/provider.h"

namespace llmbatch {

/// The provider that a stored job's requests were built with; it has no key and cannot send.
Result<std::unique_ptr<Provider>> provider_of_job(const JobIdentity& job);

class InputLines {
 public:
  /// `path` absent: only texts that the database stores are parsed.
  static Result<std::unique_ptr<InputLines>> open(const std::optional<std::string>& path,
                                                  const JobIdentity& job);

  struct Found {
    std::string text;
    std::string id;
    std::string request_body;
    Hash128 request_hash;
  };
  /// The line `number`; absent past the end of the input.
  Result<std::optional<std::string>> text(std::uint64_t number);
  /// What was or would be sent for a line; absent when it cannot be used.
  std::optional<Found> parse(std::string text, std::uint64_t number);

 private:
  InputLines(std::unique_ptr<Provider> provider, const LineParserOptions& options);

  std::unique_ptr<Provider> provider_;
  LineParser parser_;
  IdRule id_rule_;
  std::unique_ptr<LineReader> reader_;
  std::uint64_t next_ = 1;
  Request request_;
};

}  // namespace llmbatch
