// An item: one input line and what is to be sent for it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "llmbatch/base/hash.h"
#include "llmbatch/model/usage.h"

namespace llmbatch {

/// Numbers are stored in the database: never renumber. Names are those of the README (States).
enum class ItemState : std::uint8_t {
  pending = 0,
  in_flight = 1,
  submitted = 2,
  succeeded = 3,
  filtered = 4,
  flagged = 5,
  failed = 6,
  invalid = 7,
};
inline constexpr int kItemStateCount = 8;

std::string_view to_string(ItemState state);
std::optional<ItemState> parse_item_state(std::string_view name);
/// True for the states that an item ends in.
bool is_final(ItemState state);

/// Where an item stands in the (decompressed) input.
struct InputPlace {
  std::uint64_t line = 0;  ///< from 1
  std::uint64_t offset_bytes = 0;
  std::uint32_t length_bytes = 0;  ///< without the line end
};

/// One top-level member of a line: decoded name, raw JSON value.
struct RawField {
  std::string_view name;
  std::string_view value;
};

/// The four forms of the README (Input), in the order in which they are recognised.
enum class LineForm : std::uint8_t { batch_line, messages, prompt, record };

/// What the input module understood of one line. Every view points into buffers of the reader and
/// is valid until the next line is read; `raw` values are JSON text, spliced as they are.
struct LineFields {
  LineForm form = LineForm::prompt;
  std::string_view id;        ///< decoded
  std::string_view url;       ///< batch_line: decoded, as written (`/v1/chat/completions`)
  std::string_view body;      ///< batch_line: raw JSON object
  std::string_view messages;  ///< messages: raw JSON array
  std::string_view prompt;    ///< prompt, record: raw JSON string
  std::string_view system;  ///< raw JSON string of `system` or of the system template; may be empty
  std::span<const RawField> fields;  ///< messages, prompt: all other top-level members
};

/// What is sent for an item. `url` is complete; `body` is the exact bytes of the POST.
struct Request {
  std::string url;
  std::string body;
  std::string model;          ///< that the body or url names, as requested; empty: none
  TokenCount output_cap = 0;  ///< the body's own output token limit, 0 when it names none
};

struct Item {
  std::uint64_t seq = 0;  ///< order of first sight: key of the database row
  std::string id;
  Hash128 id_hash;
  Hash128 request_hash;  ///< wire format, profile, url and exact body
  InputPlace place;
  Request request;
  /// An item with the same request, to be answered before this one; 0: none. Only a hint: whoever
  /// uses it compares the request hashes.
  std::uint64_t same_as = 0;
  bool own_model = false;      ///< the line names a model of its own
  std::uint32_t attempts = 0;  ///< made before, in earlier runs
  std::string input_text;      ///< the line, when it has to be stored; else empty
};

}  // namespace llmbatch
