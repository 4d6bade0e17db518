// Money in int64 pico-dollars (1e-12 USD): exact for every price per token, up to 9.2 million USD.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace llmbatch {

class Money {
 public:
  static constexpr std::int64_t kPicoPerDollar = 1'000'000'000'000;

  constexpr Money() = default;
  static constexpr Money from_pico(std::int64_t pico) { return Money(pico); }
  /// Parses a decimal such as `0.15`, `3`, `1.5e-7`; never goes through a double. Absent when it is
  /// no decimal, has digits below 1e-12 or is out of range.
  static std::optional<Money> parse_dollars(std::string_view text);

  constexpr std::int64_t pico() const { return pico_; }
  /// A plain decimal in dollars without trailing zeros, `0.0000636`.
  std::string to_decimal() const;
  /// For people: `$0.0000636`, `$3.42`, `$225.00`.
  std::string to_display() const;

  friend constexpr auto operator<=>(const Money&, const Money&) = default;
  /// Sums end at the largest amount instead of overflowing: a server may report any cost.
  Money& operator+=(Money other) {
    if (__builtin_add_overflow(pico_, other.pico_, &pico_)) {
      pico_ = other.pico_ > 0 ? std::numeric_limits<std::int64_t>::max()
                              : std::numeric_limits<std::int64_t>::min();
    }
    return *this;
  }
  friend Money operator+(Money a, Money b) { return a += b; }
  /// `count` times the amount; at most the largest amount.
  Money times(std::int64_t count) const {
    std::int64_t product = 0;
    if (!__builtin_mul_overflow(pico_, count, &product)) return Money(product);
    return Money((pico_ < 0) == (count < 0) ? std::numeric_limits<std::int64_t>::max()
                                            : std::numeric_limits<std::int64_t>::min());
  }
  friend Money operator-(Money a, Money b) { return Money(a.pico_ - b.pico_); }

 private:
  constexpr explicit Money(std::int64_t pico) : pico_(pico) {}
  std::int64_t pico_ = 0;
};

}  // namespace llmbatch
