#include "review_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <span>

#include "llmbatch/app/output_target.h"
#include "llmbatch/base/text.h"
#include "llmbatch/policy/proportion.h"

namespace llmbatch {
namespace {

constexpr std::size_t kStates = std::size(kReviewedStates);
constexpr std::size_t kNotesShown = 10;
constexpr std::size_t kNoteChars = 200;

std::size_t stratum_of(ItemState state) {
  const auto* found = std::find(std::begin(kReviewedStates), std::end(kReviewedStates), state);
  return static_cast<std::size_t>(found - std::begin(kReviewedStates));
}

bool is_judged(const std::optional<Verdict>& verdict) {
  return verdict && *verdict != Verdict::skip;
}

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string interval_text(const ShareInterval& interval) {
  return fmt::format("{:.1f} to {:.1f} %", interval.low * 100, interval.high * 100);
}

}  // namespace

Result<ReviewOptions> make_review_options(const Settings& settings, std::string database,
                                          const Environment& environment) {
  ReviewOptions options;
  options.database = std::move(database);
  for (const std::string& name : settings.list("state")) {
    const auto state = parse_item_state(name);
    if (state &&
        std::find(options.states.begin(), options.states.end(), *state) == options.states.end()) {
      options.states.push_back(*state);
    }
  }
  options.size_text = settings.text("sample");
  const auto size = parse_sample_size(options.size_text);
  if (!size) {
    return usage_error(
        fmt::format("--sample: '{}' is neither a percentage (1%) nor a number of items (200)",
                    sanitize_for_terminal(options.size_text)));
  }
  options.size = *size;
  options.whole_states =
      !options.states.empty() && settings.origin("sample").kind != OriginKind::flag;
  if (options.states.empty()) {
    options.states.assign(std::begin(kReviewedStates), std::end(kReviewedStates));
  }
  options.seed = static_cast<std::uint64_t>(settings.integer("seed"));
  options.input = settings.optional_text("input");
  options.reviewer = settings.text("reviewer");
  for (const char* variable : {"USER", "LOGNAME"}) {
    if (options.reviewer.empty()) {
      options.reviewer = environment.non_empty(variable).value_or("");
    }
  }
  if (options.reviewer.empty()) options.reviewer = "unknown";
  return options;
}

Result<std::unique_ptr<ReviewJob>> ReviewJob::open(ReviewOptions options) {
  std::unique_ptr<ReviewJob> job(new ReviewJob(std::move(options)));
  auto store_reader = StoreReader::open(job->options_.database);
  if (!store_reader) return forward_error(store_reader);
  job->store_reader_ = std::move(*store_reader);
  auto reader = ReviewReader::open(job->options_.database);
  if (!reader) return forward_error(reader);
  job->reader_ = std::move(*reader);
  auto input = ReviewInput::open(*job->store_reader_, job->options_.input);
  if (!input) return forward_error(input);
  job->input_ = std::move(*input);
  if (Status selected = job->select(); !selected) return forward_error(selected);
  return job;
}

/// One pass over the items. A walk through whole states draws the sample, too: what it judges of it
/// counts for the estimate.
Status ReviewJob::select() {
  populations_.assign(kStates, 0);
  const auto wanted = [this](ItemState state) {
    return std::find(options_.states.begin(), options_.states.end(), state) !=
           options_.states.end();
  };
  ReviewSample sample(options_.size, kStates);
  Status read = reader_->for_each(kReviewedStates, [&](const ReviewCandidate& candidate) {
    const std::size_t stratum = stratum_of(candidate.state);
    ++populations_[stratum];
    const SampledItem item{candidate.seq, candidate.line, stratum,
                           sample_rank(candidate.id_hash, options_.seed)};
    if (options_.whole_states || wanted(candidate.state)) sample.add(item);
    if (options_.whole_states && wanted(candidate.state)) selected_.push_back(item);
    if (candidate.verdict) {
      judged_[candidate.seq] = {candidate.state, candidate.verdict, candidate.sampled};
    }
  });
  if (!read) return read;
  std::vector<SampledItem> drawn = sample.draw();
  for (const SampledItem& item : drawn) sample_.push_back(item.seq);
  std::sort(sample_.begin(), sample_.end());
  for (auto& [seq, judged] : judged_) {
    if (judged.sampled || !std::binary_search(sample_.begin(), sample_.end(), seq)) continue;
    judged.sampled = true;
    newly_drawn_.push_back(seq);
  }
  if (!options_.whole_states) selected_ = std::move(drawn);
  return {};
}

std::optional<Verdict> ReviewJob::verdict_of(std::uint64_t seq) const {
  const auto found = judged_.find(seq);
  return found == judged_.end() ? std::nullopt : found->second.verdict;
}

std::vector<SampledItem> ReviewJob::open_items() const {
  std::vector<SampledItem> items;
  for (const bool skipped : {false, true}) {
    for (const SampledItem& item : selected_) {
      const auto verdict = verdict_of(item.seq);
      if (!is_judged(verdict) && verdict.has_value() == skipped) items.push_back(item);
    }
  }
  return items;
}

std::size_t ReviewJob::judged_count() const {
  return static_cast<std::size_t>(
      std::count_if(selected_.begin(), selected_.end(),
                    [this](const SampledItem& item) { return is_judged(verdict_of(item.seq)); }));
}

std::size_t ReviewJob::count(Verdict verdict) const {
  return static_cast<std::size_t>(std::count_if(
      selected_.begin(), selected_.end(),
      [this, verdict](const SampledItem& item) { return verdict_of(item.seq) == verdict; }));
}

Result<std::optional<ResultRow>> ReviewJob::row(const SampledItem& item) {
  return reader_->item(item.seq, item.line);
}

Result<std::optional<std::string>> ReviewJob::raw_response(const ResultRow& row) {
  if (row.attempt_id == 0) return std::nullopt;
  return store_reader_->response(row.attempt_id);
}

Status ReviewJob::check_target(std::string_view option, const std::string& target) {
  if (options_.input && same_file(target, *options_.input)) {
    return usage_error(fmt::format("{} {}: is the input of the job", option, target));
  }
  return check_output_target(option, target, options_.database, *store_reader_);
}

Result<std::string> ReviewJob::notes() {
  const auto found = reader_->notes(kNotesShown);
  if (!found) return forward_error(found);
  std::string text;
  for (const VerdictNote& note : *found) {
    text +=
        fmt::format("  {}  {}: {} ({})\n", to_string(note.verdict), sanitize_for_terminal(note.id),
                    truncate_chars(sanitize_for_terminal(note.note), kNoteChars),
                    sanitize_for_terminal(note.reviewer));
  }
  return text.empty() ? text : "latest notes\n" + text;
}

VerdictRecord ReviewJob::record(const ResultRow& row, Verdict verdict, std::string note,
                                WallTime now) const {
  VerdictRecord record;
  record.seq = row.result.seq;
  record.request_hash = row.request_hash;
  record.attempt_id = row.attempt_id;
  record.state = row.result.state;
  record.verdict = verdict;
  record.sampled = std::binary_search(sample_.begin(), sample_.end(), record.seq);
  record.time = now;
  record.reviewer = options_.reviewer;
  record.note = std::move(note);
  return record;
}

Status ReviewJob::open_for_writing() {
  if (verdicts_) return {};
  auto opened = VerdictStore::open(options_.database);
  if (!opened) return forward_error(opened);
  verdicts_ = std::move(*opened);
  return newly_drawn_.empty() ? Status{} : verdicts_->count_as_sampled(newly_drawn_);
}

void ReviewJob::remember(const VerdictRecord& record) {
  judged_[record.seq] = {record.state, record.verdict, record.sampled};
}

Result<std::int64_t> ReviewJob::store(const VerdictRecord& record) {
  if (Status opened = open_for_writing(); !opened) return forward_error(opened);
  auto number = verdicts_->add(record);
  if (number) remember(record);
  return number;
}

Status ReviewJob::store_all(const std::vector<VerdictRecord>& records) {
  if (Status opened = open_for_writing(); !opened) return opened;
  Status stored = verdicts_->add_all(records);
  if (!stored) return stored;
  for (const VerdictRecord& record : records) remember(record);
  return {};
}

Result<bool> ReviewJob::take_back(std::uint64_t seq, std::int64_t number) {
  auto removed = verdicts_->remove(number);
  if (removed && *removed) judged_.erase(seq);
  return removed;
}

std::string ReviewJob::summary() const {
  std::array<Stratum, kStates> strata{};
  for (std::size_t i = 0; i < kStates; ++i) strata[i].population = populations_[i];
  for (const auto& [seq, judged] : judged_) {
    if (!judged.sampled || !judged.verdict) continue;
    Stratum& stratum = strata[stratum_of(judged.state)];
    const bool good = *judged.verdict == Verdict::good || *judged.verdict == Verdict::accept;
    if (!good && *judged.verdict != Verdict::bad) continue;
    ++stratum.judged;
    if (good) ++stratum.good;
  }
  std::string text = fmt::format("{:<10} {:>10} {:>7} {:>7}  {:>8}  {}\n", "state", "items",
                                 "judged", "good", "share", "95 % interval");
  for (std::size_t i = 0; i < kStates; ++i) {
    const Stratum& stratum = strata[i];
    if (stratum.population == 0) continue;
    text += fmt::format("{:<10} {:>10} {:>7} {:>7}", to_string(kReviewedStates[i]),
                        group_digits(stratum.population), stratum.judged, stratum.good);
    if (stratum.judged > 0) {
      const double share = static_cast<double>(stratum.good) / static_cast<double>(stratum.judged);
      text += fmt::format("  {:>8}  {}", percent(share),
                          interval_text(wilson_interval(stratum.good, stratum.judged)));
    }
    text += '\n';
  }
  const auto quality = stratified_share(strata);
  if (!quality) return text + "no verdicts about a sample yet\n";
  text += fmt::format("estimated quality: {} good (95 % interval {})", percent(quality->share),
                      interval_text(quality->interval));
  const std::int64_t all =
      std::accumulate(populations_.begin(), populations_.end(), std::int64_t{0});
  if (quality->population == all) return text + fmt::format(", of {} items\n", group_digits(all));
  return text + fmt::format("\nof the {} of {} items whose state was judged\n",
                            group_digits(quality->population), group_digits(all));
}

}  // namespace llmbatch
