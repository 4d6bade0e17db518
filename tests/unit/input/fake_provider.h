// A provider that splices the prompt (or messages, or body) and knows nothing else; a temporary
// directory; an item index over a vector.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "llmbatch/input/line_reader.h"
#include "llmbatch/port/item_index.h"
#include "llmbatch/port/provider.h"

namespace llmbatch::testing {

class FakeProvider final : public Provider {
 public:
  Status build_request(const LineFields& line, Request& request) const override {
    for (const auto& field : line.fields) {
      if (field.name == "stream") return usage_error("'stream' cannot be used");
    }
    request.url = "http://x/v1";
    request.body = "{\"p\":";
    request.body += !line.body.empty()       ? line.body
                    : !line.messages.empty() ? line.messages
                                             : line.prompt;
    if (!line.system.empty()) request.body.append(",\"s\":").append(line.system);
    request.body += "}";
    return {};
  }
  void redact(std::string&) const override {}
  bool has_own_model(const LineFields& line) const override {
    for (const auto& field : line.fields) {
      if (field.name == "model") return true;
    }
    return false;
  }
  Outcome parse_response(const HttpReply&) const override { return {}; }
  Hash128 request_hash(const Request& request) const override { return hash128(request.body, 7); }
  std::vector<std::string> request_headers() const override { return {}; }
};

class VectorIndex final : public ItemIndex {
 public:
  std::vector<IndexRecord> records;
  bool empty() const override { return records.empty(); }
  std::uint64_t next_seq() const override {
    std::uint64_t next = 1;
    for (const auto& record : records) next = std::max(next, record.seq + 1);
    return next;
  }
  Status for_each(const std::function<void(const IndexRecord&)>& visit) const override {
    for (const auto& record : records) visit(record);
    return {};
  }
};

class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "llmbatch-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name, std::string_view content) const {
    const std::string path = path_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    return path;
  }

 private:
  std::string path_;
};

/// A text with the padding that parsers rely on.
class PaddedLine {
 public:
  explicit PaddedLine(std::string_view text, std::uint64_t number = 1) : text_(text) {
    size_ = text_.size();
    text_.append(kLinePaddingBytes, '\0');
    line_ = Line{std::string_view(text_).substr(0, size_), number, 0, false};
  }
  const Line& line() const { return line_; }

 private:
  std::string text_;
  std::size_t size_;
  Line line_;
};

}  // namespace llmbatch::testing
