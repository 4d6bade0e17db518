// LineRequest: from a line to its id, request and request hash; the one way both the scan and the
// run go, so that they can never disagree. Thread rule: one thread each; buffers are reused.
#pragma once

#include <string>
#include <string_view>

#include "llmbatch/base/hash.h"
#include "llmbatch/input/line_parser.h"
#include "llmbatch/model/item.h"
#include "llmbatch/port/provider.h"

namespace llmbatch {

class LineRequest {
 public:
  LineRequest(const LineParserOptions& options, const Provider& provider)
      : parser_(options), provider_(provider), id_is_hash_(options.id_rule == IdRule::hash) {}

  /// Fails with the reason when the line cannot be used; id() is then set as far as it is known.
  Status build(const Line& line, Request& request) {
    auto parsed = parser_.parse(line, fields_);
    if (!parsed) return parsed;
    if (auto built = provider_.build_request(fields_, request); !built) return built;
    request_hash_ = provider_.request_hash(request);
    if (id_is_hash_) {
      hash_text_ = to_hex(request_hash_);
      fields_.id = hash_text_;
    }
    return {};
  }

  /// Valid until the next build().
  std::string_view id() const { return fields_.id; }
  const Hash128& request_hash() const { return request_hash_; }
  bool own_model() const { return provider_.has_own_model(fields_); }

 private:
  LineParser parser_;
  const Provider& provider_;
  bool id_is_hash_;
  LineFields fields_;
  Hash128 request_hash_;
  std::string hash_text_;
};

}  // namespace llmbatch
