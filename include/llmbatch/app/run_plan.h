// RunPlan: what a run has to do, found by a scan of the input, or taken from the database when the
// input is unchanged. Thread rule: used by one thread; the scan has a second one of its own.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "llmbatch/app/run_options.h"
#include "llmbatch/input/input_file.h"
#include "llmbatch/input/line_parser.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/port/item_source.h"
#include "llmbatch/port/provider.h"
#include "llmbatch/store/store.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch {

struct RunPlan {
  InputIdentity identity;
  bool unchanged = false;  ///< the stored plan is used; the four members below are empty
  std::unique_ptr<LineRunStream> lines;
  std::unique_ptr<InvalidLineStream> invalid;
  std::unique_ptr<LineRunStream> repeats;  ///< see ScanResult
  ScanCounts counts;
  StateCounts items;  ///< of the current input, before the run
  InputPlace start;   ///< unchanged: where reading begins
};

/// Called during a scan; both may be empty. See ScanOptions.
struct ScanHooks {
  std::function<void(std::uint64_t done, std::uint64_t total)> on_progress;
  std::function<void(const Request& request, const Hash128& request_hash)> on_request;
};

/// `force_scan`: the job was changed. Long scans are reported through `hooks`; a pending SIGINT or
/// SIGTERM ends them with the error kScanCancelled.
Result<RunPlan> make_run_plan(const RunOptions& options, const InputFile& input,
                              const Provider& provider, StoreReader& reader, bool force_scan,
                              ScanHooks hooks);

/// Those without a final state.
std::uint64_t items_to_do(const StateCounts& items);

Result<LineParserOptions> line_parser_options(const RunInputOptions& options);

/// Whether items that are in a provider batch are among them.
enum class Submitted : std::uint8_t { left_out, included };

/// The items of the plan (of a pilot: some), with the attempts that earlier runs made. `plan.lines`
/// is taken.
Result<std::unique_ptr<ItemSource>> open_items(const RunOptions& options, const InputFile& input,
                                               const Provider& provider, StoreReader& reader,
                                               RunPlan& plan,
                                               Submitted submitted = Submitted::left_out);

/// What the database says is left to do of the input of `plan`, once that is stored.
RunPlan remaining_plan(const RunPlan& plan, StoreReader& reader);

/// The lines of `lines` that are to be run, read from the input as `plan` found it.
Result<std::unique_ptr<ItemSource>> open_lines(const RunOptions& options, const InputFile& input,
                                               const Provider& provider,
                                               std::unique_ptr<LineRunStream> lines,
                                               const RunPlan& plan,
                                               std::unique_ptr<LineRunStream> repeats = nullptr);

/// Signals are blocked and wait in the signalfd; asking what is pending consumes nothing.
bool stop_signal_pending();

/// At most `limit` lines `INPUT:LINE: reason`, then how many more there are.
Result<std::vector<std::string>> describe_invalid_lines(InvalidLineStream& lines,
                                                        const std::string& input,
                                                        std::uint64_t total, std::size_t limit);

}  // namespace llmbatch
