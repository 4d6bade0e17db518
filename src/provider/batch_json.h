// What the Batch APIs have in common: URLs below a base, tolerant reading of JSON replies, and
// result lines whose bodies stay the bytes that they were. Pure functions; safe from any thread.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "llmbatch/base/clock.h"
#include "llmbatch/base/result.h"
#include "llmbatch/model/http.h"
#include "llmbatch/model/item.h"
#include "llmbatch/model/remote_batch.h"
#include "raw_json.h"

namespace llmbatch {

using Json = nlohmann::json;

/// `base` may have a query, which stays behind the path; `query` is `name=value&...` or empty.
std::string api_url(std::string_view base, std::string_view path, std::string_view query = {});
/// Percent-encodes an id or cursor for a path or query.
std::string url_part(std::string_view text);

/// The reply's JSON object or array.
Result<Json> read_reply(const HttpReply& reply, std::string_view what);
/// The same for a list, bare or in `data`. A reply without either is an error: what it does not
/// list must not count as absent.
Result<Json> read_list(const HttpReply& reply, std::string_view what);

// Members that are absent, null or of another type are empty.
std::string text_of(const Json& object, const char* name);
std::optional<std::int64_t> number_of(const Json& object, const char* name);  ///< 12 or "12"
/// Of requests: 0 if absent, and never so many that a sum of some could overflow.
std::int64_t count_of(const Json& object, const char* name);
bool is_true(const Json& object, const char* name);
std::optional<WallTime> time_of(const Json& object, const char* name);  ///< seconds or RFC 3339
const Json& object_of(const Json& object, const char* name);            ///< an empty one if absent
const Json& array_of(const Json& object, const char* name);             ///< an empty one if absent

struct StateWord {
  std::string_view word;
  RemoteBatchState state;
};
/// Case-insensitive.
RemoteBatchState state_of(std::string_view word, std::span<const StateWord> words);

/// Appends a JSON object with raw line breaks turned into spaces: outside strings they mean
/// nothing, and inside they cannot be.
void append_on_one_line(std::string& out, std::string_view json);
/// The same without its top-level member `name`.
void append_without_member(std::string& out, std::string_view object, std::string_view name);

/// Fails when the body asks for a stream.
Status refuse_stream(std::string_view body);

/// Why a result line is none: `members` of it were all looked at, and its id was not found or
/// something else is wrong with it.
tl::unexpected<Error> not_a_line(const RawObject& members, std::string_view id_name);

/// A line of an OpenAI-like result file: `custom_id`, `response`, `error`.
Result<BatchAnswer> parse_openai_answer(std::string_view line);

}  // namespace llmbatch
