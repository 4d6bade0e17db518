#include "llmbatch/store/answer_cache.h"

#include <sys/stat.h>

#include <thread>

#include "store_fixture.h"

namespace llmbatch::store_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

class SharedCache : public StoreTest {
 protected:
  std::string file() const { return directory_ + "/shared.cache"; }
  std::unique_ptr<AnswerCache> open_cache(const std::optional<Hash128>& endpoint = {}) const {
    auto cache = AnswerCache::open(file(), endpoint);
    EXPECT_TRUE(cache.has_value()) << (cache ? "" : cache.error().message);
    return cache ? std::move(*cache) : nullptr;
  }
  Error refused() const {
    auto cache = AnswerCache::open(file(), {});
    EXPECT_FALSE(cache.has_value());
    return cache ? Error{} : cache.error();
  }
  void write_file(const std::string& bytes) const {
    std::ofstream(file(), std::ios::binary) << bytes;
  }
};

TEST_F(SharedCache, AnswersComeBackWithAllThatIsKnownOfThem) {
  auto cache = open_cache();
  ItemUpdate update = succeeded(1, "a", "hello");
  update.attempt->response.append(5000, 'x');
  cache->add(std::vector{update});
  const auto answer = cache->find(update.request_hash);
  ASSERT_TRUE(answer && answer->foreign);
  EXPECT_EQ(answer->foreign->response, update.attempt->response);
  EXPECT_EQ(answer->foreign->number, 0U);
  EXPECT_EQ(answer->foreign->transmissions, 0U);
  EXPECT_EQ(answer->foreign->started_at, kNow);
  EXPECT_EQ(answer->model, "gpt-4o-mini-2024-07-18");
  EXPECT_EQ(answer->finish_reason, "stop");
  EXPECT_EQ(answer->request_id, "req_a");
  EXPECT_EQ(answer->http_status, 200);
  EXPECT_EQ(answer->usage, update.attempt->usage);
  EXPECT_EQ(answer->cost, update.attempt->cost);
  EXPECT_FALSE(cache->find(hash128("another")));
  EXPECT_THAT(cache->warning(), IsEmpty());
}

TEST_F(SharedCache, OnlyAcceptedAnswersOfCallsAreAdded) {
  auto cache = open_cache();
  ItemUpdate problem = failed(1, "a", 1, ItemState::failed);
  ItemUpdate flagged = succeeded(2, "b", "cut");
  flagged.state = ItemState::flagged;
  flagged.error = ErrorClass::truncated;
  ItemUpdate refused = succeeded(3, "c", "no");
  refused.state = ItemState::filtered;
  ItemUpdate taken_over = succeeded(4, "d", "again");
  taken_over.cached = true;
  ItemUpdate to_be_retried = succeeded(5, "e", "");
  to_be_retried.state = ItemState::pending;
  const std::vector updates{problem, flagged, refused, taken_over, to_be_retried};
  cache->add(updates);
  for (const ItemUpdate& update : updates) EXPECT_FALSE(cache->find(update.request_hash));
}

TEST_F(SharedCache, EndpointsAreApartAndTheFirstAnswerStays) {
  const ItemUpdate first = succeeded(1, "a", "first");
  ItemUpdate second = first;
  second.attempt->response = "second";
  open_cache(hash128("http://a"))->add(std::vector{first});
  open_cache(hash128("http://a"))->add(std::vector{second});
  EXPECT_FALSE(open_cache()->find(first.request_hash));
  EXPECT_FALSE(open_cache(hash128("http://b"))->find(first.request_hash));
  const auto answer = open_cache(hash128("http://a"))->find(first.request_hash);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->foreign->response, first.attempt->response);
}

TEST_F(SharedCache, FileIsPrivateAndSaysWhatItIs) {
  open_cache();
  struct stat info {};
  ASSERT_EQ(stat(file().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  path_ = file();
  EXPECT_EQ(file_bytes().substr(68, 4), "LLMC");
  EXPECT_THAT(directory_entries(), testing::ElementsAre("shared.cache"));
  EXPECT_THAT(
      sql("select name from pragma_table_info('answers')"),
      testing::ElementsAre("id", "key", "answered_ms", "http_status", "model", "finish_reason",
                           "request_id", "input_tokens", "cached_input_tokens",
                           "cache_write_tokens", "output_tokens", "reasoning_tokens",
                           "usage_estimated", "cost_pico", "response_encoding", "response"));
}

TEST_F(SharedCache, AnEmptyFileIsANewOne) {
  write_file("");
  EXPECT_FALSE(open_cache()->find(hash128("x")));
}

TEST_F(SharedCache, WhatIsNotACacheIsRefusedAndLeftAsItIs) {
  const std::string text = "id,answer\n" + std::string(9000, 'x');
  write_file(text);
  EXPECT_EQ(refused().kind, ErrorKind::usage);
  path_ = file();
  EXPECT_EQ(file_bytes(), text);
}

TEST_F(SharedCache, AJobsDatabaseIsNoCache) {
  path_ = file();
  open().reset();
  EXPECT_THAT(refused().message, HasSubstr("not a cache file of llmbatch"));
}

TEST_F(SharedCache, ADamagedFileIsRefused) {
  {
    auto cache = open_cache();
    std::vector<ItemUpdate> updates;
    for (std::uint64_t i = 1; i < 200; ++i) {
      updates.push_back(succeeded(i, std::to_string(i), std::string(700, 'x')));
    }
    cache->add(updates);
  }
  std::fstream damage(file(), std::ios::binary | std::ios::in | std::ios::out);
  damage.seekp(3 * 8192);
  damage << std::string(4096, '\x5a');
  damage.close();
  EXPECT_EQ(refused().kind, ErrorKind::usage);
}

TEST_F(SharedCache, ANewerVersionIsRefused) {
  open_cache();
  path_ = file();
  sql("pragma user_version = 2");
  EXPECT_EQ(refused().kind, ErrorKind::mismatch);
}

TEST_F(SharedCache, SeveralMayUseItAtOnce) {
  constexpr std::uint64_t kEach = 100;
  std::vector<std::thread> threads;
  for (std::uint64_t number = 0; number < 4; ++number) {
    threads.emplace_back([this, number] {
      auto cache = AnswerCache::open(file(), {});
      ASSERT_TRUE(cache.has_value()) << cache.error().message;
      for (std::uint64_t i = 0; i < kEach; ++i) {
        const std::string id = std::to_string(number * kEach + i);
        (*cache)->add(std::vector{succeeded(1, id, "x"), succeeded(2, "same", "x")});
        (*cache)->find(hash128("request same"));
      }
      EXPECT_THAT((*cache)->warning(), IsEmpty());
    });
  }
  for (auto& thread : threads) thread.join();
  path_ = file();
  EXPECT_THAT(sql("select count(*) from answers"), testing::ElementsAre("401"));
}

}  // namespace
}  // namespace llmbatch::store_test
