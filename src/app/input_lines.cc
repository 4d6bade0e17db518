#include "llmbatch/app/input_lines.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "llmbatch/app/run_plan.h"
#include "llmbatch/provider/make_provider.h"
#include "prompt_cache.h"

namespace llmbatch {
namespace {

/// Satisfies make_provider; nothing is ever sent with it.
constexpr const char* kNoKey = "unused";

void take_parameters(const std::string& text, ProviderConfig& config) {
  const auto parameters = nlohmann::ordered_json::parse(text, nullptr, false);
  if (!parameters.is_object()) return;
  for (const auto& [name, value] : parameters.items()) {
    if (name == "anthropic-version" && value.is_string()) {
      config.anthropic_version = value.get<std::string>();
    } else if (name == "prompt-cache") {
      config.defaults.mark_prompt_cache = true;
    } else if (name == "max_tokens" && value.is_number_integer()) {
      config.defaults.max_tokens = value.get<std::int64_t>();
    } else {
      config.defaults.parameters.emplace_back(name, value.dump());
    }
  }
}

}  // namespace

Result<std::unique_ptr<Provider>> provider_of_job(const JobIdentity& job) {
  const auto format = parse_wire_format(job.wire_format);
  if (!format)
    return failure(fmt::format("unknown wire format '{}' in the database", job.wire_format));
  ProviderConfig config;
  config.wire_format = *format;
  config.profile = find_profile(job.profile);
  config.key = kNoKey;
  if (config.profile == nullptr || config.profile->base_url.empty()) {
    config.base_url = "https://endpoint.invalid/openai/v1";
  }
  config.defaults.model = job.model;
  if (job.prompt_template.empty() && !job.system_template.empty()) {
    config.defaults.system = job.system_template;
  }
  take_parameters(job.parameters, config);
  const auto checks = stored_checks(job.checks);
  if (!checks) return forward_error(checks);
  config.defaults.answer_format = answer_format(*checks);
  if (config.defaults.mark_prompt_cache) {
    const Status marked =
        mark_prompt_cache(job.prompt_template.empty() ? nullptr : &job.prompt_template,
                          job.system_template.empty() ? nullptr : &job.system_template, config);
    if (!marked) return forward_error(marked);
  }
  return make_provider(std::move(config));
}

InputLines::InputLines(std::unique_ptr<Provider> provider, const LineParserOptions& options)
    : provider_(std::move(provider)), parser_(options), id_rule_(options.id_rule) {}

Result<std::unique_ptr<InputLines>> InputLines::open(const std::optional<std::string>& path,
                                                     const JobIdentity& job) {
  auto provider = provider_of_job(job);
  if (!provider) return forward_error(provider);
  RunInputOptions options;
  options.id_rule = job.id_rule;
  if (!job.prompt_template.empty()) {
    options.prompt = TextSource{job.prompt_template, ""};
    if (!job.system_template.empty()) options.system = TextSource{job.system_template, ""};
  }
  auto parser = line_parser_options(options);
  if (!parser) return forward_error(parser);
  std::unique_ptr<InputLines> lines(new InputLines(std::move(*provider), *parser));
  if (!path) return lines;
  const auto input = InputFile::open(*path, ".");
  if (!input) return forward_error(input);
  auto bytes = input->bytes();
  if (!bytes) return forward_error(bytes);
  lines->reader_ = std::make_unique<LineReader>(std::move(*bytes));
  return lines;
}

Result<std::optional<std::string>> InputLines::text(std::uint64_t number) {
  if (!reader_ || number < next_) return std::nullopt;
  const Result<std::uint64_t> skipped = reader_->skip(number - next_);
  if (!skipped) return forward_error(skipped);
  next_ += *skipped;
  Line line;
  const Result<bool> more = reader_->next(line);
  if (!more) return forward_error(more);
  if (!*more || line.overlong) return std::nullopt;
  ++next_;
  return std::string(line.text);
}

std::optional<InputLines::Found> InputLines::parse(std::string text, std::uint64_t number) {
  Found found;
  found.text = std::move(text);
  // The parser reads in blocks, past the end of the line.
  const std::size_t size = found.text.size();
  found.text.resize(size + kLinePaddingBytes);
  Line line;
  line.text = std::string_view(found.text).substr(0, size);
  line.number = number;
  LineFields fields;
  const bool usable = parser_.parse(line, fields) && provider_->build_request(fields, request_);
  if (usable) {
    found.request_hash = provider_->request_hash(request_);
    found.request_body = request_.body;
    found.id = id_rule_ == IdRule::hash ? to_hex(found.request_hash) : std::string(fields.id);
  }
  found.text.resize(size);
  if (!usable) return std::nullopt;
  return found;
}

}  // namespace llmbatch
