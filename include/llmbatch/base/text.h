// Small text functions. All are pure; UTF-8 in, UTF-8 out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace llmbatch {

/// Replaces control characters (C0 but not those in `keep`, DEL, C1, bidi overrides) and invalid
/// UTF-8, so that text from models and servers cannot steer a terminal. Newline and tab become one
/// space each unless listed in `keep`.
std::string sanitize_for_terminal(std::string_view text, std::string_view keep = "");

/// Replaces invalid UTF-8 by U+FFFD.
std::string to_valid_utf8(std::string_view text);

/// Appends `text` as a JSON string with its quotes; invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// The first `max_chars` characters (not bytes), with an ellipsis where something was cut.
std::string truncate_chars(std::string_view text, std::size_t max_chars);

/// Columns that `text` takes on a terminal (wide East Asian characters and emoji count two).
int display_width(std::string_view text);

std::string_view trim(std::string_view text);
std::string to_lower_ascii(std::string_view text);
/// For comparing without regard to case: capitals of the Latin, Greek, Cyrillic and Armenian
/// alphabets become small letters (Unicode's simple folding, as far as it is one letter each).
std::string fold_case(std::string_view text);
bool equals_ignore_case(std::string_view a, std::string_view b);
bool contains_ignore_case(std::string_view text, std::string_view part);

/// 1234567 -> `1,234,567`.
std::string group_digits(std::int64_t number);
/// `1 item`, `1,200 items`: for things whose plural takes an s.
std::string counted(std::int64_t number, std::string_view thing);

/// Bytes from `64`, `64K`, `64KiB`, `64MB`, `64MiB`, `1G` (K, M, G are powers of 1024).
std::optional<std::uint64_t> parse_size_bytes(std::string_view text);

/// Of `candidates` the one nearest to `word` by edit distance, if it is near enough to be a typo.
std::optional<std::string> nearest_word(std::string_view word,
                                        const std::vector<std::string>& candidates);

}  // namespace llmbatch
