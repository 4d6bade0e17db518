// ReviewInput: the input line of an item, from the database or from its place in the input file.
// Thread rule: one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "llmbatch/app/input_lines.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

class ReviewInput {
 public:
  /// `moved_to`: --input, which has to be readable. Otherwise a file that is not where it was is
  /// told with each line.
  static Result<std::unique_ptr<ReviewInput>> open(StoreReader& reader,
                                                   const std::optional<std::string>& moved_to);

  struct Found {
    std::optional<std::string> text;
    std::string missing;  ///< why there is no text
  };
  Result<Found> line_of(const ResultRow& row);

 private:
  ReviewInput() = default;
  std::optional<std::string> checked(std::string text, const ResultRow& row);
  Result<std::optional<std::string>> at_stored_place(const ResultRow& row);
  Result<std::optional<std::string>> at_line(std::uint64_t line);

  JobIdentity job_;
  std::string path_;
  std::string trouble_;  ///< why the file cannot be read
  UniqueFd file_;
  std::unique_ptr<InputLines> parser_;
  std::unique_ptr<InputLines> sequential_;  ///< for lines that are not at their stored place
  std::uint64_t next_line_ = 1;
};

}  // namespace llmbatch
