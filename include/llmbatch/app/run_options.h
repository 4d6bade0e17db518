// RunOptions: everything that `run` needs, converted and checked from its settings.
// Thread rule: plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llmbatch/app/check_options.h"
#include "llmbatch/app/price_options.h"
#include "llmbatch/app/settings.h"
#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/job.h"

namespace llmbatch {

enum class ProgressStyle : std::uint8_t { automatic, bar, log, json, none };
enum class ColorChoice : std::uint8_t { automatic, always, never };
enum class LogFormat : std::uint8_t { text, json };

/// Where the text of a prompt or system message comes from.
struct TextSource {
  std::string text;  ///< as given, or read from `file`
  std::string file;  ///< empty: given directly
};

struct RunInputOptions {
  std::string path;      ///< `-` is stdin
  std::string database;  ///< empty only for an estimate of stdin without --db
  std::optional<TextSource> prompt;
  std::optional<TextSource> system;
  std::string id_rule = "id";  ///< `id`, `line`, `hash`, `field:NAME`, as in JobIdentity
  bool strict = false;
  bool store_input = false;
};

struct RunModelOptions {
  std::string model;     ///< as given; may be empty (form 1 lines name their own)
  std::string provider;  ///< profile name as given with --provider; may be empty
  std::string base_url;  ///< may be empty
  /// Of --wire-format and --endpoint; absent: neither was given, so the profile decides.
  std::optional<WireFormat> wire_format;
  std::string anthropic_version;
  std::optional<std::string> api_key_file;
  bool needs_key = true;  ///< false: nothing is sent, so no key is looked for
  std::optional<std::int64_t> max_tokens;
  /// temperature, top_p, seed and stop by their OpenAI names, then --param: name and JSON value.
  std::vector<std::pair<std::string, std::string>> parameters;
};

struct RunLimitOptions {
  std::optional<std::int64_t> rpm;
  std::optional<std::int64_t> tpm;
  std::optional<std::int64_t> itpm;
  std::optional<std::int64_t> otpm;
  std::optional<std::int64_t> rpd;
  std::optional<std::int64_t> concurrency;  ///< absent: auto
  std::int64_t max_concurrency = 256;
};

struct RunCostOptions {
  PriceOptions prices;
  std::optional<Money> max_cost;
  std::optional<std::int64_t> max_items;
  std::optional<Duration> max_duration;
};

struct RunErrorOptions {
  std::uint32_t max_retries = 5;
  bool retry_truncated = false;
  std::optional<double> max_error_rate;  ///< 0 to 1; absent: switched off
  bool warn_on_error_rate = false;       ///< false: pause
  std::vector<ItemState> retry_states;
  bool rerun_changed = false;
};

struct RunReuseOptions {
  bool enabled = true;        ///< identical requests are paid once
  std::string cache;          ///< file of answers shared with other jobs; empty: none
  bool prompt_cache = false;  ///< mark what the requests share for the provider's prompt cache
};

enum class Via : std::uint8_t { realtime, batch, automatic };

struct RunBatchOptions {
  Via via = Via::realtime;
  bool wait = true;
  bool then_realtime = false;
  std::optional<WallTime> finish_by;
  std::int64_t batch_size = 0;  ///< 0: what the provider takes
  Duration poll_interval = std::chrono::seconds(30);
  bool cancel_on_interrupt = false;
  /// Not empty (`batches write`): request files are written here, and nothing is sent.
  std::string write_directory;
};

struct RunNetworkOptions {
  Duration timeout{};
  Duration connect_timeout{};
  Duration drain_timeout{};
  std::size_t max_response_bytes = 0;
  bool http2 = false;
  std::string ca_file;  ///< empty: the system's
  bool rehearse = false;
};

struct RunOutputOptions {
  bool quiet = false;
  ProgressStyle progress = ProgressStyle::automatic;
  bool progress_items = false;
  std::string log_file;  ///< empty: none
  LogFormat log_format = LogFormat::text;
  ColorChoice color = ColorChoice::automatic;
  bool summary = true;  ///< print the screen at the end of the run
};

struct RunOptions {
  RunInputOptions input;
  RunModelOptions model;
  RunLimitOptions limits;
  RunCostOptions cost;
  RunErrorOptions errors;
  CheckOptions checks;
  RunReuseOptions reuse;
  RunBatchOptions batches;
  RunNetworkOptions network;
  RunOutputOptions output;
  std::int64_t pilot = 0;                ///< run this many items only, drawn at random; 0: all
  std::string command = "llmbatch run";  ///< what others are told of who holds the database
  std::optional<std::string> tokenizer;  ///< a file; absent: token counts are estimated
};

/// Reads the prompt and system files, too. Contradictions are usage errors that name both settings
/// and where they came from.
Result<RunOptions> make_run_options(const std::string& input, const Settings& settings);

ColorChoice color_choice(const Settings& settings);

}  // namespace llmbatch
