// `llmbatch batches cancel` and `batches forget`.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

#include "batch_session.h"
#include "llmbatch/app/commands.h"
#include "llmbatch/app/database_path.h"
#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

std::string number_list(std::span<const std::int64_t> numbers) {
  return fmt::format("{} {}", numbers.size() == 1 ? "batch" : "batches", fmt::join(numbers, ", "));
}

/// What the provider, or who was given the files, may have done already; empty: nothing.
std::string risk_of(const BatchRecord& batch) {
  const std::string requests = group_digits(batch.requests - batch.answered);
  if (batch.stage == BatchStage::written) {
    return fmt::format(
        "batch {}: {} requests were written to {}; answers to them are not taken any more",
        batch.number, requests, sanitize_for_terminal(batch.file_path));
  }
  const bool sent = batch.stage == BatchStage::submitted;
  if (!sent && !batch.call_begun_at) return "";
  return fmt::format("batch {}: {} requests {} at the provider as {}; what it does of them is paid",
                     batch.number, requests, sent ? "are" : "may be",
                     sanitize_for_terminal(batch.remote_id.empty() ? batch.tag : batch.remote_id));
}

/// False: the user does not want it.
Result<bool> confirm(const BatchSession& session, std::span<const std::int64_t> numbers,
                     bool said_yes) {
  std::string risks;
  for (const BatchRecord& batch : session.batches()) {
    if (std::find(numbers.begin(), numbers.end(), batch.number) == numbers.end()) continue;
    if (const std::string risk = risk_of(batch); !risk.empty()) risks += risk + "\n";
  }
  if (risks.empty()) return true;
  risks += "their items will be sent, and paid, again\n";
  if (said_yes || ::isatty(STDIN_FILENO) != 1) {
    fmt::print(stderr, "{}", risks);
    if (said_yes) return true;
    return usage_error("nothing was forgotten: confirm it with --yes");
  }
  fmt::print(stderr, "{}forget {}? [y/N] ", risks, number_list(numbers));
  std::string answer;
  // Nothing is at stake while it waits: Ctrl-C simply ends it.
  SignalInterrupts::unblock_signals();
  std::getline(std::cin, answer);
  SignalInterrupts::block_signals();
  return answer == "y" || answer == "Y" || answer == "yes";
}

Result<int> forget(BatchSession& session, std::span<const std::int64_t> numbers, bool said_yes) {
  const auto wanted = confirm(session, numbers, said_yes);
  if (!wanted) return forward_error(wanted);
  if (!*wanted) {
    fmt::print(stderr, "llmbatch: nothing was forgotten\n");
    return 0;
  }
  const auto result = session.forget(numbers);
  if (!result) return forward_error(result);
  if (result->error) return tl::unexpected<Error>(*result->error);
  return exit_code_of(*result);
}

Result<int> cancel(BatchSession& session, std::span<const std::int64_t> numbers) {
  const auto result = session.cancel(numbers);
  if (!result) return forward_error(result);
  if (result->error) return tl::unexpected<Error>(*result->error);
  return exit_code_of(*result);
}

Result<int> change(const ParsedCommand& parsed, const Environment& environment) {
  const Settings& settings = parsed.settings;
  const auto database = database_of_job(settings.optional_text("input"), settings, environment);
  if (!database) return forward_error(database);
  const bool cancels = parsed.command == Command::batches_cancel;
  if (!cancels && parsed.positionals[0] == "all") {
    return usage_error("batches forget: name the batches by number (see 'llmbatch batches list')");
  }
  auto session =
      BatchSession::open(*database, settings, environment,
                         cancels ? BatchSession::Reach::provider : BatchSession::Reach::nobody);
  if (!session) return forward_error(session);
  const auto numbers = (*session)->choose(parsed.positionals);
  if (!numbers) return forward_error(numbers);
  if (numbers->empty()) {
    fmt::print(stderr, "llmbatch: {}: no open batch to {}\n", sanitize_for_terminal(*database),
               cancels ? "cancel" : "forget");
    return 0;
  }
  return cancels ? cancel(**session, *numbers) : forget(**session, *numbers, settings.flag("yes"));
}

}  // namespace

int batches_change_command(const ParsedCommand& parsed, const Environment& environment) {
  SignalInterrupts::block_signals();
  const auto code = change(parsed, environment);
  return code ? *code : report_error(code.error());
}

}  // namespace llmbatch
