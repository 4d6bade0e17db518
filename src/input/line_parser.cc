#include "llmbatch/input/line_parser.h"

#include <algorithm>
#include <utility>

#include "json_structure.h"
#include "json_text.h"

namespace llmbatch {
namespace {

/// Above this many members looking each one up among the others would show.
constexpr std::size_t kFewMembers = 64;
constexpr std::size_t kUsualTextBytes = 1024 * 1024;

bool is_string(std::string_view value) { return value.starts_with('"'); }
bool is_set(std::string_view value) { return !value.empty() && value != "null"; }
std::string_view unquoted(std::string_view value) { return value.substr(1, value.size() - 2); }

/// Of members with one name the last one counts, as in every JSON library that builds a map.
void drop_repeated(std::vector<RawField>& members) {
  if (members.size() > kFewMembers) {
    std::stable_sort(members.begin(), members.end(),
                     [](const RawField& a, const RawField& b) { return a.name < b.name; });
    const auto last =
        std::unique(members.rbegin(), members.rend(),
                    [](const RawField& a, const RawField& b) { return a.name == b.name; });
    members.erase(members.begin(), last.base());
    return;
  }
  for (std::size_t i = 0; i < members.size();) {
    const bool again =
        std::any_of(members.begin() + static_cast<std::ptrdiff_t>(i) + 1, members.end(),
                    [&](const RawField& other) { return other.name == members[i].name; });
    if (again) {
      members.erase(members.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

}  // namespace

/// The members that decide about form and id, raw; empty: not there.
struct LineParser::Known {
  std::string_view id;
  std::string_view custom_id;
  std::string_view id_field;
  std::string_view method;
  std::string_view url;
  std::string_view body;
  std::string_view messages;
  std::string_view prompt;
  std::string_view system;

  bool is_batch_line() const {
    if (!body.starts_with('{')) return is_set(body) && is_set(url) && is_set(method);
    return is_set(url) || (is_set(custom_id) && !is_set(messages) && !is_set(prompt));
  }
};

LineParser::LineParser(LineParserOptions options)
    : options_(std::move(options)), structure_(std::make_unique<JsonStructure>()) {}

LineParser::~LineParser() = default;

Status LineParser::parse(const Line& line, LineFields& fields) {
  fields = {};
  if (options_.id_rule == IdRule::line) {
    number_ = std::to_string(line.number);
    fields.id = number_;
  }
  if (line.overlong) {
    return usage_error("longer than " + std::to_string(kMaxLineBytes / (1024 * 1024)) + " MiB");
  }
  if (!structure_->parse(line.text)) return usage_error(structure_->error());
  Known known;
  if (auto read = read_members(known); !read) return read;
  if (auto read = read_id(known, fields); !read) return read;
  return read_form(line, known, fields);
}

std::string_view LineParser::decode(std::string_view inner) {
  if (inner.find('\\') == std::string_view::npos) return inner;
  return decode_json_string(inner, decoded_.emplace_back());
}

Status LineParser::read_members(Known& known) {
  decoded_.clear();
  members_.clear();
  for (const JsonMember& member : structure_->members()) {
    members_.push_back({decode(unquoted(member.name)), member.value});
  }
  drop_repeated(members_);
  for (const auto& [name, value] : members_) {
    if (name == "id") known.id = value;
    if (name == "custom_id") known.custom_id = value;
    if (name == "method") known.method = value;
    if (name == "url") known.url = value;
    if (name == "body") known.body = value;
    if (name == "messages") known.messages = value;
    if (name == "prompt") known.prompt = value;
    if (name == "system") known.system = value;
    if (!options_.id_field.empty() && name == options_.id_field) known.id_field = value;
  }
  return {};
}

Status LineParser::read_id(const Known& known, LineFields& fields) {
  if (options_.id_rule != IdRule::field) return {};
  if (is_set(known.id)) return id_from("id", known.id, fields);
  if (is_set(known.custom_id)) return id_from("custom_id", known.custom_id, fields);
  if (is_set(known.id_field)) return id_from(options_.id_field, known.id_field, fields);
  if (options_.id_field.empty()) return usage_error("no 'id' and no 'custom_id'");
  return usage_error("no 'id', no 'custom_id' and no '" + options_.id_field + "'");
}

Status LineParser::id_from(std::string_view name, std::string_view value, LineFields& fields) {
  if (is_string(value)) {
    fields.id = decode(unquoted(value));
    if (fields.id.empty()) return usage_error("'" + std::string(name) + "' is empty");
    return {};
  }
  if (is_json_number(value)) {
    fields.id = value;
    return {};
  }
  return usage_error("'" + std::string(name) + "' is neither a string nor a number (" +
                     std::string(value.substr(0, 20)) + ")");
}

Status LineParser::read_form(const Line& line, const Known& known, LineFields& fields) {
  if (options_.prompt || options_.system) return read_record(line, fields);
  if (known.is_batch_line()) return read_batch_line(known, fields);
  if (is_set(known.messages)) {
    if (!known.messages.starts_with('[')) return usage_error("'messages' is not an array");
    fields.form = LineForm::messages;
    fields.messages = known.messages;
  } else if (is_set(known.prompt)) {
    if (!is_string(known.prompt)) return usage_error("'prompt' is not a string");
    fields.form = LineForm::prompt;
    fields.prompt = known.prompt;
  } else {
    return usage_error("has neither 'messages' nor 'prompt' nor 'url' and 'body'");
  }
  read_other_fields(known, fields);
  return {};
}

Status LineParser::read_record(const Line& line, LineFields& fields) {
  fields.form = LineForm::record;
  const std::string_view record = line.text.substr(line.text.find('{'));
  for (auto [text, buffer, field] : {std::tuple{options_.prompt.get(), &prompt_, &fields.prompt},
                                     std::tuple{options_.system.get(), &system_, &fields.system}}) {
    if (text == nullptr) continue;
    if (buffer->capacity() > kUsualTextBytes && line.text.size() < kUsualTextBytes) {
      std::string().swap(*buffer);
    }
    if (auto rendered = text->render(record, *buffer); !rendered) return rendered;
    buffer->reserve(buffer->size() + kLinePaddingBytes);
    *field = *buffer;
  }
  // With a system template alone the record still says what is asked.
  if (!options_.prompt) {
    const auto prompt = find_member(record, "prompt");
    if (!prompt || !is_string(*prompt)) return usage_error("'prompt' is not a string");
    fields.prompt = *prompt;
  }
  return {};
}

Status LineParser::read_batch_line(const Known& known, LineFields& fields) {
  fields.form = LineForm::batch_line;
  if (!known.body.starts_with('{')) return usage_error("'body' is not an object");
  if (is_set(known.method) && known.method != "\"POST\"") {
    return usage_error("'method' is not POST (" + std::string(known.method.substr(0, 20)) + ")");
  }
  if (is_set(known.url)) {
    if (!is_string(known.url)) return usage_error("'url' is not a string");
    fields.url = decode(unquoted(known.url));
  }
  fields.body = known.body;
  return {};
}

void LineParser::read_other_fields(const Known& known, LineFields& fields) {
  const bool plain_system = is_string(known.system);
  if (plain_system) fields.system = known.system;
  const std::string_view used = fields.form == LineForm::messages ? known.messages : known.prompt;
  fields_.clear();
  for (const RawField& member : members_) {
    const bool is_id = member.name == "id" || member.name == "custom_id" ||
                       (!options_.id_field.empty() && member.name == options_.id_field &&
                        !is_set(known.id) && !is_set(known.custom_id));
    const bool taken =
        member.value.data() == used.data() || (plain_system && member.name == "system");
    if (!is_id && !taken) fields_.push_back(member);
  }
  fields.fields = fields_;
}

}  // namespace llmbatch
