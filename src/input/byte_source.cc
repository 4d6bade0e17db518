#include "llmbatch/input/byte_source.h"

#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <utility>

#include "llmbatch/input/page_buffer.h"

namespace llmbatch {
namespace {

constexpr std::size_t kCompressedChunkBytes = 64 * 1024;

class PlainSource final : public ByteSource {
 public:
  PlainSource(std::shared_ptr<const UniqueFd> fd, std::string name)
      : fd_(std::move(fd)), name_(std::move(name)) {}

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    auto count = pread_all(fd_->get(), buffer, size, offset_bytes_);
    if (!count) return usage_error(name_ + ": cannot be read: " + count.error().message);
    offset_bytes_ += *count;
    return *count;
  }
  bool seekable() const override { return true; }
  Status seek(std::uint64_t offset_bytes) override {
    offset_bytes_ = offset_bytes;
    return {};
  }
  std::uint64_t consumed_bytes() const override { return offset_bytes_; }

 private:
  std::shared_ptr<const UniqueFd> fd_;
  std::string name_;
  std::uint64_t offset_bytes_ = 0;
};

/// What gzip and zstd have in common: a buffer of compressed bytes, and seeking by starting again.
class CompressedSource : public ByteSource {
 public:
  CompressedSource(std::shared_ptr<const UniqueFd> fd, std::string name)
      : file_(std::move(fd), name), name_(std::move(name)), buffer_(kCompressedChunkBytes) {}

  bool seekable() const override { return false; }

  Status seek(std::uint64_t offset_bytes) override {
    if (auto rewound = file_.seek(0); !rewound) return rewound;
    available_ = 0;
    position_ = 0;
    restart();
    PageBuffer skipped(kCompressedChunkBytes);
    while (offset_bytes > 0) {
      const auto want = std::min<std::uint64_t>(offset_bytes, skipped.size());
      auto count = read(skipped.data(), want);
      if (!count) return forward_error(count);
      if (*count == 0) return usage_error(name_ + ": ends before the place to go on from");
      offset_bytes -= *count;
    }
    return {};
  }

  std::uint64_t consumed_bytes() const override { return file_.consumed_bytes(); }

 protected:
  virtual void restart() = 0;

  /// Makes more compressed bytes available; false at the end of the file.
  Result<bool> refill() {
    auto count = file_.read(buffer_.data(), buffer_.size());
    if (!count) return forward_error(count);
    position_ = 0;
    available_ = *count;
    return *count > 0;
  }
  tl::unexpected<Error> broken(std::string_view format, std::string_view why) const {
    return usage_error(name_ + ": broken " + std::string(format) + " data: " + std::string(why));
  }
  const char* pending() const { return buffer_.data() + position_; }
  std::size_t pending_size() const { return available_ - position_; }
  void take(std::size_t size) { position_ += size; }

 private:
  PlainSource file_;
  std::string name_;
  PageBuffer buffer_;
  std::size_t available_ = 0;
  std::size_t position_ = 0;
};

class GzipSource final : public CompressedSource {
 public:
  using CompressedSource::CompressedSource;
  ~GzipSource() override {
    if (ready_) inflateEnd(&stream_);
  }

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(buffer);
    stream_.avail_out = static_cast<uInt>(std::min<std::size_t>(size, 1U << 30));
    const std::size_t wanted = stream_.avail_out;
    while (stream_.avail_out == wanted && !ended_) {
      if (pending_size() == 0) {
        auto more = refill();
        if (!more) return forward_error(more);
        if (!*more) {
          if (in_member_) return broken("gzip", "the file ends early");
          ended_ = true;
          break;
        }
      }
      if (!in_member_) {
        if (auto begun = begin_member(); !begun) return forward_error(begun);
        if (!in_member_) continue;
      }
      if (auto inflated = inflate_some(); !inflated) return forward_error(inflated);
    }
    return wanted - stream_.avail_out;
  }

 private:
  void restart() override {
    in_member_ = false;
    ended_ = false;
    first_member_ = true;
  }

  /// Zeros behind the last member are padding, as on tapes; anything else is damage.
  Status begin_member() {
    const char* next = pending();
    if (!first_member_ && *next == '\0') {
      take(1);
      return {};
    }
    if (!first_member_ && static_cast<unsigned char>(*next) != 0x1f) {
      return broken("gzip", "something else follows its end");
    }
    constexpr int kGzipOnly = MAX_WBITS + 16;
    const int code = ready_ ? inflateReset(&stream_) : inflateInit2(&stream_, kGzipOnly);
    if (code != Z_OK) return broken("gzip", "zlib cannot start");
    ready_ = true;
    in_member_ = true;
    first_member_ = false;
    return {};
  }

  Status inflate_some() {
    stream_.next_in = reinterpret_cast<z_const Bytef*>(const_cast<char*>(pending()));
    stream_.avail_in = static_cast<uInt>(pending_size());
    const int code = inflate(&stream_, Z_NO_FLUSH);
    take(pending_size() - stream_.avail_in);
    if (code == Z_STREAM_END) {
      in_member_ = false;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return broken("gzip", stream_.msg != nullptr ? stream_.msg : "not readable");
    }
    return {};
  }

  z_stream stream_{};
  bool ready_ = false;
  bool in_member_ = false;
  bool first_member_ = true;
  bool ended_ = false;
};

class ZstdSource final : public CompressedSource {
 public:
  using CompressedSource::CompressedSource;

  Result<std::size_t> read(char* buffer, std::size_t size) override {
    if (!stream_) return broken("zstd", "out of memory");
    ZSTD_outBuffer output{buffer, size, 0};
    while (output.pos == 0 && !ended_) {
      if (pending_size() == 0 && !flushing_) {
        auto more = refill();
        if (!more) return forward_error(more);
        if (!*more) {
          if (in_frame_) return broken("zstd", "the file ends early");
          ended_ = true;
          break;
        }
      }
      ZSTD_inBuffer input{pending(), pending_size(), 0};
      const std::size_t code = ZSTD_decompressStream(stream_.get(), &output, &input);
      if (ZSTD_isError(code) != 0) return broken("zstd", ZSTD_getErrorName(code));
      take(input.pos);
      in_frame_ = code != 0;
      // A full output buffer may leave decoded bytes inside the decoder that need no more input.
      flushing_ = in_frame_ && output.pos == output.size;
    }
    return output.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* stream) const { ZSTD_freeDStream(stream); }
  };
  void restart() override {
    ZSTD_DCtx_reset(stream_.get(), ZSTD_reset_session_only);
    in_frame_ = false;
    flushing_ = false;
    ended_ = false;
  }

  std::unique_ptr<ZSTD_DStream, Free> stream_{ZSTD_createDStream()};
  bool in_frame_ = false;
  bool flushing_ = false;
  bool ended_ = false;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> make_byte_source(std::shared_ptr<const UniqueFd> fd,
                                                     std::string name) {
  constexpr std::string_view kGzipMagic = "\x1f\x8b";
  constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
  std::array<char, 4> start{};
  auto count = pread_all(fd->get(), start.data(), start.size(), 0);
  if (!count) return usage_error(name + ": cannot be read: " + count.error().message);
  const std::string_view magic(start.data(), *count);
  std::unique_ptr<ByteSource> source;
  if (magic.starts_with(kGzipMagic)) {
    source = std::make_unique<GzipSource>(std::move(fd), std::move(name));
  } else if (magic == kZstdMagic) {
    source = std::make_unique<ZstdSource>(std::move(fd), std::move(name));
  } else {
    source = std::make_unique<PlainSource>(std::move(fd), std::move(name));
  }
  return source;
}

}  // namespace llmbatch
