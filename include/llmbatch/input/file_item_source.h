// FileItemSource: the items a line plan says are to be run, read from the input in line order.
// Thread rule: one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "llmbatch/input/input_file.h"
#include "llmbatch/input/line_parser.h"
#include "llmbatch/input/line_reader.h"
#include "llmbatch/port/item_source.h"
#include "llmbatch/port/line_plan.h"
#include "llmbatch/port/provider.h"

namespace llmbatch {

class LineRequest;

struct FileItemSourceOptions {
  LineParserOptions lines;
  bool store_input = false;  ///< fill Item::input_text
  /// Lines below this one need nothing.
  std::uint64_t start_line = 1;
  /// Where it starts, if that is known (0: it is not); sought in plain files, else the lines before
  /// it are passed over.
  std::uint64_t start_offset_bytes = 0;
  /// Lines at and behind start_line that need nothing although the plan has them; ascending.
  std::vector<std::uint64_t> done_lines;
  /// Lines whose request an earlier item has, see Item::same_as; null: none.
  std::shared_ptr<LineRunStream> repeats;
  std::size_t chunk_bytes = kDefaultChunkBytes;
  /// The input as it was scanned; next() fails once it is another one.
  std::optional<InputIdentity> identity;
};

class FileItemSource final : public ItemSource {
 public:
  /// `provider` must outlive the source. The plan is read from where it stands.
  static Result<std::unique_ptr<FileItemSource>> open(const InputFile& input,
                                                      const Provider& provider,
                                                      std::unique_ptr<LineRunStream> plan,
                                                      FileItemSourceOptions options);
  ~FileItemSource() override;

  Result<bool> next(Item& item) override;
  std::uint64_t next_line() const override { return next_line_; }
  bool has_repeats() const override { return options_.repeats != nullptr; }

 private:
  FileItemSource(const InputFile& input, const Provider& provider,
                 std::unique_ptr<LineRunStream> plan, FileItemSourceOptions options,
                 std::unique_ptr<ByteSource> bytes);

  Result<bool> find_todo();
  bool is_done(std::uint64_t line);
  Result<std::uint64_t> same_as();
  Status read_item(std::uint64_t seq, Item& item);
  tl::unexpected<Error> changed() const;

  InputFile input_;
  std::string name_;
  FileItemSourceOptions options_;
  std::unique_ptr<LineRunStream> plan_;
  LineReader reader_;
  std::unique_ptr<LineRequest> request_;
  LineRun run_;
  LineRun repeat_;  ///< of options_.repeats: the one at or behind next_line_
  std::uint64_t next_line_;
  std::uint64_t reader_line_ = 1;    ///< the line that reader_ reads next
  std::size_t next_done_ = 0;        ///< into done_lines
  std::uint64_t checked_loads_ = 0;  ///< reader_.loads() when the identity was last compared
};

}  // namespace llmbatch
