// Settings of `run` that decide what is sent, and where to.
#include "settings_rows.h"

namespace llmbatch {
namespace {

using enum ValueType;

constexpr SettingSpec kRows[] = {
    {.name = "prompt", .type = text, .value_name = "TEXT", .group = "Input", .commands = kRun,
     .section = "run",
     .help = "Mustache template of the user message, filled with each line's fields: "
             "'Classify: {{subject}}'. Every line is then a record, whatever its fields are called."},
    {.name = "prompt-file", .type = path, .value_name = "FILE", .group = "Input", .commands = kRun,
     .section = "run", .help = "Like --prompt, with the template in a file."},
    {.name = "system", .type = text, .value_name = "TEXT", .group = "Input", .commands = kRun,
     .section = "run",
     .help = "System message of every item. A template when there is a prompt template."},
    {.name = "system-file", .type = path, .value_name = "FILE", .group = "Input", .commands = kRun,
     .section = "run", .help = "Like --system, with the text in a file."},
    {.name = "id", .type = choice, .choices = "line|hash", .group = "Input", .commands = kRun,
     .section = "run",
     .help = "Make ids for a file without any: from the line number or from a hash of the line."},
    {.name = "id-field", .type = text, .value_name = "NAME", .group = "Input", .commands = kRun,
     .section = "run", .help = "Take the id from this field where there is no id or custom_id."},
    {.name = "strict", .type = boolean, .group = "Input", .commands = kRun, .section = "run",
     .help = "Stop before anything is sent when the check of the input finds a bad line."},
    {.name = "store-input", .type = boolean, .group = "Input", .commands = kRun, .section = "run",
     .help = "Keep the text of each line in the database, also for a plain file."},

    {.name = "model", .letter = 'm', .type = text, .value_name = "MODEL", .group = "Model",
     .commands = kRun, .section = "run",
     .help = "Model, as provider/name (openai/gpt-4o-mini, anthropic/claude-haiku-4-5, "
             "ollama/llama3.2). With --provider or --base-url the name is taken as it is."},
    {.name = "provider", .type = text, .value_name = "NAME", .group = "Model", .commands = kRun,
     .section = "run", .help = "Provider profile: base URL, key variable, header style."},
    {.name = "base-url", .type = url, .value_name = "URL", .group = "Model", .commands = kRun,
     .section = "run",
     .help = "Send to this server instead, version path included: http://localhost:8000/v1."},
    {.name = "endpoint", .type = choice, .choices = "chat|responses|embeddings",
     .default_text = "chat", .group = "Model", .commands = kRun, .section = "run",
     .help = "Which endpoint of an OpenAI-compatible server is used."},
    {.name = "wire-format", .type = choice, .choices = "openai|anthropic|gemini", .group = "Model",
     .commands = kRun, .section = "run",
     .help = "Protocol of the server behind --base-url. Without it: that of --provider, else "
             "openai."},
    {.name = "anthropic-version", .type = text, .value_name = "DATE", .default_text = "2023-06-01",
     .group = "Model", .commands = kRun, .section = "run",
     .help = "Value of the anthropic-version header."},
    {.name = "api-key-file", .type = path, .value_name = "FILE", .group = "Model",
     .commands = kRun, .section = "run",
     .help = "Read the API key from this file instead of the provider's variable "
             "(LLMBATCH_API_KEY with --base-url alone). A key is never taken from a flag."},

    {.name = "max-tokens", .type = count, .value_name = "N", .min = 1, .max = 1e9,
     .group = "Request", .commands = kRun, .section = "run",
     .help = "Cap on the tokens of each answer. Where the provider demands one, 4096 is sent."},
    {.name = "temperature", .type = number, .value_name = "X", .min = 0, .max = 100,
     .group = "Request", .commands = kRun, .section = "run", .help = "Sampling temperature."},
    {.name = "top-p", .type = number, .value_name = "X", .min = 0, .max = 1, .group = "Request",
     .commands = kRun, .section = "run", .help = "Nucleus sampling."},
    {.name = "seed", .type = integer, .value_name = "N", .group = "Request", .commands = kRun,
     .section = "run", .help = "Seed for providers that take one."},
    {.name = "stop", .type = texts, .value_name = "TEXT", .group = "Request", .commands = kRun,
     .section = "run", .help = "Stop sequence. May be repeated."},
    {.name = "param", .type = parameters, .value_name = "NAME=JSON", .group = "Request",
     .commands = kRun, .section = "run",
     .help = "Any other field of the request, for example --param top_k=40. May be repeated."},
};

}  // namespace

std::span<const SettingSpec> run_request_rows() { return kRows; }

}  // namespace llmbatch
