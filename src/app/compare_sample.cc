#include "llmbatch/app/compare_sample.h"

#include <fmt/core.h>

#include <map>
#include <utility>

#include "llmbatch/app/run_plan.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/base/text.h"
#include "llmbatch/input/line_reader.h"

namespace llmbatch {
namespace {

class Draw {
 public:
  Draw(const AnswerScorer& scorer, std::size_t size, std::uint64_t seed)
      : scorer_(scorer), size_(size), seed_(seed) {}

  /// `id` is empty where ids are made from the line's place or content.
  void offer(const Line& line, std::string_view id) {
    ++usable;
    CompareItem item;
    if (!scorer_.rule().expected_field.empty()) {
      item.expected = scorer_.expected(line.text);
      if (!item.expected) return;
    }
    ++eligible;
    const Hash128 rank = hash128(id.empty() ? line.text : id, seed_);
    if (drawn_.size() == size_ && rank >= drawn_.rbegin()->first) return;
    item.id = id;
    item.line = static_cast<std::int64_t>(line.number);
    item.input = line.text;
    drawn_.try_emplace(rank, std::move(item));
    if (drawn_.size() > size_) drawn_.erase(std::prev(drawn_.end()));
  }

  std::vector<CompareItem> take() {
    std::vector<CompareItem> items;
    items.reserve(drawn_.size());
    for (auto& [rank, item] : drawn_) items.push_back(std::move(item));
    return items;
  }

  std::int64_t usable = 0;
  std::int64_t eligible = 0;

 private:
  const AnswerScorer& scorer_;
  std::size_t size_;
  std::uint64_t seed_;
  std::map<Hash128, CompareItem> drawn_;
};

}  // namespace

Result<CompareSample> draw_sample(const InputFile& input, const RunInputOptions& options,
                                  const AnswerScorer& scorer, std::int64_t size,
                                  std::uint64_t seed) {
  auto parser_options = line_parser_options(options);
  if (!parser_options) return forward_error(parser_options);
  const bool own_ids = parser_options->id_rule == IdRule::field;
  // A record's fields are the template's; what it calls `model` is not a request field.
  const bool records = parser_options->prompt != nullptr;
  LineParser parser(std::move(*parser_options));
  auto bytes = input.bytes();
  if (!bytes) return forward_error(bytes);
  LineReader reader(std::move(*bytes));
  Draw draw(scorer, static_cast<std::size_t>(size), seed);
  CompareSample sample;
  Line line;
  LineFields fields;
  for (;;) {
    const Result<bool> more = reader.next(line);
    if (!more) return forward_error(more);
    if (!*more) break;
    if (is_blank(line.text)) continue;
    const Status parsed = parser.parse(line, fields);
    if (parsed) {
      draw.offer(line, own_ids ? fields.id : std::string_view());
    } else if (sample.unusable++ == 0) {
      sample.first_unusable =
          fmt::format("{}:{}: {}", input.name(), line.number, parsed.error().message);
    }
  }
  sample.usable = draw.usable;
  sample.eligible = draw.eligible;
  sample.items = draw.take();
  for (CompareItem& item : sample.items) {
    if (item.id.empty()) item.id = fmt::format("line {}", item.line);
    const auto stripped = records ? std::nullopt : without_own_model(item.input);
    if (stripped) ++sample.own_model;
    sample.text += stripped ? *stripped : item.input;
    sample.text += '\n';
  }
  return sample;
}

}  // namespace llmbatch
