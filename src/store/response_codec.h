// Raw responses as they are stored: large ones zstd compressed, small ones as they came (below
// about 1 KiB compressing costs more time than the bytes it saves). Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"

struct ZSTD_CCtx_s;

namespace llmbatch {

/// Numbers are stored in the database: never renumber.
enum class ResponseEncoding : std::uint8_t { plain = 0, zstd = 1 };

struct EncodedResponse {
  ResponseEncoding encoding = ResponseEncoding::plain;
  std::string_view bytes;  ///< of the argument or of the encoder, until its next call
};

class ResponseEncoder {
 public:
  static constexpr std::size_t kMinCompressedBytes = 1024;

  ResponseEncoder();
  ~ResponseEncoder();
  ResponseEncoder(const ResponseEncoder&) = delete;
  ResponseEncoder& operator=(const ResponseEncoder&) = delete;

  EncodedResponse encode(std::string_view response);

 private:
  ZSTD_CCtx_s* context_ = nullptr;
  std::string buffer_;
};

/// The response as it came. Fails on damaged bytes.
Result<std::string> decode_response(ResponseEncoding encoding, std::string_view bytes);

}  // namespace llmbatch
