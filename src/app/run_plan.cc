#include "llmbatch/app/run_plan.h"

#include <fmt/format.h>

#include <csignal>
#include <utility>

#include "llmbatch/base/text.h"
#include "llmbatch/input/chosen_lines.h"
#include "llmbatch/input/file_item_source.h"
#include "llmbatch/input/scan.h"

namespace llmbatch {
namespace {

constexpr std::string_view kFieldRule = "field:";
/// The same items for the same file; a second pilot draws from what is left.
constexpr std::uint64_t kPilotSeed = 90;

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::shared_ptr<const PromptTemplate>> parse_template(
    const std::optional<TextSource>& source, const std::string& name) {
  if (!source) return nullptr;
  Result<PromptTemplate> parsed =
      PromptTemplate::parse(source->text, source->file.empty() ? name : source->file);
  if (!parsed) return forward_error(parsed);
  return std::make_shared<const PromptTemplate>(std::move(*parsed));
}

/// Adds to each item how often earlier runs tried it, and leaves out what is in a provider batch
/// unless that is wanted.
class StoredProgressSource final : public ItemSource {
 public:
  StoredProgressSource(std::unique_ptr<ItemSource> items, StoreReader& reader, Submitted submitted)
      : items_(std::move(items)), reader_(reader), submitted_(submitted) {}

  Result<bool> next(Item& item) override {
    for (;;) {
      Result<bool> more = items_->next(item);
      if (!more || !*more) return more;
      const auto progress = reader_.progress_of(item.seq);
      if (!progress) return forward_error(progress);
      // Answered since the plan was read.
      if (is_final(progress->state)) continue;
      item.attempts = progress->attempts;
      if (submitted_ == Submitted::included || progress->state != ItemState::submitted) {
        return true;
      }
    }
  }
  std::uint64_t next_line() const override { return items_->next_line(); }
  bool has_repeats() const override { return items_->has_repeats(); }

 private:
  std::unique_ptr<ItemSource> items_;
  StoreReader& reader_;
  Submitted submitted_;
};

StateCounts counts_before_run(const ScanCounts& counts) {
  StateCounts items;
  for (std::size_t state = 0; state < counts.done_by_state.size(); ++state) {
    items.by_state[state] = static_cast<std::int64_t>(counts.done_by_state[state]);
  }
  items[ItemState::pending] += static_cast<std::int64_t>(counts.todo);
  items[ItemState::invalid] += static_cast<std::int64_t>(counts.invalid);
  return items;
}

Status rewind(RunPlan& plan) {
  if (plan.repeats) {
    if (Status back = plan.repeats->rewind(); !back) return back;
  }
  return plan.lines->rewind();
}

RunPlan stored_plan(const StoredInput& stored, InputIdentity identity, StoreReader& reader) {
  RunPlan plan;
  plan.identity = std::move(identity);
  plan.unchanged = true;
  plan.counts = stored.counts;
  plan.items = stored.items;
  plan.start.line = 1;
  if (stored.known_place) plan.start = *stored.known_place;
  plan.lines = reader.remaining_plan(plan.start.line);
  return plan;
}

}  // namespace

std::uint64_t items_to_do(const StateCounts& items) {
  return static_cast<std::uint64_t>(items.total() - items.finished());
}

bool stop_signal_pending() {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
         sigismember(&pending, SIGHUP) == 1;
}

Result<LineParserOptions> line_parser_options(const RunInputOptions& options) {
  LineParserOptions lines;
  const std::string_view rule = options.id_rule;
  if (rule == "line") lines.id_rule = IdRule::line;
  if (rule == "hash") lines.id_rule = IdRule::hash;
  if (rule.starts_with(kFieldRule)) lines.id_field = rule.substr(kFieldRule.size());
  auto prompt = parse_template(options.prompt, "--prompt");
  if (!prompt) return forward_error(prompt);
  lines.prompt = *prompt;
  if (lines.prompt) {
    auto system = parse_template(options.system, "--system");
    if (!system) return forward_error(system);
    lines.system = *system;
  }
  return lines;
}

Result<RunPlan> make_run_plan(const RunOptions& options, const InputFile& input,
                              const Provider& provider, StoreReader& reader, bool force_scan,
                              ScanHooks hooks) {
  Result<InputIdentity> identity = input.identity();
  if (!identity) return forward_error(identity);
  const Result<std::optional<StoredInput>> stored = reader.last_input();
  if (!stored) return forward_error(stored);
  // --strict has to name the lines; --retry has to find the items.
  const bool scan_wanted = force_scan || !options.errors.retry_states.empty() ||
                           (options.input.strict && *stored && (*stored)->counts.invalid > 0);
  if (!scan_wanted && *stored && (*stored)->has_line_map && (*stored)->identity == *identity) {
    return stored_plan(**stored, std::move(*identity), reader);
  }
  Result<LineParserOptions> lines = line_parser_options(options.input);
  if (!lines) return forward_error(lines);
  ScanOptions scan;
  scan.lines = std::move(*lines);
  for (const ItemState state : options.errors.retry_states) {
    scan.retry[static_cast<std::size_t>(state)] = true;
  }
  scan.temporary_directory = directory_of(options.input.database);
  scan.on_progress = std::move(hooks.on_progress);
  scan.on_request = std::move(hooks.on_request);
  scan.cancelled = stop_signal_pending;
  Result<ScanResult> result = scan_input(input, provider, reader.index(), scan);
  if (!result) return forward_error(result);
  RunPlan plan;
  plan.identity = std::move(*identity);
  plan.lines = std::move(result->plan);
  plan.invalid = std::move(result->invalid);
  plan.repeats = std::move(result->repeats);
  plan.counts = result->counts;
  plan.items = counts_before_run(result->counts);
  return plan;
}

Result<std::unique_ptr<ItemSource>> open_lines(const RunOptions& options, const InputFile& input,
                                               const Provider& provider,
                                               std::unique_ptr<LineRunStream> lines,
                                               const RunPlan& plan,
                                               std::unique_ptr<LineRunStream> repeats) {
  Result<LineParserOptions> parser = line_parser_options(options.input);
  if (!parser) return forward_error(parser);
  FileItemSourceOptions source_options;
  source_options.lines = std::move(*parser);
  source_options.identity = plan.identity;
  source_options.store_input = options.input.store_input || input.spooled() || input.compressed();
  if (plan.unchanged) {
    source_options.start_line = plan.start.line;
    source_options.start_offset_bytes = plan.start.offset_bytes;
  }
  source_options.repeats = std::move(repeats);
  auto items = FileItemSource::open(input, provider, std::move(lines), std::move(source_options));
  if (!items) return forward_error(items);
  return std::unique_ptr<ItemSource>(std::move(*items));
}

Result<std::unique_ptr<ItemSource>> open_items(const RunOptions& options, const InputFile& input,
                                               const Provider& provider, StoreReader& reader,
                                               RunPlan& plan, Submitted submitted) {
  if (plan.unchanged) {
    auto repeats = reader.repeats(plan.start.line);
    if (!repeats) return forward_error(repeats);
    plan.repeats = std::move(*repeats);
  } else if (const Status back = rewind(plan); !back) {
    return forward_error(back);
  }
  const Result<JobTotals> totals = reader.totals();
  if (!totals) return forward_error(totals);
  if (options.pilot > 0) {
    plan.lines = std::make_unique<ChosenLines>(
        std::move(plan.lines),
        draw_ordinals(items_to_do(plan.items), static_cast<std::uint64_t>(options.pilot),
                      kPilotSeed));
  }
  auto items = open_lines(options, input, provider, std::move(plan.lines), plan,
                          options.reuse.enabled ? std::move(plan.repeats) : nullptr);
  if (!items) return items;
  if (options.pilot > 0) {
    const std::uint64_t first_line = plan.unchanged ? plan.start.line : 1;
    *items = std::make_unique<ChosenItems>(std::move(*items), first_line);
  }
  const auto batches = reader.batches();
  if (!batches) return forward_error(batches);
  if (totals->attempts == 0 && batches->empty()) return items;
  return std::unique_ptr<ItemSource>(
      std::make_unique<StoredProgressSource>(std::move(*items), reader, submitted));
}

RunPlan remaining_plan(const RunPlan& plan, StoreReader& reader) {
  RunPlan rest;
  rest.identity = plan.identity;
  rest.unchanged = true;
  rest.counts = plan.counts;
  rest.items = plan.items;
  rest.start.line = 1;
  rest.lines = reader.remaining_plan(1);
  return rest;
}

Result<std::vector<std::string>> describe_invalid_lines(InvalidLineStream& lines,
                                                        const std::string& input,
                                                        std::uint64_t total, std::size_t limit) {
  std::vector<std::string> texts;
  InvalidLine line;
  while (texts.size() < limit) {
    const Result<bool> more = lines.next(line);
    if (!more) return forward_error(more);
    if (!*more) break;
    texts.push_back(
        fmt::format("{}:{}: {}", input, line.line, sanitize_for_terminal(line.message)));
  }
  if (total > texts.size()) {
    texts.push_back(fmt::format("{}: and {} more lines that cannot be used", input,
                                group_digits(static_cast<std::int64_t>(total - texts.size()))));
  }
  return texts;
}

}  // namespace llmbatch
