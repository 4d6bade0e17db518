// Settings of `simulate`.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "port", .letter = 'p', .type = integer, .value_name = "N", .default_text = "0",
     .min = 0, .max = 65535, .group = "Server", .commands = kSimulate, .section = "simulate",
     .help = "Port on 127.0.0.1; 0 takes a free one and prints it."},
    {.name = "require-key", .type = text, .value_name = "KEY", .group = "Server",
     .commands = kSimulate, .section = "simulate",
     .help = "Refuse requests with another key. Never put a real key here."},
    {.name = "models", .type = words, .value_name = "NAMES", .group = "Server",
     .commands = kSimulate, .section = "simulate", .help = "What GET /v1/models lists."},
    {.name = "unknown-model", .type = words, .value_name = "NAMES", .group = "Server",
     .commands = kSimulate, .section = "simulate", .help = "Answer 404 for these models."},
    {.name = "log", .type = path, .value_name = "FILE", .group = "Server", .commands = kSimulate,
     .section = "simulate", .help = "Append one JSON line per request to this file."},

    {.name = "latency", .type = text, .value_name = "TIME", .default_text = "0",
     .group = "Answers", .commands = kSimulate, .section = "simulate",
     .help = "Time to answer: 200ms, 100-300ms, or lognormal:800ms:3s (median and 95th "
             "percentile)."},
    {.name = "answer", .type = text, .value_name = "MODE", .default_text = "text",
     .group = "Answers", .commands = kSimulate, .section = "simulate",
     .help = "Kind of answer: text, echo, classify, classify:spam,ham, words:200."},
    {.name = "embedding-dimensions", .type = integer, .value_name = "N", .default_text = "16",
     .min = 1, .max = 65536, .group = "Answers", .commands = kSimulate, .section = "simulate",
     .help = "Length of embeddings where the request does not say."},
    {.name = "seed", .type = integer, .value_name = "N", .default_text = "1", .min = 0,
     .group = "Answers", .commands = kSimulate, .section = "simulate",
     .help = "The same seed and the same requests give the same answers and errors."},

    {.name = "rpm", .type = count, .value_name = "N", .min = 1, .max = 1e9, .group = "Limits",
     .commands = kSimulate, .section = "simulate",
     .help = "Requests per minute; more are answered 429."},
    {.name = "tpm", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kSimulate, .section = "simulate", .help = "Tokens per minute."},
    {.name = "itpm", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kSimulate, .section = "simulate", .help = "Input tokens per minute."},
    {.name = "otpm", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kSimulate, .section = "simulate", .help = "Output tokens per minute."},
    {.name = "rpd", .type = count, .value_name = "N", .min = 1, .max = 1e12, .group = "Limits",
     .commands = kSimulate, .section = "simulate", .help = "Requests in the server's life."},
    {.name = "burst", .type = duration, .value_name = "TIME", .default_text = "1s", .min = 0.001,
     .max = 60, .group = "Limits", .commands = kSimulate, .section = "simulate",
     .help = "How much of a minute's allowance may come at once."},
    {.name = "headers", .type = choice,
     .value_name = "STYLE", .choices = "by-path|openai|azure|groq|mistral|anthropic|none",
     .default_text = "by-path", .group = "Limits", .commands = kSimulate, .section = "simulate",
     .help = "Whose rate-limit headers are sent: by-path, openai, azure, groq, mistral, "
             "anthropic, none."},
    {.name = "retry-hint", .type = choice, .value_name = "FORM",
     .choices = "auto|seconds|milliseconds|http-date|none", .default_text = "auto",
     .group = "Limits", .commands = kSimulate, .section = "simulate",
     .help = "How a 429 says when to come back: auto, seconds, milliseconds, http-date, none."},

    {.name = "errors", .type = text, .value_name = "MIX", .group = "Errors",
     .commands = kSimulate, .section = "simulate",
     .help = "Misbehave with these probabilities: 429=1%,500=0.5%,hang=0.001,cut=0.01."},
    {.name = "quota-after", .type = count, .value_name = "N", .min = 0, .max = 1e12,
     .group = "Errors", .commands = kSimulate, .section = "simulate",
     .help = "Billing is exhausted after that many answers."},
    {.name = "die-after", .type = count, .value_name = "N", .min = 0, .max = 1e12,
     .group = "Errors", .commands = kSimulate, .section = "simulate",
     .help = "Go away after that many requests."},
    {.name = "down-for", .type = duration, .value_name = "TIME", .default_text = "1s", .min = 0,
     .max = 86400, .group = "Errors", .commands = kSimulate, .section = "simulate",
     .help = "With --die-after: come back after this; 0 is never."},
    {.name = "hang-for", .type = duration, .value_name = "TIME", .default_text = "15m",
     .min = 0.001, .max = 86400, .group = "Errors", .commands = kSimulate,
     .section = "simulate", .help = "When a hanging connection is closed at last."},
};

}  // namespace

std::span<const SettingSpec> simulate_rows() { return kRows; }

}  // namespace llmbatch
