// Request fields: which members of a line and of the job are sent, under which names and in which
// shape, per wire format. Sources: the request schemas of the providers' API references.
// Thread rule: const after construction.
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/result.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/job.h"
#include "llmbatch/provider/profile.h"

namespace llmbatch {

/// How a value written in OpenAI's style becomes the target's.
enum class FieldShape : std::uint8_t {
  raw,
  output_cap,        ///< an integer, the limit of generated tokens
  list,              ///< a single value becomes a list of one
  responses_effort,  ///< {"effort":...}
  responses_format,  ///< response_format without its json_schema wrapper
  responses_tools,
  anthropic_format,
  anthropic_tools,
  anthropic_tool_choice,
  gemini_effort,  ///< {"thinkingLevel":...}
  gemini_format,  ///< responseMimeType and responseJsonSchema
  gemini_tools,
};

struct FieldRule {
  std::string_view from;
  std::string_view to;
  FieldShape shape = FieldShape::raw;
  bool grouped = false;  ///< stands inside the wire format's group object
};

/// The rules of one wire format and profile.
class FieldTable {
 public:
  FieldTable(WireFormat format, const ProviderProfile& profile);
  const FieldRule* find(std::string_view name) const;
  /// The object that grouped fields share (`generationConfig`); empty when there is none.
  std::string_view group() const { return group_; }

 private:
  std::vector<FieldRule> rules_;  ///< sorted by `from`
  std::string_view group_;
};

/// Appends `,"name":value` in the target's shape.
Status append_field(std::string& out, const FieldRule& rule, std::string_view value);

/// The job's parameters, rendered once, and their combination with those of a line.
class Parameters {
 public:
  static Result<Parameters> make(WireFormat format, const ProviderProfile& profile,
                                 const RequestDefaults& defaults);

  /// Appends the job's parameters that the line does not override, then the line's own. `cap`
  /// becomes the limit of generated tokens, 0 when there is none.
  Status append(std::string& out, std::span<const RawField> fields, TokenCount& cap) const;

 private:
  struct Member {
    FieldRule rule;
    std::string_view value;
  };
  struct JobMember {
    FieldRule rule;
    std::string name;
    std::string value;
    std::string rendered;  ///< `,"name":value`
  };

  explicit Parameters(FieldTable table) : table_(std::move(table)) {}
  Status add(std::string name, std::string value);
  Status append_group(std::string& out, std::span<const Member> own) const;
  bool overridden(const JobMember& member, std::span<const Member> own) const;

  FieldTable table_;
  std::list<JobMember> job_;  ///< a list keeps the names where the rules point to
  std::string rendered_;      ///< all of them, for lines without fields of their own
  TokenCount job_cap_ = 0;
};

}  // namespace llmbatch
