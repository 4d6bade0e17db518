#include "llmbatch/app/settings_table.h"

#include <algorithm>
#include <string>

#include "settings_rows.h"

namespace llmbatch {
namespace {

std::vector<SettingSpec> all_rows() {
  std::vector<SettingSpec> rows;
  for (const auto part : {estimate_rows(), run_request_rows(), run_pacing_rows(), run_batch_rows(),
                          run_reuse_rows(), run_output_rows(), run_check_rows(), price_rows(),
                          token_rows(), other_rows(), review_rows(), simulate_rows()}) {
    rows.insert(rows.end(), part.begin(), part.end());
  }
  add_compare_rows(rows);
  add_batches_rows(rows);
  return rows;
}

bool stands_in(const SettingSpec& spec, std::string_view section) {
  if (spec.set_by != SetBy::anything) return false;
  if (section.empty()) return spec.section.empty() || spec.section == "run";
  return spec.section == section;
}

}  // namespace

std::span<const SettingSpec> settings_table() {
  static const std::vector<SettingSpec> kRows = all_rows();
  return kRows;
}

std::vector<const SettingSpec*> settings_of(Command command) {
  std::vector<const SettingSpec*> found;
  for (const SettingSpec& spec : settings_table()) {
    const bool shown = command == Command::config_show && spec.set_by != SetBy::flag;
    if (contains(spec.commands, command) || shown) found.push_back(&spec);
  }
  return found;
}

const SettingSpec* find_setting(Command command, std::string_view name) {
  for (const SettingSpec& spec : settings_table()) {
    if (spec.name == name && contains(spec.commands, command)) return &spec;
  }
  return nullptr;
}

const SettingSpec* find_file_key(std::string_view section, std::string_view key) {
  for (const SettingSpec& spec : settings_table()) {
    if (spec.name == key && stands_in(spec, section)) return &spec;
  }
  return nullptr;
}

std::vector<std::string> file_sections() {
  std::vector<std::string> sections;
  for (const SettingSpec& spec : settings_table()) {
    if (spec.section.empty() || spec.set_by != SetBy::anything) continue;
    if (std::find(sections.begin(), sections.end(), spec.section) == sections.end()) {
      sections.emplace_back(spec.section);
    }
  }
  return sections;
}

std::vector<std::string> file_keys(std::string_view section) {
  std::vector<std::string> keys;
  for (const SettingSpec& spec : settings_table()) {
    if (stands_in(spec, section)) keys.emplace_back(spec.name);
  }
  return keys;
}

}  // namespace llmbatch
