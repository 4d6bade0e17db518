#include "batch_session.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "llmbatch/app/commands.h"
#include "llmbatch/app/job_status.h"
#include "llmbatch/app/price_options.h"
#include "llmbatch/app/version.h"
#include "llmbatch/base/text.h"
#include "llmbatch/net/curl_client.h"
#include "llmbatch/provider/make_batch_api.h"
#include "llmbatch/ui/monitors.h"

namespace llmbatch {
namespace {

/// A server for those who send nothing.
constexpr const char* kNowhere = "https://endpoint.invalid/v1";
constexpr const char* kCustomProfile = "custom";
/// These commands wait only to find out what became of an interrupted step.
constexpr Duration kPollInterval = std::chrono::seconds(2);

std::string command_name(const Settings& settings) {
  return fmt::format("llmbatch {}", command_spec(settings.command()).name);
}

}  // namespace

Result<std::unique_ptr<BatchSession>> BatchSession::open(const std::string& database,
                                                         const Settings& settings,
                                                         const Environment& environment,
                                                         Reach reach) {
  std::unique_ptr<BatchSession> session(new BatchSession(database));
  // First, because the writing side would make a database that is missing.
  auto reader = StoreReader::open(database);
  if (!reader) return forward_error(reader);
  session->reader_ = std::move(*reader);
  auto interrupts = SignalInterrupts::create();
  if (!interrupts) return forward_error(interrupts);
  session->interrupts_ = std::move(*interrupts);
  auto store = Store::open(database, command_name(settings), session->clock_.wall_now());
  if (!store) return forward_error(store);
  session->store_ = std::move(*store);
  MonitorSettings monitor;
  monitor.progress = ProgressMode::none;
  session->monitor_ = choose_monitor(monitor, STDERR_FILENO, session->clock_);
  auto batches = session->reader_->batches();
  if (!batches) return forward_error(batches);
  session->batches_ = std::move(*batches);
  if (session->batches_.empty()) return usage_error(database + ": the job has no provider batches");
  if (auto done = session->open_job(settings, environment, reach); !done) {
    return forward_error(done);
  }
  return session;
}

Status BatchSession::open_job(const Settings& settings, const Environment& environment,
                              Reach reach) {
  const auto job = reader_->job();
  if (!job) return forward_error(job);
  if (!*job) return usage_error(database_ + ": holds no job");
  const auto options = options_of(**job, settings, reach);
  if (!options) return forward_error(options);
  auto target = resolve_target(*options, environment, "");
  if (!target) return forward_error(target);
  target_ = std::move(*target);
  // What it notes about requests is of no interest here.
  for (const std::string& warning : target_.warnings) {
    if (!warning.starts_with("note:")) monitor_->message(warning);
  }
  auto check = answer_check(options->checks, target_.provider.wire_format);
  if (!check) return forward_error(check);
  check_ = std::move(*check);
  auto provider = make_provider(target_.provider);
  if (!provider) return forward_error(provider);
  provider_ = std::move(*provider);
  auto prices = read_job_prices(options->cost.prices, (*job)->profile, (*job)->model, false);
  if (!prices) return forward_error(prices);
  prices_ = std::move(*prices);
  errors_ = options->errors;
  reask_ = options->checks.reask;
  knows_key_ = reach == Reach::provider;
  if (const Status made = make_apis(reach); !made) return made;
  return make_client(settings);
}

/// The stored job as the options of a run, as far as batches need it.
Result<RunOptions> BatchSession::options_of(const JobIdentity& job, const Settings& settings,
                                            Reach reach) const {
  RunOptions options;
  options.model.model = job.model;
  if (job.profile != kCustomProfile) options.model.provider = job.profile;
  options.model.wire_format = parse_wire_format(job.wire_format);
  options.model.needs_key = reach == Reach::provider;
  const auto checks = stored_checks(job.checks);
  if (!checks) return forward_error(checks);
  options.checks = *checks;
  if (reach == Reach::provider) {
    options.model.anthropic_version = settings.text("anthropic-version");
    options.model.api_key_file = settings.optional_text("api-key-file");
    const Status found = find_server(settings, job, options.model);
    if (!found) return forward_error(found);
    return options;
  }
  options.model.anthropic_version = "2023-06-01";
  if (job.profile == kCustomProfile) options.model.base_url = kNowhere;
  if (settings.command() != Command::batches_read) return options;
  options.cost.prices = price_options(settings);
  options.checks.reask = !settings.flag("no-reask");
  options.errors.max_retries = static_cast<std::uint32_t>(settings.integer("max-retries"));
  options.errors.retry_truncated = settings.flag("retry-truncated");
  return options;
}

/// A base URL of a file or the environment belongs to the provider that is named there: the key of
/// another one must not go to it.
Status BatchSession::find_server(const Settings& settings, const JobIdentity& job,
                                 RunModelOptions& model) const {
  const std::string named = settings.text("provider");
  const bool custom = job.profile == kCustomProfile;
  if (settings.origin("provider").kind == OriginKind::flag && named != job.profile) {
    return usage_error(fmt::format("--provider: '{}' is not where this job's batches are ({})",
                                   sanitize_for_terminal(named),
                                   custom ? "a server of its own" : job.profile));
  }
  const bool by_flag = settings.origin("base-url").kind == OriginKind::flag;
  if (by_flag || (custom ? named.empty() : named == job.profile)) {
    model.base_url = settings.text("base-url");
  }
  if (custom && model.base_url.empty()) {
    return usage_error(
        "this job's batches are at a server without a provider profile: name it with --base-url");
  }
  return {};
}

/// Result lines may have the provider's form, or that of every OpenAI-compatible server.
Status BatchSession::make_apis(Reach reach) {
  if (reach == Reach::nobody) {
    api_ = offline_batch_api(target_.provider);
  } else {
    auto api = make_batch_api(target_.provider);
    if (!api) return forward_error(api);
    api_ = std::move(*api);
  }
  ProviderConfig any_server;
  any_server.base_url = kNowhere;
  compatible_api_ = offline_batch_api(any_server);
  return {};
}

Status BatchSession::make_client(const Settings& settings) {
  TransportConfig config;
  config.headers = provider_->request_headers();
  config.max_concurrency = 1;
  config.user_agent = fmt::format("llmbatch/{}", kVersion);
  if (knows_key_) {
    config.connect_timeout = settings.duration("connect-timeout");
    config.ca_file = settings.text("cacert");
  }
  apply_environment(config, [](const char* name) { return std::getenv(name); });
  auto client = CurlClient::create(std::move(config), clock_, *interrupts_);
  if (!client) return forward_error(client);
  client_ = std::move(*client);
  return {};
}

Result<std::vector<std::int64_t>> BatchSession::choose(
    const std::vector<std::string>& words) const {
  std::vector<std::int64_t> numbers;
  if (words.size() == 1 && words[0] == "all") {
    for (const BatchRecord& batch : batches_) {
      if (is_open(batch.stage)) numbers.push_back(batch.number);
    }
    return numbers;
  }
  for (const std::string& word : words) {
    std::int64_t number = 0;
    const char* end = word.data() + word.size();
    const auto [rest, error] = std::from_chars(word.data(), end, number);
    const auto found = std::find_if(batches_.begin(), batches_.end(),
                                    [&](const BatchRecord& one) { return one.number == number; });
    if (error != std::errc() || rest != end || found == batches_.end()) {
      return usage_error(fmt::format("'{}' is no batch of {} (it has 1 to {})",
                                     sanitize_for_terminal(word), database_,
                                     batches_.back().number));
    }
    if (!is_open(found->stage)) {
      monitor_->message(fmt::format("batch {} is {} already", number, to_string(found->stage)));
    } else if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
      numbers.push_back(number);
    }
  }
  return numbers;
}

Result<BatchRunnerSettings> BatchSession::runner_settings(const JobTotals& totals) const {
  auto limiter_state = reader_->limiter_state();
  if (!limiter_state) return forward_error(limiter_state);
  Money reserved;
  for (const BatchRecord& batch : batches_) {
    if (is_open(batch.stage)) reserved += batch.reserved;
  }
  BatchRunnerSettings settings;
  settings.poll_interval = kPollInterval;
  settings.retries.max_retries = errors_.max_retries;
  settings.retries.retry_truncated = errors_.retry_truncated;
  settings.max_error_rate = 1;
  settings.reask = reask_;
  settings.spending = {prices_, target_.identity.model, std::nullopt,
                       std::max(Money(), totals.cost_ceiling - totals.cost - reserved)};
  settings.limiter_state = std::move(*limiter_state);
  settings.spool_prefix = database_ + ".batch-";
  settings.key_secret = target_.provider.key;
  settings.knows_key = knows_key_;
  return settings;
}

Result<RunResult> BatchSession::with_runner(const std::function<RunResult(BatchRunner&)>& task) {
  const auto totals = reader_->totals();
  if (!totals) return forward_error(totals);
  auto settings = runner_settings(*totals);
  if (!settings) return forward_error(settings);
  auto status = read_status(*reader_, database_, clock_.wall_now());
  if (!status) return forward_error(status);
  status_ = *status;
  status->finished_this_run = 0;
  status->collected_this_run = 0;
  status->done_before = status->items.finished();
  const auto journal = store_->batch_journal();
  BatchRunnerParts parts{.clock = clock_,
                         .provider = *provider_,
                         .api = *api_,
                         .client = *client_,
                         .journal = *journal,
                         .monitor = *monitor_,
                         .interrupts = *interrupts_,
                         .open_source = nullptr,
                         .count_states = [this] { return reader_->count_states(); },
                         .answer_check = check_.get(),
                         .answers = nullptr,
                         .other_api = compatible_api_.get()};
  BatchRunner runner(std::move(parts), std::move(*settings), std::move(*status));
  return task(runner);
}

Status BatchSession::keep_status(RunResult& result) {
  RunStatus status = status_;
  status.items = result.status.items;
  status.batches = result.status.batches;
  status.updated_at = clock_.wall_now();
  return store_->update_status(status);
}

Result<RunResult> BatchSession::cancel(std::span<const std::int64_t> numbers) {
  auto result = with_runner([&](BatchRunner& runner) { return runner.cancel(numbers); });
  if (!result) return result;
  if (const Status kept = keep_status(*result); !kept) return forward_error(kept);
  return result;
}

Result<RunResult> BatchSession::forget(std::span<const std::int64_t> numbers) {
  auto result = with_runner([&](BatchRunner& runner) { return runner.forget(numbers); });
  if (!result) return result;
  if (const Status kept = keep_status(*result); !kept) return forward_error(kept);
  return result;
}

Status BatchSession::begin_reading(const std::string& command_line) {
  const auto input = reader_->last_input();
  if (!input) return forward_error(input);
  const auto totals = reader_->totals();
  if (!totals) return forward_error(totals);
  const auto counts = reader_->count_states();
  if (!counts) return forward_error(counts);
  RunStart start;
  start.keep_stored_plan = true;
  start.same_endpoint = true;
  start.command = command_line;
  start.version = kVersion;
  start.pid = ::getpid();
  start.started_at = clock_.wall_now();
  start.progress.items = *counts;
  start.progress.cost_ceiling = totals->cost_ceiling;
  if (*input) {
    start.input = (*input)->identity;
    start.progress.done_below_line = (*input)->done_below_line;
  }
  const auto begun = store_->begin_run(start);
  return begun ? Status() : forward_error(begun);
}

Result<RunResult> BatchSession::read(std::span<const ResultFile> files, ReadLines& lines,
                                     const std::string& command_line) {
  if (const Status begun = begin_reading(command_line); !begun) return forward_error(begun);
  auto result = with_runner([&](BatchRunner& runner) { return runner.read(files, lines); });
  if (!result) return result;
  result->status.pause_reason.clear();
  RunEnd end;
  const bool interrupted = result->end == RunEnding::interrupted;
  end.reason = result->error ? "error: " + result->error->message
               : interrupted ? "interrupted"
                             : "answers read";
  end.exit_code = exit_code_of(*result);
  end.finished_at = clock_.wall_now();
  end.status = result->status;
  if (!result->error) end.progress = result->progress;
  if (const Status stored = store_->finish_run(end); !stored && !result->error) {
    return forward_error(stored);
  }
  return result;
}

int exit_code_of(const RunResult& result) {
  if (result.error) {
    return static_cast<int>(result.error->kind == ErrorKind::failure ? ExitCode::failure
                                                                     : ExitCode::usage);
  }
  if (result.end == RunEnding::interrupted) return 128 + result.stop_signal;
  return static_cast<int>(result.end == RunEnding::paused ? ExitCode::paused : ExitCode::ok);
}

}  // namespace llmbatch
