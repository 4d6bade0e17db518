#include "llmbatch/base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <numeric>

#include "utf8.h"

namespace llmbatch {
namespace {

bool is_bidi_control(char32_t code) {
  return code == 0x061C || code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7F && code < 0xA0); }

bool is_ascii_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v';
}

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// True for the bytes that stand in a JSON string as they are.
constexpr std::array<bool, 256> make_plain_json_bytes() {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x80; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}
constexpr std::array<bool, 256> kPlainJsonBytes = make_plain_json_bytes();

void append_json_escape(std::string& out, unsigned char byte) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '\\';
  switch (byte) {
    case '"':
    case '\\':
      out += static_cast<char>(byte);
      return;
    case '\n':
      out += 'n';
      return;
    case '\r':
      out += 'r';
      return;
    case '\t':
      out += 't';
      return;
    case '\b':
      out += 'b';
      return;
    case '\f':
      out += 'f';
      return;
    default:
      out += "u00";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
  }
}

/// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U);
      row[j] = std::min({replaced, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string sanitize_for_terminal(std::string_view text, std::string_view keep) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    const std::string_view bytes = text.substr(position, step.length);
    position += step.length;
    const bool kept = step.length == 1 && keep.find(bytes[0]) != std::string_view::npos;
    const bool harmless = kept || !(is_control(step.code) || is_bidi_control(step.code));
    if (step.valid && harmless) {
      out += bytes;
    } else if (step.valid && (step.code == U'\n' || step.code == U'\t')) {
      out += ' ';
    } else {
      out += kReplacementCharacter;
    }
  }
  return out;
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t position = 0; position < text.size();) {
    const Utf8Step step = decode_utf8(text, position);
    out += step.valid ? text.substr(position, step.length) : kReplacementCharacter;
    position += step.length;
  }
  return out;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t position = 0;
  while (position < text.size()) {
    std::size_t end = position;
    while (end < text.size() && kPlainJsonBytes[static_cast<unsigned char>(text[end])]) ++end;
    out.append(text, position, end - position);
    position = end;
    if (position == text.size()) break;
    const auto byte = static_cast<unsigned char>(text[position]);
    if (byte < 0x80) {
      append_json_escape(out, byte);
      ++position;
      continue;
    }
    const Utf8Step step = decode_utf8(text, position);
    out += step.valid ? text.substr(position, step.length) : kReplacementCharacter;
    position += step.length;
  }
  out += '"';
}

std::string truncate_chars(std::string_view text, std::size_t max_chars) {
  std::size_t position = 0;
  for (std::size_t count = 0; count < max_chars && position < text.size(); ++count) {
    position += decode_utf8(text, position).length;
  }
  std::string out(text.substr(0, position));
  if (position < text.size()) out += "\xE2\x80\xA6";
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

std::string to_lower_ascii(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower_ascii);
  return out;
}

bool equals_ignore_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_ascii(x) == lower_ascii(y); });
}

bool contains_ignore_case(std::string_view text, std::string_view part) {
  const auto same = [](char x, char y) { return lower_ascii(x) == lower_ascii(y); };
  return part.empty() ||
         std::search(text.begin(), text.end(), part.begin(), part.end(), same) != text.end();
}

std::string group_digits(std::int64_t number) {
  std::string digits = std::to_string(number);
  const std::size_t first_digit = number < 0 ? 1 : 0;
  for (std::size_t position = digits.size(); position > first_digit + 3;) {
    position -= 3;
    digits.insert(position, 1, ',');
  }
  return digits;
}

std::string counted(std::int64_t number, std::string_view thing) {
  std::string text = group_digits(number) + ' ';
  text += thing;
  if (number != 1) text += 's';
  return text;
}

std::optional<std::uint64_t> parse_size_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  const std::string unit =
      to_lower_ascii(text.substr(static_cast<std::size_t>(stopped - text.data())));
  if (unit.empty() || unit == "b") return number;
  const std::size_t power = std::string_view("kmg").find(unit[0]);
  const std::string_view rest = std::string_view(unit).substr(1);
  if (power == std::string_view::npos || !(rest.empty() || rest == "b" || rest == "ib")) {
    return std::nullopt;
  }
  const std::uint64_t factor = std::uint64_t{1024} << (10 * power);
  if (number > std::numeric_limits<std::uint64_t>::max() / factor) return std::nullopt;
  return number * factor;
}

std::optional<std::string> nearest_word(std::string_view word,
                                        const std::vector<std::string>& candidates) {
  const std::string lower = to_lower_ascii(word);
  const std::size_t most_edits = std::max<std::size_t>(1, word.size() / 3);
  std::size_t best_distance = most_edits + 1;
  std::optional<std::string> best;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(lower, to_lower_ascii(candidate));
    // A distance of the whole word would mean that nothing of it was right.
    if (distance < best_distance && distance < word.size()) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace llmbatch
