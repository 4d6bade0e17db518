#include "llmbatch/base/hash.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

std::string_view view(const std::array<unsigned char, 16>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The published values of XXH3 for no input and seed 0. Databases hold these hashes.
TEST(Hash, IsXxh3) {
  EXPECT_EQ(to_hex(hash128("")), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(hash64(""), 0x2D06800538D394C2U);
}

TEST(Hash, DependsOnEveryByteAndOnTheSeed) {
  EXPECT_EQ(hash128("abc"), hash128("abc"));
  EXPECT_NE(hash128("abc"), hash128("abd"));
  EXPECT_NE(hash128("abc"), hash128("abc", 1));
  EXPECT_NE(hash64("abc"), hash64("abc", 1));
  const std::string large(5000, 'x');
  std::string other = large;
  other[4321] = 'y';
  EXPECT_NE(hash128(large), hash128(other));
}

TEST(Hash, HexIsHighThenLow) {
  EXPECT_EQ(to_hex({0x0123456789ABCDEFU, 0x1U}), "0123456789abcdef0000000000000001");
}

TEST(Hash, StoredBytesAreBigEndian) {
  const std::array<unsigned char, 16> bytes = {0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08,
                                               0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xF6, 0xF7, 0xF8};
  EXPECT_EQ(to_bytes({0x0102030405060708U, 0xF1F2F3F4F5F6F7F8U}), bytes);
  EXPECT_EQ(hash128_from_bytes(view(bytes)), (Hash128{0x0102030405060708U, 0xF1F2F3F4F5F6F7F8U}));
}

TEST(Hash, OnlySixteenBytesAreAHash) {
  EXPECT_EQ(hash128_from_bytes(""), std::nullopt);
  EXPECT_EQ(hash128_from_bytes("fifteen bytes.."), std::nullopt);
  EXPECT_EQ(hash128_from_bytes("seventeen bytes.."), std::nullopt);
}

}  // namespace
}  // namespace llmbatch
