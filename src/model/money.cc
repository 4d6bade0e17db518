#include "llmbatch/model/money.h"

#include <array>
#include <limits>

namespace llmbatch {
namespace {

constexpr std::uint64_t kPico = 1'000'000'000'000;
constexpr std::size_t kDecimals = 12;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool take_sign(std::string_view& text) {
  const bool negative = !text.empty() && text.front() == '-';
  if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  return negative;
}

std::string_view take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  const std::string_view digits = text.substr(0, count);
  text.remove_prefix(count);
  return digits;
}

/// Reads `e` and its number, if there; absent when malformed. Saturates, so that `0e99999` is zero
/// and every other value of that size is out of range.
std::optional<std::int64_t> take_exponent(std::string_view& text) {
  if (text.empty() || (text.front() != 'e' && text.front() != 'E')) return 0;
  text.remove_prefix(1);
  const bool negative = take_sign(text);
  const std::string_view digits = take_digits(text);
  if (digits.empty()) return std::nullopt;
  constexpr std::int64_t kMost = 1'000'000'000;
  std::int64_t value = 0;
  for (const char digit : digits) {
    if (value < kMost) value = value * 10 + (digit - '0');
  }
  return negative ? -value : value;
}

std::uint64_t magnitude(std::int64_t pico) {
  const auto bits = static_cast<std::uint64_t>(pico);
  return pico < 0 ? 0 - bits : bits;
}

/// `whole.fraction` without trailing zeros beyond `min_decimals`.
std::string format_pico(std::uint64_t pico, std::size_t min_decimals) {
  std::string fraction = std::to_string(pico % kPico);
  fraction.insert(0, kDecimals - fraction.size(), '0');
  while (fraction.size() > min_decimals && fraction.back() == '0') fraction.pop_back();
  std::string text = std::to_string(pico / kPico);
  if (!fraction.empty()) text += '.' + fraction;
  return text;
}

/// Half up to a multiple of `unit`.
std::uint64_t round_to(std::uint64_t value, std::uint64_t unit) {
  return (value + unit / 2) / unit * unit;
}

}  // namespace

std::optional<Money> Money::parse_dollars(std::string_view text) {
  const bool negative = take_sign(text);
  std::string digits(take_digits(text));
  std::int64_t exponent = kDecimals;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    const std::string_view fraction = take_digits(text);
    if (fraction.empty()) return std::nullopt;
    digits += fraction;
    exponent -= static_cast<std::int64_t>(fraction.size());
  }
  if (digits.empty()) return std::nullopt;
  const std::optional<std::int64_t> written_exponent = take_exponent(text);
  if (!written_exponent || !text.empty()) return std::nullopt;
  exponent += *written_exponent;

  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return Money();
  for (; digits.back() == '0'; digits.pop_back()) ++exponent;
  constexpr std::size_t kMostDigits = std::numeric_limits<std::int64_t>::digits10 + 1;
  if (exponent < 0 || exponent > static_cast<std::int64_t>(kMostDigits)) return std::nullopt;
  digits.append(static_cast<std::size_t>(exponent), '0');
  if (digits.size() > kMostDigits) return std::nullopt;
  // Nineteen digits always fit in 64 bits without a sign.
  std::uint64_t pico = 0;
  for (const char digit : digits) pico = pico * 10 + static_cast<std::uint64_t>(digit - '0');
  if (pico > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return std::nullopt;
  }
  const auto value = static_cast<std::int64_t>(pico);
  return Money(negative ? -value : value);
}

std::string Money::to_decimal() const {
  return (pico_ < 0 ? "-" : "") + format_pico(magnitude(pico_), 0);
}

std::string Money::to_display() const {
  constexpr std::uint64_t kCent = kPico / 100;
  constexpr std::uint64_t kFourDigits = 10'000;
  std::uint64_t pico = magnitude(pico_);
  std::uint64_t unit = kCent;
  if (pico < kPico) {
    // Below a dollar four significant digits tell more than cents do.
    unit = 1;
    while (pico / unit >= kFourDigits) unit *= 10;
  }
  pico = round_to(pico, unit);
  return (pico_ < 0 ? "-$" : "$") + format_pico(pico, 2);
}

}  // namespace llmbatch
