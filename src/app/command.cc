#include "llmbatch/app/command.h"

#include <array>

#include "llmbatch/base/check.h"

namespace llmbatch {
namespace {

/// As many as a shell takes.
constexpr std::size_t kManyPositionals = 100'000;

constexpr std::string_view kRunDescription =
    R"(Sends every item of INPUT (a JSONL file, also .gz or .zst, or - for stdin) that has no result yet, and stores each result in the database as it comes. The same command starts a job, resumes it after a crash, and picks up new or changed lines from cron.

A line is an OpenAI batch line, {"id", "messages"}, {"id", "prompt"}, or with --prompt any JSON object.)";

constexpr std::string_view kRunExamples =
    R"(llmbatch run tickets.jsonl --model openai/gpt-4o-mini --rpm 500
llmbatch run tickets.jsonl --model groq/llama-3.1-8b-instant --prompt 'Classify: {{subject}}'
llmbatch run tickets.jsonl --model openai/gpt-4o-mini --via batch # half the price, within a day
llmbatch run reviews.jsonl.gz --base-url http://localhost:8000/v1 --model my-model
llmbatch run tickets.jsonl --model openai/gpt-4o-mini --retry failed,flagged # take problems up again
sort -u in.jsonl | llmbatch run - --db big.db --model openai/gpt-4o-mini # from stdin
llmbatch run tickets.jsonl --rpm 500 --rehearse # a simulated provider, nothing is kept)";

constexpr std::string_view kEstimateDescription =
    R"(Counts the tokens of every request that run would send, and tells what they will cost and how long they will take. Nothing is sent, no key is needed, and no database is made or changed; the job's database is read, if there is one, for what is done already and for what its answers used.

How long answers will be is not known beforehand. Without earlier answers the estimate reaches from one token per item to the cap (--max-tokens), and says so. --pilot N really runs N random items first, as run would, stores their results in the job's database, and goes by what they used; a later run does not send them again.

Takes every option of run. Those that say how requests are sent count for --pilot only.)";

constexpr std::string_view kEstimateExamples =
    R"(llmbatch estimate tickets.jsonl --model openai/gpt-4o-mini --max-tokens 200 --rpm 500
llmbatch estimate tickets.jsonl --model openai/gpt-4o-mini --pilot 30 # sends 30 items
llmbatch estimate tickets.jsonl --base-url http://localhost:8000/v1 --model mine --price-input 0.1 --price-output 0.4
llmbatch estimate tickets.jsonl --model openai/gpt-4o-mini --json)";

constexpr std::string_view kCompareDescription =
    R"(Sends the same random sample of INPUT to several models and shows how often each is right, what it costs, how fast it is, and which is the cheapest that is good enough. What is right stands in a field of the input (--expect); without one, the first model's answers are what the others are compared with.

A comparison is a directory, INPUT.llmbatch-compare, with one job database per model. The same command goes on where it stopped; a larger --sample keeps what is done. Every option of run that decides how a job is sent works here, too.)";

constexpr std::string_view kCompareExamples =
    R"(llmbatch compare tickets.jsonl --prompt-file classify.mustache --models openai/gpt-4o,openai/gpt-4o-mini --expect label
llmbatch compare tickets.jsonl --models openai/gpt-4o,groq/llama-3.1-8b-instant --sample 300 --expect label --expect-mode casefold
llmbatch compare tickets.jsonl --models openai/gpt-4o,openai/gpt-4o-mini --expect label --show-disagreements
llmbatch export tickets.jsonl.llmbatch-compare/openai_gpt-4o.llmbatch.db # one model's answers)";

constexpr std::string_view kStatusDescription =
    R"(Shows counts, cost, rates and the estimated end of a job, also while another process runs it. Without DB it takes the only *.llmbatch.db of the directory.)";

constexpr std::string_view kExportDescription =
    R"(Writes one line per item with its state, output, error, usage and cost, in the order of the input of the last run.)";

constexpr std::string_view kExportExamples =
    R"(llmbatch export tickets.jsonl.llmbatch.db -o results.jsonl
llmbatch export tickets.jsonl.llmbatch.db --format csv --fields id,output
llmbatch export tickets.jsonl.llmbatch.db --state failed,flagged --with response)";

constexpr std::string_view kModelsDescription =
    R"(Prints the price and limit table in use: USD per million tokens, context and output limits, and what a flat price cannot say (long inputs, peak hours, announced changes, cache writes). FILTER keeps the models whose name contains it. A model that is not in the table costs "unknown"; give its price with --price-file or, in a run, --price-input and --price-output.)";

constexpr std::string_view kReportDescription =
    R"(Writes one HTML page about a job: progress and throughput, latency, states, errors, retries, rate limits, tokens, cost, and a sample of problems. The page loads nothing from anywhere and holds no script. It may be made while a run lasts.)";

constexpr std::string_view kReviewDescription =
    R"(Walks through a random sample of the answers in the terminal, one key per verdict, and says how many are good, with a 95 % interval. Each verdict is stored at once, also while a run works on the database; the same command goes on where it stopped.

With --state it walks through problems, which can be requeued (the next run takes them up again) or accepted (they become succeeded with the answer they have). Without a terminal, --export writes the sample as a sheet and --import reads the verdicts back.)";

constexpr std::string_view kReviewExamples =
    R"(llmbatch review tickets.jsonl.llmbatch.db # 1 % of the answers
llmbatch review --sample 200 --seed 7
llmbatch review --state flagged,failed # requeue or accept problems
llmbatch review --export sheet.csv # judge elsewhere ...
llmbatch review --import sheet.csv # ... and bring the verdicts back)";

constexpr std::string_view kSimulateDescription =
    R"(Answers like a provider on 127.0.0.1, with the latency, limits and errors you choose. Point a run at it to rehearse without a key and without cost.)";

constexpr std::string_view kBatchesListDescription =
    R"(Lists the provider batches of a job, done ones included, as the last run left them. INPUT stands for its database INPUT.llmbatch.db; without either, the only *.llmbatch.db of the directory is taken.)";

constexpr std::string_view kBatchesCancelDescription =
    R"(Asks the provider to cancel batches of the job, by number, or all that are open. What a batch has answered until then is collected by the next run, and paid; the rest is pending again after that. A batch that never reached the provider is given up at once. Waits for nothing.)";

constexpr std::string_view kBatchesForgetDescription =
    R"(Gives the items of batches back to the job without their answers: for batches whose results are lost, or whose key is gone. The next run sends these items again. What the provider did of them is paid twice, so this asks first (--yes: it does not).)";

constexpr std::string_view kBatchesWriteDescription =
    R"(Writes what is not done yet as request files, one per batch, and sends nothing: for vLLM's run-batch and other engines that read OpenAI's batch files, or for a provider that is reached from elsewhere. The items count as submitted until batches read brings their answers, or batches forget gives them back. Where the provider has a Batch API, the files have its form, else OpenAI's.

Takes the options of run that decide what is sent. No key is needed.)";

constexpr std::string_view kBatchesWriteExamples =
    R"(llmbatch batches write tickets.jsonl -o out --base-url http://localhost:8000/v1 --model my-model
python -m vllm.entrypoints.openai.run_batch -i out/batch-1.jsonl -o done-1.jsonl --model my-model
llmbatch batches read done-1.jsonl --input tickets.jsonl)";

constexpr std::string_view kBatchesReadDescription =
    R"(Takes result files of batches into the job, by custom id: OpenAI's result lines, as vLLM's run-batch and others write them, or those of the job's own provider. Every answer is judged as in a run. What is stored already is left out, so the same file may be read again; lines of other jobs are counted and named. Every line is checked before the first is stored. .gz and .zst files are read as they are, - is stdin.)";

constexpr std::string_view kBatchesReadExamples =
    R"(llmbatch batches read done-1.jsonl done-2.jsonl --input tickets.jsonl
llmbatch batches read results.jsonl --db tickets.jsonl.llmbatch.db --json)";

constexpr std::string_view kConfigShowDescription =
    R"(Prints every setting with its value and where it came from: flag, environment (LLMBATCH_*), ./llmbatch.toml, the user's config.toml, or the default. What is printed is itself a configuration file. Keys are never shown, only whether they are set.)";

constexpr auto kCommands = std::to_array<CommandSpec>({
    {.command = Command::run,
     .name = "run",
     .positionals = "INPUT",
     .min_positionals = 1,
     .max_positionals = 1,
     .summary = "process what is not done yet: first run, resume and cron",
     .description = kRunDescription,
     .examples = kRunExamples},
    {.command = Command::estimate,
     .name = "estimate",
     .positionals = "INPUT",
     .min_positionals = 1,
     .max_positionals = 1,
     .summary = "tokens, cost and duration before a run; sends nothing",
     .description = kEstimateDescription,
     .examples = kEstimateExamples},

    {.command = Command::compare,
     .name = "compare",
     .positionals = "INPUT",
     .min_positionals = 1,
     .max_positionals = 1,
     .summary = "the same sample through several models: accuracy, cost, latency",
     .description = kCompareDescription,
     .examples = kCompareExamples},
    {.command = Command::status,
     .name = "status",
     .positionals = "[DB]",
     .min_positionals = 0,
     .max_positionals = 1,
     .summary = "counts, cost, rates and ETA of a job, also while it runs",
     .description = kStatusDescription,
     .examples = "llmbatch status\nllmbatch status tickets.jsonl.llmbatch.db --json"},
    {.command = Command::export_results,
     .name = "export",
     .positionals = "[DB]",
     .min_positionals = 0,
     .max_positionals = 1,
     .summary = "results as JSONL or CSV, in input order",
     .description = kExportDescription,
     .examples = kExportExamples},
    {.command = Command::models,
     .name = "models",
     .positionals = "[FILTER]",
     .min_positionals = 0,
     .max_positionals = 1,
     .summary = "the price and limit table in use",
     .description = kModelsDescription,
     .examples = "llmbatch models haiku\nllmbatch models openai/ --json"},
    {.command = Command::report,
     .name = "report",
     .positionals = "[DB]",
     .min_positionals = 0,
     .max_positionals = 1,
     .summary = "one self-contained HTML page with charts",
     .description = kReportDescription,
     .examples = "llmbatch report -o report.html\n"
                 "llmbatch report tickets.jsonl.llmbatch.db -o report.html"},
    {.command = Command::review,
     .name = "review",
     .positionals = "[DB]",
     .min_positionals = 0,
     .max_positionals = 1,
     .summary = "spot-check a sample of the answers, or walk through the problems",
     .description = kReviewDescription,
     .examples = kReviewExamples},
    {.command = Command::batches_list,
     .name = "batches list",
     .positionals = "[INPUT|DB]",
     .min_positionals = 0,
     .max_positionals = 1,
     .summary = "the provider batches of a job",
     .description = kBatchesListDescription,
     .examples = "llmbatch batches list tickets.jsonl\nllmbatch batches list --json"},
    {.command = Command::batches_show,
     .name = "batches show",
     .positionals = "N",
     .min_positionals = 1,
     .max_positionals = 1,
     .summary = "everything about one provider batch",
     .description = "Shows what the job knows of its batch number N, without asking the provider.",
     .examples = "llmbatch batches show 3\nllmbatch batches show 3 --input tickets.jsonl --json"},
    {.command = Command::batches_cancel,
     .name = "batches cancel",
     .positionals = "N...|all",
     .min_positionals = 1,
     .max_positionals = kManyPositionals,
     .summary = "ask the provider to end batches",
     .description = kBatchesCancelDescription,
     .examples = "llmbatch batches cancel 3\nllmbatch batches cancel all --input tickets.jsonl"},
    {.command = Command::batches_forget,
     .name = "batches forget",
     .positionals = "N...",
     .min_positionals = 1,
     .max_positionals = kManyPositionals,
     .summary = "give up batches, and send their items again",
     .description = kBatchesForgetDescription,
     .examples = "llmbatch batches forget 3\nllmbatch batches forget 3 4 --yes"},
    {.command = Command::batches_write,
     .name = "batches write",
     .positionals = "INPUT",
     .min_positionals = 1,
     .max_positionals = 1,
     .summary = "request files for engines that are not reached from here",
     .description = kBatchesWriteDescription,
     .examples = kBatchesWriteExamples},
    {.command = Command::batches_read,
     .name = "batches read",
     .positionals = "FILE...",
     .min_positionals = 1,
     .max_positionals = kManyPositionals,
     .summary = "take result files into the job",
     .description = kBatchesReadDescription,
     .examples = kBatchesReadExamples},
    {.command = Command::simulate,
     .name = "simulate",
     .positionals = "",
     .min_positionals = 0,
     .max_positionals = 0,
     .summary = "a local stand-in provider for rehearsals and tests",
     .description = kSimulateDescription,
     .examples = "llmbatch simulate --port 8080\n"
                 "llmbatch run tickets.jsonl --base-url http://127.0.0.1:8080/v1 --model test"},
    {.command = Command::config_show,
     .name = "config show",
     .positionals = "",
     .min_positionals = 0,
     .max_positionals = 0,
     .summary = "every setting with its value and where it came from",
     .description = kConfigShowDescription,
     .examples = "llmbatch config show\nllmbatch config show --json"},
    {.command = Command::completions,
     .name = "completions",
     .positionals = "bash|zsh|fish",
     .min_positionals = 1,
     .max_positionals = 1,
     .summary = "print a completion script",
     .description = "Prints a completion script for the shell.",
     .examples = "source <(llmbatch completions bash)",
     .hidden = true},
    {.command = Command::man,
     .name = "man",
     .positionals = "",
     .min_positionals = 0,
     .max_positionals = 0,
     .summary = "print the manual page",
     .description = "Prints the manual page as roff.",
     .examples = "llmbatch man | man -l -",
     .hidden = true},
    {.command = Command::help,
     .name = "help",
     .positionals = "[COMMAND]",
     .min_positionals = 0,
     .max_positionals = 2,
     .summary = "help on a command",
     .description = "Prints help.",
     .examples = "llmbatch help run",
     .hidden = true},
    {.command = Command::version,
     .name = "version",
     .positionals = "",
     .min_positionals = 0,
     .max_positionals = 0,
     .summary = "print the version",
     .description = "Prints the version.",
     .examples = "llmbatch version",
     .hidden = true},
});

}  // namespace

std::span<const CommandSpec> command_table() { return kCommands; }

std::vector<const CommandSpec*> commands_of(std::string_view first) {
  std::vector<const CommandSpec*> found;
  for (const CommandSpec& spec : kCommands) {
    if (first_word(spec) == first) found.push_back(&spec);
  }
  return found;
}

std::string_view first_word(const CommandSpec& spec) {
  return spec.name.substr(0, spec.name.find(' '));
}

std::string_view second_word(const CommandSpec& spec) {
  const std::size_t blank = spec.name.find(' ');
  return blank == std::string_view::npos ? std::string_view() : spec.name.substr(blank + 1);
}

const CommandSpec& command_spec(Command command) {
  for (const CommandSpec& spec : kCommands) {
    if (spec.command == command) return spec;
  }
  LLMBATCH_CHECK(false && "a command without a row");
  return kCommands[0];
}

}  // namespace llmbatch
