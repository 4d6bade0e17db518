#include "llmbatch/app/run_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <string_view>

#include "llmbatch/app/database_path.h"
#include "llmbatch/base/fd.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr std::size_t kMaxTemplateBytes = 16U << 20U;

std::string named(const Settings& settings, std::string_view name) {
  return settings.origin(name).kind == OriginKind::flag
             ? fmt::format("--{}", name)
             : fmt::format("{} ({})", name, settings.origin(name).label());
}

tl::unexpected<Error> contradiction(const Settings& settings, std::string_view first,
                                    std::string_view second) {
  return usage_error(
      fmt::format("{} and {} exclude each other", named(settings, first), named(settings, second)));
}

/// Which of two settings that exclude each other counts: the one from the stronger source.
/// Empty when neither is set.
Result<std::string> stronger(const Settings& settings, std::string_view first,
                             std::string_view second) {
  const bool has_first = settings.has(first);
  const bool has_second = settings.has(second);
  if (!has_first && !has_second) return std::string();
  if (has_first && has_second) {
    const OriginKind a = settings.origin(first).kind;
    const OriginKind b = settings.origin(second).kind;
    if (a == b) return contradiction(settings, first, second);
    return std::string(a > b ? first : second);
  }
  return std::string(has_first ? first : second);
}

Result<std::optional<TextSource>> text_source(const Settings& settings, std::string_view name) {
  const auto from = stronger(settings, name, fmt::format("{}-file", name));
  if (!from) return forward_error(from);
  if (from->empty()) return std::optional<TextSource>();
  TextSource source;
  if (*from == name) {
    source.text = settings.text(name);
  } else {
    source.file = settings.text(*from);
    auto text = read_file(source.file == "-" ? "/dev/stdin" : source.file, kMaxTemplateBytes);
    if (!text) {
      return usage_error(fmt::format("{}: {}", named(settings, *from), text.error().message));
    }
    if (to_valid_utf8(*text) != *text) {
      return usage_error(
          fmt::format("{}: {}: not valid UTF-8", named(settings, *from), source.file));
    }
    source.text = std::move(*text);
  }
  // An unset shell variable must not send the whole file for nothing.
  if (trim(source.text).empty()) {
    return usage_error(fmt::format("{}: the text is empty", named(settings, *from)));
  }
  return std::optional<TextSource>(std::move(source));
}

Result<std::string> id_rule(const Settings& settings) {
  const auto from = stronger(settings, "id", "id-field");
  if (!from) return forward_error(from);
  if (*from == "id") return settings.text("id");
  if (*from == "id-field") {
    if (settings.text("id-field").empty()) {
      return usage_error(fmt::format("{}: the name is empty", named(settings, "id-field")));
    }
    return "field:" + settings.text("id-field");
  }
  return std::string("id");
}

/// Standard input can be read once.
Status check_stdin(const std::string& input, const Settings& settings) {
  std::string user = input == "-" ? "INPUT" : "";
  for (const std::string_view name : {"prompt-file", "system-file", "api-key-file"}) {
    if (settings.text(name) != "-") continue;
    if (!user.empty()) {
      return usage_error(fmt::format("{} and {} both read stdin (-)", user, named(settings, name)));
    }
    user = named(settings, name);
  }
  return {};
}

/// An estimate without a pilot needs no database.
bool only_estimates(const Settings& settings) {
  return settings.command() == Command::estimate && !settings.has("pilot");
}

Result<RunInputOptions> input_options(const std::string& input, const Settings& settings) {
  RunInputOptions options;
  options.path = input;
  if (settings.has("db")) {
    options.database = settings.text("db");
    if (options.database == "-") return usage_error("--db: a database cannot be stdin or stdout");
  } else if (input != "-" || !only_estimates(settings)) {
    auto path = default_database_path(input);
    if (!path) return forward_error(path);
    options.database = std::move(*path);
  }
  if (Status status = check_stdin(input, settings); !status) return forward_error(status);
  auto prompt = text_source(settings, "prompt");
  if (!prompt) return forward_error(prompt);
  auto system = text_source(settings, "system");
  if (!system) return forward_error(system);
  auto rule = id_rule(settings);
  if (!rule) return forward_error(rule);
  options.prompt = std::move(*prompt);
  options.system = std::move(*system);
  options.id_rule = std::move(*rule);
  options.strict = settings.flag("strict");
  options.store_input = settings.flag("store-input");
  return options;
}

std::optional<WireFormat> wire_format(const Settings& settings) {
  const std::string protocol = settings.text("wire-format");
  if (protocol == "anthropic") return WireFormat::anthropic_messages;
  if (protocol == "gemini") return WireFormat::gemini_generate;
  if (protocol.empty() && !settings.has("endpoint")) return std::nullopt;
  const std::string endpoint = settings.text("endpoint");
  if (endpoint == "responses") return WireFormat::openai_responses;
  if (endpoint == "embeddings") return WireFormat::openai_embeddings;
  return WireFormat::openai_chat;
}

void add_scalar_parameter(const Settings& settings, std::string_view name, std::string_view field,
                          RunModelOptions& options) {
  if (!settings.has(name)) return;
  // What is sent has to be a JSON number, which `.5` and `5.` are not.
  const double number = settings.optional_number(name).value_or(0);
  options.parameters.emplace_back(field, fmt::format("{}", number));
}

Status add_parameters(const Settings& settings, RunModelOptions& options) {
  add_scalar_parameter(settings, "temperature", "temperature", options);
  add_scalar_parameter(settings, "top-p", "top_p", options);
  if (settings.has("seed")) {
    options.parameters.emplace_back("seed", fmt::format("{}", settings.integer("seed")));
  }
  std::string stops;
  for (const std::string& stop : settings.list("stop")) {
    stops += stops.empty() ? "[" : ",";
    append_json_string(stops, stop);
  }
  if (!stops.empty()) options.parameters.emplace_back("stop", stops + "]");
  for (const std::string& parameter : settings.list("param")) {
    const std::size_t equals = parameter.find('=');
    std::string name = parameter.substr(0, equals);
    const std::string where = named(settings, "param");
    for (const std::string_view own : {"model", "messages", "input", "contents", "stream"}) {
      if (name != own) continue;
      return usage_error(fmt::format("{}: '{}' cannot be set as a parameter", where, name));
    }
    const auto same = [&](const auto& other) { return other.first == name; };
    const bool cap = name == "max_tokens" && options.max_tokens.has_value();
    if (cap || std::any_of(options.parameters.begin(), options.parameters.end(), same)) {
      return usage_error(fmt::format("{}: '{}' is set twice", where, name));
    }
    options.parameters.emplace_back(std::move(name), parameter.substr(equals + 1));
  }
  // As the job stores them: flags in another order make no other requests.
  std::sort(options.parameters.begin(), options.parameters.end());
  return {};
}

Result<RunModelOptions> model_options(const Settings& settings) {
  RunModelOptions options;
  options.model = settings.text("model");
  options.provider = settings.text("provider");
  options.base_url = settings.text("base-url");
  options.wire_format = wire_format(settings);
  options.anthropic_version = settings.text("anthropic-version");
  options.api_key_file = settings.optional_text("api-key-file");
  options.max_tokens = settings.optional_integer("max-tokens");
  const bool openai =
      settings.text("wire-format").empty() || settings.text("wire-format") == "openai";
  if (!openai && settings.has("endpoint")) {
    return usage_error(fmt::format("{}: {} has no endpoints to choose from",
                                   named(settings, "endpoint"), settings.text("wire-format")));
  }
  const bool base_url = !options.base_url.empty() || settings.flag("rehearse");
  if (settings.has("wire-format") && !base_url) {
    return usage_error(fmt::format("{}: only with --base-url (a provider has its own)",
                                   named(settings, "wire-format")));
  }
  if (Status status = add_parameters(settings, options); !status) return forward_error(status);
  return options;
}

RunLimitOptions limit_options(const Settings& settings) {
  RunLimitOptions options;
  options.rpm = settings.optional_integer("rpm");
  options.tpm = settings.optional_integer("tpm");
  options.itpm = settings.optional_integer("itpm");
  options.otpm = settings.optional_integer("otpm");
  options.rpd = settings.optional_integer("rpd");
  options.concurrency = settings.optional_integer("concurrency");
  options.max_concurrency = settings.integer("max-concurrency");
  return options;
}

RunCostOptions cost_options(const Settings& settings) {
  RunCostOptions options;
  options.prices = price_options(settings);
  options.max_cost = settings.optional_money("max-cost");
  options.max_items = settings.optional_integer("max-items");
  if (settings.has("max-duration")) options.max_duration = settings.duration("max-duration");
  return options;
}

RunErrorOptions error_options(const Settings& settings) {
  RunErrorOptions options;
  options.max_retries = static_cast<std::uint32_t>(settings.integer("max-retries"));
  options.retry_truncated = settings.flag("retry-truncated");
  const double rate = settings.number("max-error-rate");
  if (rate < 1) options.max_error_rate = rate;
  options.warn_on_error_rate = settings.text("on-error-rate") == "warn";
  for (const std::string& name : settings.list("retry")) {
    const auto state = parse_item_state(name);
    const auto& known = options.retry_states;
    if (state && std::find(known.begin(), known.end(), *state) == known.end()) {
      options.retry_states.push_back(*state);
    }
  }
  options.rerun_changed = settings.text("rerun") == "changed";
  return options;
}

Result<RunReuseOptions> reuse_options(const Settings& settings) {
  RunReuseOptions options;
  options.enabled = !settings.flag("no-cache");
  options.cache = settings.text("cache");
  options.prompt_cache = settings.flag("prompt-cache");
  if (options.cache.empty()) return options;
  for (const char* other : {"no-cache", "rehearse"}) {
    if (!settings.flag(other)) continue;
    return usage_error(
        fmt::format("{}: not with {}", named(settings, "cache"), named(settings, other)));
  }
  return options;
}

RunNetworkOptions network_options(const Settings& settings) {
  RunNetworkOptions options;
  options.timeout = settings.duration("timeout");
  options.connect_timeout = settings.duration("connect-timeout");
  options.drain_timeout = settings.duration("drain-timeout");
  options.max_response_bytes = static_cast<std::size_t>(settings.integer("max-response-size"));
  options.http2 = settings.flag("http2");
  options.ca_file = settings.text("cacert");
  options.rehearse = settings.flag("rehearse");
  return options;
}

/// `07:00`, the next one in local time; or RFC 3339.
std::optional<WallTime> parse_finish_by(const std::string& text, WallTime now) {
  if (const auto time = parse_rfc3339(text)) return time;
  std::tm parts{};
  const char* end = strptime(text.c_str(), "%H:%M", &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const std::time_t present = std::chrono::system_clock::to_time_t(
      std::chrono::time_point_cast<std::chrono::system_clock::duration>(now));
  std::tm local{};
  localtime_r(&present, &local);
  local.tm_hour = parts.tm_hour;
  local.tm_min = parts.tm_min;
  local.tm_sec = 0;
  local.tm_isdst = -1;
  std::time_t then = std::mktime(&local);
  if (then <= present) {
    ++local.tm_mday;
    local.tm_isdst = -1;
    then = std::mktime(&local);
  }
  return WallTime(std::chrono::seconds(then));
}

/// In a configuration they are preferences for the runs that use batches. A flag is meant for this
/// run, which would do something else, at the full price, if it were ignored.
Status only_for_batches(const Settings& settings) {
  for (const char* name :
       {"no-wait", "then", "finish-by", "batch-size", "poll-interval", "cancel-on-interrupt"}) {
    if (settings.origin(name).kind != OriginKind::flag) continue;
    return usage_error(fmt::format("--{}: only with --via batch or --via auto", name));
  }
  return {};
}

Result<RunBatchOptions> batch_options(const Settings& settings) {
  RunBatchOptions options;
  if (settings.command() != Command::run) return options;
  const std::string via = settings.text("via");
  options.via = via == "batch" ? Via::batch : via == "auto" ? Via::automatic : Via::realtime;
  if (options.via == Via::realtime) {
    if (const Status unused = only_for_batches(settings); !unused) return forward_error(unused);
    return options;
  }
  options.wait = !settings.flag("no-wait");
  options.then_realtime = settings.text("then") == "realtime";
  options.batch_size = settings.optional_integer("batch-size").value_or(0);
  options.poll_interval = settings.duration("poll-interval");
  options.cancel_on_interrupt = settings.flag("cancel-on-interrupt");
  if (settings.has("finish-by")) {
    const WallTime now = SystemClock().wall_now();
    options.finish_by = parse_finish_by(settings.text("finish-by"), now);
    if (!options.finish_by) {
      return usage_error(
          fmt::format("{}: '{}' is neither a time of day (07:00) nor RFC 3339 "
                      "(2026-12-01T07:00:00Z)",
                      named(settings, "finish-by"), settings.text("finish-by")));
    }
    if (*options.finish_by <= now) {
      return usage_error(
          fmt::format("{}: {} is over", named(settings, "finish-by"), settings.text("finish-by")));
    }
  }
  if (!options.wait && options.finish_by) {
    return usage_error(fmt::format("{}: not with {}, which ends before anything is due",
                                   named(settings, "finish-by"), named(settings, "no-wait")));
  }
  return options;
}

ProgressStyle progress_style(const std::string& word) {
  if (word == "bar") return ProgressStyle::bar;
  if (word == "log") return ProgressStyle::log;
  if (word == "json") return ProgressStyle::json;
  if (word == "none") return ProgressStyle::none;
  return ProgressStyle::automatic;
}

Result<RunOutputOptions> output_options(const Settings& settings) {
  RunOutputOptions options;
  options.quiet = settings.flag("quiet");
  options.progress = progress_style(settings.text("progress"));
  options.progress_items = settings.flag("progress-items");
  if (options.progress_items && options.progress != ProgressStyle::json) {
    return usage_error(
        fmt::format("{}: only with --progress json", named(settings, "progress-items")));
  }
  options.log_file = settings.text("log-file");
  options.log_format = settings.text("log-format") == "json" ? LogFormat::json : LogFormat::text;
  options.color = color_choice(settings);
  return options;
}

}  // namespace

ColorChoice color_choice(const Settings& settings) {
  const std::string word = settings.text("color");
  if (word == "always") return ColorChoice::always;
  if (word == "never") return ColorChoice::never;
  return ColorChoice::automatic;
}

Result<RunOptions> make_run_options(const std::string& input, const Settings& settings) {
  RunOptions options;
  auto model = model_options(settings);
  if (!model) return forward_error(model);
  auto output = output_options(settings);
  if (!output) return forward_error(output);
  auto checks = check_options(settings);
  if (!checks) return forward_error(checks);
  // Last, because it reads files: contradictions are told before anything is opened.
  auto input_part = input_options(input, settings);
  if (!input_part) return forward_error(input_part);
  options.input = std::move(*input_part);
  options.model = std::move(*model);
  options.limits = limit_options(settings);
  options.cost = cost_options(settings);
  options.errors = error_options(settings);
  options.checks = std::move(*checks);
  auto reuse = reuse_options(settings);
  if (!reuse) return forward_error(reuse);
  options.reuse = std::move(*reuse);
  auto batches = batch_options(settings);
  if (!batches) return forward_error(batches);
  options.batches = *batches;
  options.network = network_options(settings);
  options.output = std::move(*output);
  if (const auto file = settings.text("tokenizer"); !file.empty()) options.tokenizer = file;
  return options;
}

}  // namespace llmbatch
