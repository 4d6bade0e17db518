#include "response_codec.h"

#include <zstd.h>

namespace llmbatch {
namespace {

constexpr int kLevel = 1;
constexpr std::size_t kKeptBufferBytes = 256 * 1024;
constexpr std::uint64_t kMaxResponseBytes = std::uint64_t{1} << 30U;

}  // namespace

ResponseEncoder::ResponseEncoder() : context_(ZSTD_createCCtx()) {}

ResponseEncoder::~ResponseEncoder() { ZSTD_freeCCtx(context_); }

EncodedResponse ResponseEncoder::encode(std::string_view response) {
  const EncodedResponse plain{ResponseEncoding::plain, response};
  if (response.size() < kMinCompressedBytes || context_ == nullptr) return plain;
  const std::size_t bound = ZSTD_compressBound(response.size());
  if (buffer_.size() > kKeptBufferBytes && bound <= kKeptBufferBytes) {
    // One huge answer must not be paid for in memory for the rest of the run.
    std::string().swap(buffer_);
  }
  if (buffer_.size() < bound) buffer_.resize(bound);
  const std::size_t size = ZSTD_compressCCtx(context_, buffer_.data(), buffer_.size(),
                                             response.data(), response.size(), kLevel);
  if (ZSTD_isError(size) != 0 || size >= response.size()) return plain;
  return {ResponseEncoding::zstd, std::string_view(buffer_).substr(0, size)};
}

Result<std::string> decode_response(ResponseEncoding encoding, std::string_view bytes) {
  if (encoding == ResponseEncoding::plain) return std::string(bytes);
  const unsigned long long size = ZSTD_getFrameContentSize(bytes.data(), bytes.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN ||
      size > kMaxResponseBytes) {
    return failure("stored response: not a zstd frame of known size");
  }
  std::string response(size, '\0');
  const std::size_t got =
      ZSTD_decompress(response.data(), response.size(), bytes.data(), bytes.size());
  if (ZSTD_isError(got) != 0 || got != size) {
    return failure("stored response: damaged zstd frame");
  }
  return response;
}

}  // namespace llmbatch
