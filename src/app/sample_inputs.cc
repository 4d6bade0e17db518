#include "llmbatch/app/sample_inputs.h"

#include <sys/stat.h>

#include "llmbatch/app/input_lines.h"

namespace llmbatch {
namespace {

/// Longer lines are not worth reading for an excerpt.
constexpr std::uint32_t kLongestLineBytes = 16U << 20U;

/// Opening a FIFO would wait for its writer.
bool is_regular_file(const std::string& path) {
  struct stat info {};
  return path != "-" && ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

}  // namespace

void add_input_lines(const std::string& input_path, const JobIdentity& job,
                     std::vector<ProblemSample>& samples) {
  if (!is_regular_file(input_path)) return;
  const auto file = InputFile::open(input_path, ".");
  const auto lines = InputLines::open(std::nullopt, job);
  if (!file || !lines || file->compressed()) return;
  for (ProblemSample& sample : samples) {
    const InputPlace& place = sample.place;
    if (sample.input || place.length_bytes == 0 || place.length_bytes > kLongestLineBytes) continue;
    auto text = file->fetch(place);
    if (!text) continue;
    auto found = (*lines)->parse(std::move(*text), place.line);
    if (found && found->id == sample.id && found->request_hash == sample.request_hash) {
      sample.input = std::move(found->text);
    }
  }
}

}  // namespace llmbatch
