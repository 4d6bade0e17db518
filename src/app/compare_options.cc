#include "llmbatch/app/compare_options.h"

#include <fmt/core.h>

#include <set>

#include "llmbatch/app/database_path.h"
#include "llmbatch/app/settings_table.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/base/text.h"
#include "llmbatch/report/compare_result.h"

namespace llmbatch {
namespace {

constexpr std::size_t kMaxNameBytes = 120;

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-';
}

Result<std::vector<std::string>> model_names(const Settings& settings) {
  std::vector<std::string> names = settings.list("models");
  if (names.empty()) {
    return usage_error(
        "no models: name them with --models PROVIDER/NAME,PROVIDER/NAME (for example "
        "openai/gpt-4o,openai/gpt-4o-mini)");
  }
  std::set<std::string> seen;
  for (const std::string& name : names) {
    if (!seen.insert(name).second) {
      return usage_error(fmt::format("--models: '{}' is named twice", sanitize_for_terminal(name)));
    }
  }
  if (names.size() == 1 && !settings.has("expect")) {
    return usage_error(
        "--models: one model alone can only be measured against expected answers (--expect FIELD); "
        "name another one to compare it with");
  }
  return names;
}

Result<std::string> directory_of(const std::string& input, const Settings& settings) {
  if (settings.has("dir")) {
    std::string directory = settings.text("dir");
    while (directory.size() > 1 && directory.back() == '/') directory.pop_back();
    return directory;
  }
  if (input == "-") {
    return usage_error("--dir is missing: input from stdin has no name to make a directory's from");
  }
  return input + std::string(kCompareSuffix);
}

}  // namespace

std::string compare_database_name(const std::string& model) {
  std::string name;
  bool ambiguous = model.size() > kMaxNameBytes || model.starts_with('.');
  bool slash_seen = false;
  for (const char c : model.substr(0, kMaxNameBytes)) {
    const bool first_slash = c == '/' && !slash_seen;
    slash_seen = slash_seen || c == '/';
    name += is_plain(c) ? c : '_';
    ambiguous = ambiguous || (!is_plain(c) && !first_slash);
  }
  if (name.starts_with('.')) name.front() = '_';
  if (ambiguous) name += "-" + to_hex(hash128(model)).substr(0, 8);
  return name + std::string(kDatabaseSuffix);
}

Result<CompareOptions> make_compare_options(const std::string& input, const Settings& settings) {
  CompareOptions options;
  options.input = input;
  const auto names = model_names(settings);
  if (!names) return forward_error(names);
  auto directory = directory_of(input, settings);
  if (!directory) return forward_error(directory);
  options.directory = std::move(*directory);
  options.rule.expected_field = settings.text("expect");
  if (settings.has("expect") && options.rule.expected_field.empty()) {
    return usage_error("--expect: the name of the field is empty");
  }
  options.rule.mode = parse_match_mode(settings.text("expect-mode")).value_or(MatchMode::exact);
  options.rule.answer_pointer = settings.text("answer-pointer");
  options.sample = settings.integer("sample");
  options.sample_seed = static_cast<std::uint64_t>(settings.integer("sample-seed"));
  options.tolerance = settings.number("tolerance");
  options.disagreements = settings.optional_integer("show-disagreements").value_or(0);
  options.json = settings.flag("json");
  options.answers = settings.text("answers");
  if (options.answers == "-") {
    return usage_error("--answers: stdout is for the result itself; name a file");
  }
  auto shared = shared_run_settings(settings);
  if (!shared) return forward_error(shared);
  const SettingSpec* database = find_setting(Command::run, "db");
  const Origin origin{OriginKind::flag, "--dir"};
  if (Status set = shared->set({database, {options.directory}, origin}); !set) {
    return forward_error(set);
  }
  // Of the input itself, so that two readers of stdin are told apart.
  auto job = make_run_options(input, *shared);
  if (!job) return forward_error(job);
  job->command = "llmbatch compare";
  job->output.summary = false;
  // Wrong requests apart, what goes wrong is what a comparison is to find out.
  const bool guarded = settings.origin("max-error-rate").kind != OriginKind::default_value;
  if (!guarded) job->errors.max_error_rate.reset();
  job->input.path = options.sample_path();
  for (const std::string& name : *names) {
    job->model.model = name;
    job->input.database = options.directory + "/" + compare_database_name(name);
    options.jobs.push_back(*job);
  }
  return options;
}

}  // namespace llmbatch
