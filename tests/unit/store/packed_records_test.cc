#include "../../../src/store/packed_records.h"

#include "../../../src/store/item_log.h"
#include "../../../src/store/response_codec.h"
#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

TEST(PackedRecords, IndexRecordsComeBackWhateverTheirOrder) {
  const std::vector<std::uint64_t> seqs{1, 2, 5, 3, 0xFFFFFFFFFFFFFFFF, 0, 1ULL << 62U};
  IndexRecordPacker packer;
  for (const std::uint64_t seq : seqs) {
    packer.add({hash128(std::to_string(seq)), hash128("r"), seq, ItemState::flagged});
  }
  IndexRecordUnpacker unpacker(packer.bytes());
  IndexRecord record;
  for (const std::uint64_t seq : seqs) {
    ASSERT_TRUE(unpacker.next(record));
    EXPECT_EQ(record.seq, seq);
    EXPECT_EQ(record.state, ItemState::flagged);
    EXPECT_EQ(record.id_hash, hash128(std::to_string(seq)));
    EXPECT_EQ(record.request_hash, hash128("r"));
  }
  EXPECT_FALSE(unpacker.next(record));
  EXPECT_FALSE(unpacker.damaged());
}

TEST(PackedRecords, StoredBytesAreThese) {
  IndexRecordPacker packer;
  packer.add({{0x0102030405060708, 9}, {10, 11}, 3, ItemState::succeeded});
  EXPECT_EQ(packer.bytes(), std::string("\x06\x03\x01\x02\x03\x04\x05\x06\x07\x08"
                                        "\0\0\0\0\0\0\0\x09\0\0\0\0\0\0\0\x0a\0\0\0\0\0\0\0\x0b",
                                        34));
  LineRunPacker runs(1);
  runs.add({1, 300, LineKind::todo, 1});
  runs.add({301, 1, LineKind::blank, 0});
  EXPECT_EQ(runs.bytes(), std::string("\0\xac\x02\x01\x02\0\x01\0", 8));
}

TEST(PackedRecords, DamageIsNoticed) {
  IndexRecordPacker packer;
  packer.add({hash128("a"), hash128("b"), 1, ItemState::succeeded});
  IndexRecord record;
  IndexRecordUnpacker cut(std::string_view(packer.bytes()).substr(0, 20));
  EXPECT_FALSE(cut.next(record));
  EXPECT_TRUE(cut.damaged());
  LineRun run;
  LineRunUnpacker bad_kind(1, std::string_view("\0\x01\x09", 3));
  EXPECT_FALSE(bad_kind.next(run));
  EXPECT_TRUE(bad_kind.damaged());
  LineRunUnpacker endless(1, "\xff\xff\xff");
  EXPECT_FALSE(endless.next(run));
  EXPECT_TRUE(endless.damaged());
}

TEST(ResponseCodec, DamagedFramesAreErrors) {
  ResponseEncoder encoder;
  const std::string response(10'000, 'x');
  const std::string frame(encoder.encode(response).bytes);
  EXPECT_EQ(*decode_response(ResponseEncoding::zstd, frame), response);
  EXPECT_FALSE(decode_response(ResponseEncoding::zstd, frame.substr(0, 9)).has_value());
  EXPECT_FALSE(decode_response(ResponseEncoding::zstd, "").has_value());
  EXPECT_FALSE(decode_response(ResponseEncoding::zstd, "no frame at all").has_value());
}

TEST(ResponseCodec, WhatDoesNotShrinkIsKeptAsItCame) {
  std::string noise;
  for (int i = 0; i < 500; ++i) {
    const auto bytes = to_bytes(hash128(std::to_string(i)));
    noise.append(bytes.begin(), bytes.end());
  }
  ResponseEncoder encoder;
  EXPECT_EQ(encoder.encode(noise).encoding, ResponseEncoding::plain);
  EXPECT_EQ(encoder.encode(std::string(1023, 'x')).encoding, ResponseEncoding::plain);
  EXPECT_EQ(encoder.encode(std::string(1024, 'x')).encoding, ResponseEncoding::zstd);
}

class ItemLog : public StoreTest {};

TEST_F(ItemLog, MergingChangesNothingThatIsRead) {
  auto store = open();
  begin(*store, {{1, 100'000, LineKind::todo, 1}});
  std::vector<std::uint64_t> expected;
  for (std::uint64_t group = 0; group < 600; ++group) {
    std::vector<ItemUpdate> updates;
    for (std::uint64_t i = 0; i < 1 + group % 20; ++i) {
      // Out of order, as answers come.
      const std::uint64_t seq = 1 + (group * 30 + i * 7 % 30);
      updates.push_back(succeeded(seq, std::to_string(seq), "x"));
      updates.back().attempt.reset();
      expected.push_back(seq);
    }
    commit(*store, updates);
    if (group == 400) {
      store.reset();
      store = open();
    }
  }
  std::vector<std::uint64_t> seqs;
  for (const IndexRecord& record : index_records()) {
    EXPECT_EQ(record.id_hash, hash128(std::to_string(record.seq)));
    seqs.push_back(record.seq);
  }
  EXPECT_EQ(seqs, expected);
  const auto rows = std::stoi(sql("select count(*) from item_log")[0]);
  EXPECT_LE(rows, ItemLogWriter::kMaxSmallRows + 4);
  EXPECT_EQ(sql("select count(*) from item_log where merged = 1 and length(data) < " +
                std::to_string(ItemLogWriter::kFullRowBytes)),
            std::vector<std::string>{"1"});
}

TEST_F(ItemLog, TakingUpManyItemsAgainKeepsTheOrder) {
  auto store = open();
  begin(*store, {{1, 30'000, LineKind::todo, 1}});
  std::vector<ItemUpdate> updates;
  for (std::uint64_t seq = 1; seq <= 30'000; ++seq) {
    updates.push_back(succeeded(seq, std::to_string(seq), "x"));
    updates.back().attempt.reset();
  }
  commit(*store, updates);
  begin(*store, {{1, 30'000, LineKind::todo_again, 1}});
  const auto records = index_records();
  ASSERT_EQ(records.size(), 60'000U);
  for (std::size_t i = 0; i < 60'000; ++i) {
    EXPECT_EQ(records[i].seq, i % 30'000 + 1);
    EXPECT_EQ(records[i].state, i < 30'000 ? ItemState::succeeded : ItemState::pending);
  }
}

TEST_F(ItemLog, IndexOfANewDatabaseIsEmpty) {
  auto store = open();
  EXPECT_TRUE(reader()->index().empty());
  EXPECT_EQ(reader()->index().next_seq(), 1U);
  commit(*store, {succeeded(41, "a", "x")});
  EXPECT_FALSE(reader()->index().empty());
  EXPECT_EQ(reader()->index().next_seq(), 42U);
}

}  // namespace
}  // namespace llmbatch::store_test
