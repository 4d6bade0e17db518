// LineReader: the lines of an input one after the other; ChunkReader below it cuts the bytes into
// chunks of whole lines, which several threads can split at the same time.
// Thread rule: one thread at a time each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "llmbatch/base/result.h"
#include "llmbatch/input/byte_source.h"
#include "llmbatch/input/page_buffer.h"

namespace llmbatch {

/// Readable bytes behind every line, for parsers that read in blocks.
inline constexpr std::size_t kLinePaddingBytes = 64;
/// A longer line cannot be used; its text is cut to kOverlongTextBytes.
inline constexpr std::size_t kMaxLineBytes = 256 * 1024 * 1024;
inline constexpr std::size_t kOverlongTextBytes = 64 * 1024;
inline constexpr std::size_t kDefaultChunkBytes = 256 * 1024;

/// One line without its end (LF or CRLF) and without the byte order mark of the file.
struct Line {
  std::string_view text;
  std::uint64_t number = 0;  ///< from 1
  std::uint64_t offset_bytes = 0;
  bool overlong = false;
};

/// True when there is nothing but spaces, tabs and carriage returns.
bool is_blank(std::string_view text);

/// Whole lines in a row. The last one of the input may lack its line end.
struct Chunk {
  PageBuffer buffer;
  std::size_t size_bytes = 0;
  std::uint64_t offset_bytes = 0;
  bool overlong = false;  ///< holds the beginning of one line that is too long
};

/// Splits a chunk; `number` is that of its first line. The chunk must outlive it.
class LineSplitter {
 public:
  LineSplitter() = default;
  LineSplitter(const Chunk& chunk, std::uint64_t number);

  bool next(Line& line);
  /// Passes over up to `count` lines; returns how many there were.
  std::uint64_t skip(std::uint64_t count);
  /// Lines that are left.
  std::uint64_t count() const;
  std::uint64_t next_number() const { return number_; }

 private:
  const Chunk* chunk_ = nullptr;
  std::size_t position_ = 0;
  std::uint64_t number_ = 1;
};

class ChunkReader {
 public:
  ChunkReader(std::unique_ptr<ByteSource> source, std::size_t chunk_bytes = kDefaultChunkBytes,
              std::size_t max_line_bytes = kMaxLineBytes)
      : source_(std::move(source)), chunk_bytes_(chunk_bytes), max_line_bytes_(max_line_bytes) {}

  /// Fills `chunk` (its buffer is reused, grows for a long line and shrinks again); false at the
  /// end.
  Result<bool> next(Chunk& chunk);
  /// The next chunk starts at `offset_bytes`, which must be that of a line.
  Status seek(std::uint64_t offset_bytes);
  bool seekable() const { return source_->seekable(); }
  std::uint64_t consumed_bytes() const { return source_->consumed_bytes(); }

 private:
  void begin(Chunk& chunk);
  Result<bool> fill(Chunk& chunk);
  void keep_tail(Chunk& chunk, std::size_t whole_bytes);
  Status drop_rest_of_line(Chunk& chunk);

  std::unique_ptr<ByteSource> source_;
  std::size_t chunk_bytes_;
  std::size_t max_line_bytes_;
  PageBuffer carry_;  ///< the beginning of the line that the last chunk did not end
  std::size_t carry_bytes_ = 0;
  std::uint64_t offset_bytes_ = 0;
  bool ended_ = false;
};

class LineReader {
 public:
  explicit LineReader(std::unique_ptr<ByteSource> source,
                      std::size_t chunk_bytes = kDefaultChunkBytes,
                      std::size_t max_line_bytes = kMaxLineBytes)
      : chunks_(std::move(source), chunk_bytes, max_line_bytes) {}
  LineReader(const LineReader&) = delete;
  LineReader& operator=(const LineReader&) = delete;

  /// Fills `line`, whose text is valid until the next call; false at the end.
  Result<bool> next(Line& line);
  /// Passes over `count` lines, counting line ends only; returns how many there were.
  Result<std::uint64_t> skip(std::uint64_t count);
  /// The next line is line `number`, which starts at `offset_bytes`.
  Status seek(std::uint64_t offset_bytes, std::uint64_t number);
  bool seekable() const { return chunks_.seekable(); }
  /// How often bytes were read from the source: lines of one load are of one moment.
  std::uint64_t loads() const { return loads_; }

 private:
  Result<bool> load();

  ChunkReader chunks_;
  Chunk chunk_;
  LineSplitter splitter_;
  std::uint64_t number_ = 1;
  std::uint64_t loads_ = 0;
};

}  // namespace llmbatch
