#include "job_estimator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>

#include "llmbatch/app/price_options.h"
#include "llmbatch/app/run_plan.h"
#include "llmbatch/base/clock.h"
#include "llmbatch/base/text.h"
#include "llmbatch/input/request_scan.h"
#include "llmbatch/input/scan.h"
#include "llmbatch/policy/token_count.h"
#include "llmbatch/provider/make_batch_api.h"
#include "llmbatch/store/store_reader.h"
#include "llmbatch/tokenizer/make_token_counter.h"

namespace llmbatch {
namespace {

constexpr double kMicrosPerSecond = 1e6;
constexpr std::size_t kInvalidLinesShown = 3;

/// Of a job without a database.
class NoItems final : public ItemIndex {
 public:
  bool empty() const override { return true; }
  std::uint64_t next_seq() const override { return 1; }
  Status for_each(const std::function<void(const IndexRecord&)>& /*visit*/) const override {
    return {};
  }
};

/// What one thread counts.
class CountingVisitor final : public RequestVisitor {
 public:
  CountingVisitor(const JobPrices& prices, const TokenCounter& counter,
                  std::span<const AnsweredItem> answers)
      : counter_(counter), tally_(prices), answers_(answers) {}

  void visit(const Request& request, std::uint64_t seq, bool todo) override {
    const TokenCount tokens = count_request_tokens(request.body, counter_);
    if (todo) {
      tally_.add(request, tokens);
      prefix_.add(request.body);
      return;
    }
    const auto found = std::lower_bound(
        answers_.begin(), answers_.end(), seq,
        [](const AnsweredItem& item, std::uint64_t wanted) { return item.seq < wanted; });
    if (found == answers_.end() || found->seq != seq) return;
    pairs_.push_back({static_cast<double>(tokens), static_cast<double>(found->input)});
  }

  void merge(const CountingVisitor& other) {
    tally_.merge(other.tally_);
    prefix_.merge(other.prefix_);
    pairs_.insert(pairs_.end(), other.pairs_.begin(), other.pairs_.end());
  }
  const RequestTally& tally() const { return tally_; }
  std::string_view prefix() const { return prefix_.text(); }
  std::span<const SamplePair> pairs() const { return pairs_; }

 private:
  const TokenCounter& counter_;
  RequestTally tally_;
  SharedPrefix prefix_;
  std::vector<SamplePair> pairs_;
  std::span<const AnsweredItem> answers_;
};

/// The difference of two costs, where they have an expected value, else of their lower bounds.
std::optional<Money> saving(const std::optional<CostEstimate>& all,
                            const std::optional<CostEstimate>& paid) {
  if (!all || !paid) return std::nullopt;
  if (all->total.expected && paid->total.expected) {
    return *all->total.expected - *paid->total.expected;
  }
  return all->total.low - paid->total.low;
}

class JobEstimator {
 public:
  JobEstimator(RunOptions options, const Environment& environment, bool after_pilot)
      : options_(std::move(options)), environment_(environment), after_pilot_(after_pilot) {}

  Result<std::unique_ptr<JobEstimateResult>> make();

 private:
  Status open_job();
  Status open_input();
  Status open_database();
  Status make_plan();
  Status count_stored_repeats();
  Result<RunPlan> scan_alone();
  Status read_answers();
  Status count();
  void fill(const CountingVisitor& counted);
  ScanHooks hooks(std::string_view what);

  RunOptions options_;
  const Environment& environment_;
  bool after_pilot_;
  SystemClock clock_;
  JobTarget target_;
  std::unique_ptr<Provider> provider_;
  TokenCounterChoice counter_;
  std::optional<InputFile> input_;
  std::unique_ptr<StoreReader> reader_;  ///< null: no database, or that of another job
  RunPlan plan_;
  std::vector<AnsweredItem> answers_;
  std::unique_ptr<JobEstimateResult> result_ = std::make_unique<JobEstimateResult>();
  SteadyTime next_notice_{};
};

Result<std::unique_ptr<JobEstimateResult>> JobEstimator::make() {
  for (const auto step :
       {&JobEstimator::open_job, &JobEstimator::open_input, &JobEstimator::open_database,
        &JobEstimator::make_plan, &JobEstimator::read_answers, &JobEstimator::count}) {
    if (const Status done = (this->*step)(); !done) return forward_error(done);
  }
  return std::move(result_);
}

Status JobEstimator::open_job() {
  options_.model.needs_key = false;
  auto target = resolve_target(options_, environment_, "");
  if (!target) return forward_error(target);
  target_ = std::move(*target);
  auto prices = read_job_prices(options_.cost.prices, target_.identity.profile,
                                target_.identity.model, false);
  if (!prices) return forward_error(prices);
  result_->prices = std::move(*prices);
  result_->report.notes = target_.warnings;
  auto counter = make_token_counter(options_.tokenizer);
  if (!counter) return forward_error(counter);
  counter_ = std::move(*counter);
  auto provider = make_provider(target_.provider);
  if (!provider) return forward_error(provider);
  provider_ = std::move(*provider);
  return {};
}

Status JobEstimator::open_input() {
  std::error_code ignored;
  auto input =
      InputFile::open(options_.input.path, std::filesystem::temp_directory_path(ignored).string());
  if (!input) return forward_error(input);
  input_ = std::move(*input);
  return {};
}

Status JobEstimator::open_database() {
  std::error_code ignored;
  const std::string& path = options_.input.database;
  if (path.empty() || !std::filesystem::exists(path, ignored)) return {};
  auto reader = StoreReader::open(path);
  if (!reader) return forward_error(reader);
  const auto job = (*reader)->job();
  if (!job) return forward_error(job);
  if (!*job) return {};
  const std::vector<JobDifference> different = differences(**job, target_.identity);
  if (!different.empty() && !options_.errors.rerun_changed) {
    result_->report.notes.push_back(fmt::format(
        "{} belongs to another job (its {} differs): its results are not counted, and run would "
        "refuse it; --db names another database",
        sanitize_for_terminal(path), different[0].what));
    return {};
  }
  reader_ = std::move(*reader);
  result_->report.database = path;
  return {};
}

ScanHooks JobEstimator::hooks(std::string_view what) {
  ScanHooks hooks;
  if (options_.output.quiet) return hooks;
  next_notice_ = clock_.now() + std::chrono::seconds(2);
  hooks.on_progress = [this, what = std::string(what)](std::uint64_t done, std::uint64_t total) {
    if (clock_.now() < next_notice_ || total == 0) return;
    next_notice_ = clock_.now() + std::chrono::seconds(2);
    fmt::print(stderr, "llmbatch: {} {}: {} %\n", what, input_->name(), done * 100 / total);
  };
  return hooks;
}

Status JobEstimator::make_plan() {
  auto plan = reader_ ? make_run_plan(options_, *input_, *provider_, *reader_,
                                      options_.errors.rerun_changed, hooks("reading"))
                      : scan_alone();
  if (!plan) return forward_error(plan);
  plan_ = std::move(*plan);
  // The stored plan of an unchanged file begins where the run would: done items are wanted, too.
  if (plan_.unchanged) {
    plan_.lines = reader_->remaining_plan(1);
    if (const Status counted = count_stored_repeats(); !counted) return counted;
  }
  if (plan_.unchanged || plan_.counts.invalid == 0) return {};
  const auto texts = describe_invalid_lines(*plan_.invalid, input_->name(), plan_.counts.invalid,
                                            kInvalidLinesShown);
  if (!texts) return forward_error(texts);
  for (const std::string& text : *texts) result_->report.notes.push_back("cannot be used: " + text);
  return {};
}

/// Those of the scan, as `plan_.counts.todo` is.
Status JobEstimator::count_stored_repeats() {
  auto repeats = reader_->repeats(1);
  if (!repeats) return forward_error(repeats);
  LineRun run;
  while (*repeats) {
    const auto more = (*repeats)->next(run);
    if (!more) return forward_error(more);
    if (!*more) break;
    plan_.counts.repeats += run.count;
  }
  return {};
}

/// The scan of an input that no database knows.
Result<RunPlan> JobEstimator::scan_alone() {
  auto lines = line_parser_options(options_.input);
  if (!lines) return forward_error(lines);
  ScanOptions scan;
  scan.lines = std::move(*lines);
  std::error_code ignored;
  scan.temporary_directory = std::filesystem::temp_directory_path(ignored).string();
  scan.on_progress = hooks("reading").on_progress;
  auto scanned = scan_input(*input_, *provider_, NoItems(), scan);
  if (!scanned) return forward_error(scanned);
  RunPlan plan;
  plan.lines = std::move(scanned->plan);
  plan.invalid = std::move(scanned->invalid);
  plan.counts = scanned->counts;
  plan.items[ItemState::pending] = static_cast<std::int64_t>(scanned->counts.todo);
  plan.items[ItemState::invalid] = static_cast<std::int64_t>(scanned->counts.invalid);
  return plan;
}

Status JobEstimator::read_answers() {
  if (!reader_) return {};
  std::optional<std::int64_t> run;
  if (after_pilot_) {
    const auto last = reader_->last_run_number();
    if (!last) return forward_error(last);
    run = *last;
  }
  auto answers = reader_->answered_items(run, kAnswersRead);
  if (!answers) return forward_error(answers);
  answers_ = std::move(*answers);
  result_->report.pilot = after_pilot_ && answers_.size() > 1;
  return {};
}

Status JobEstimator::count() {
  auto lines = line_parser_options(options_.input);
  if (!lines) return forward_error(lines);
  RequestScanOptions scan;
  scan.lines = std::move(*lines);
  for (const AnsweredItem& item : answers_) scan.done_seqs.push_back(item.seq);
  scan.on_progress = hooks("counting the tokens of").on_progress;
  CountingVisitor first(result_->prices, *counter_.counter, answers_);
  CountingVisitor second(result_->prices, *counter_.counter, answers_);
  const std::array<RequestVisitor*, 2> visitors{&first, &second};
  const Status scanned = scan_requests(*input_, *provider_, *plan_.lines, scan, visitors);
  if (!scanned) return scanned;
  first.merge(second);
  fill(first);
  return {};
}

void JobEstimator::fill(const CountingVisitor& counted) {
  EstimateReport& report = result_->report;
  const RequestTally& tally = counted.tally();
  const WallTime now = clock_.wall_now();
  report.input = options_.input.path;
  report.model = target_.display_model;
  report.items = plan_.items;
  report.to_do = tally.items();
  report.duplicates = static_cast<std::int64_t>(plan_.counts.duplicates);
  report.basis = basis_of(answers_, counted.pairs(), report.to_do, target_);
  if (counter_.exact) report.basis.count_margin = 0;
  report.counter = counter_.description;
  report.repeats = repeats_left(plan_.counts, options_.reuse.enabled, report.to_do);
  const std::vector<RequestGroup> paid = tally.scaled_to(report.to_do - report.repeats);
  report.job = estimate_job(paid, report.basis, now);
  // A price for batches that llmbatch cannot send helps nobody.
  if (!make_batch_api(target_.provider)) report.job.batch.reset();
  if (report.repeats > 0) {
    report.repeats_saving =
        saving(estimate_job(tally.groups(), report.basis, now).real_time, report.job.real_time);
  }
  for (const RequestGroup& group : paid) {
    report.own_caps += group.own_caps;
    report.model_caps += group.model_caps;
  }
  report.unpriced = tally.unpriced();
  report.unpriced_models = tally.unpriced_models();
  report.limits = pace_limits(options_.limits, answers_);
  report.duration = estimate_duration(report.job, report.limits);
  report.shared_prefix =
      report.to_do > 1 ? count_request_tokens(counted.prefix(), *counter_.counter) : 0;
  if (const JobPrices& prices = result_->prices; tally.groups().size() == 1) {
    report.price = tally.groups()[0].price;
    report.prices_as_of = prices.date();
  }
  if (report.price != nullptr) {
    report.prompt_cache_saving =
        prompt_cache_saving(*report.price, report.shared_prefix, report.to_do, now);
  }
}

}  // namespace

std::int64_t repeats_left(const ScanCounts& counts, bool reuse, std::int64_t to_do) {
  if (!reuse || counts.todo == 0) return 0;
  // Of a plan that is partly done the same share is left: repeats stand anywhere in a file.
  const double share = static_cast<double>(counts.repeats) / static_cast<double>(counts.todo);
  return std::min<std::int64_t>(to_do, std::llround(share * static_cast<double>(to_do)));
}

EstimateBasis basis_of(std::span<const AnsweredItem> answers, std::span<const SamplePair> counted,
                       std::int64_t to_do, const JobTarget& target) {
  EstimateBasis basis;
  basis.no_output = target.provider.wire_format == WireFormat::openai_embeddings;
  const auto population = to_do + static_cast<std::int64_t>(answers.size());
  std::vector<double> outputs;
  outputs.reserve(answers.size());
  for (const AnsweredItem& item : answers) outputs.push_back(static_cast<double>(item.output));
  if (!basis.no_output) basis.output = mean_interval(outputs, population);
  basis.input_ratio = ratio_interval(counted, population);
  return basis;
}

PaceLimits pace_limits(const RunLimitOptions& options, std::span<const AnsweredItem> answers) {
  PaceLimits limits;
  limits.rpm = options.rpm;
  limits.tpm = options.tpm;
  limits.itpm = options.itpm;
  limits.otpm = options.otpm;
  limits.rpd = options.rpd;
  limits.concurrency = options.concurrency.value_or(options.max_concurrency);
  double seconds = 0;
  double calls = 0;
  for (const AnsweredItem& item : answers) {
    if (item.latency_us == 0) continue;
    seconds += static_cast<double>(item.latency_us) / kMicrosPerSecond;
    ++calls;
  }
  if (calls > 0) limits.latency_seconds = seconds / calls;
  return limits;
}

Result<std::unique_ptr<JobEstimateResult>> estimate_of_job(RunOptions options,
                                                           const Environment& environment,
                                                           bool after_pilot) {
  return JobEstimator(std::move(options), environment, after_pilot).make();
}

}  // namespace llmbatch
