// What the store tests share: a temporary directory, a database in it, and short ways to make data.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "llmbatch/base/hash.h"
#include "llmbatch/store/store.h"
#include "llmbatch/store/store_reader.h"

namespace llmbatch::store_test {

inline const WallTime kNow{std::chrono::milliseconds(1'795'399'447'123)};

template <typename Record>
class VectorStream final : public RecordStream<Record> {
 public:
  explicit VectorStream(std::vector<Record> records) : records_(std::move(records)) {}
  Result<bool> next(Record& record) override {
    if (position_ == records_.size()) return false;
    record = records_[position_++];
    return true;
  }
  Status rewind() override {
    position_ = 0;
    return {};
  }

 private:
  std::vector<Record> records_;
  std::size_t position_ = 0;
};

inline ItemUpdate succeeded(std::uint64_t seq, const std::string& id, const std::string& output) {
  ItemUpdate update;
  update.seq = seq;
  update.id = id;
  update.id_hash = hash128(id);
  update.request_hash = hash128("request " + id);
  update.place = {seq, seq * 100, 99};
  update.state = ItemState::succeeded;
  update.attempts = 1;
  update.http_status = 200;
  update.output = output;
  update.has_output = true;
  update.finished_at = kNow;
  AttemptRecord attempt;
  attempt.started_at = kNow - std::chrono::milliseconds(812);
  attempt.latency = std::chrono::milliseconds(812);
  attempt.http_status = 200;
  attempt.model = "gpt-4o-mini-2024-07-18";
  attempt.finish_reason = "stop";
  attempt.request_id = "req_" + id;
  attempt.usage = Usage{.input = 412, .output = 3};
  attempt.cost = Money::from_pico(63'600'000);
  attempt.response = "{\"output\":\"" + output + "\"}";
  update.attempt = attempt;
  return update;
}

inline ItemUpdate failed(std::uint64_t seq, const std::string& id, std::uint32_t attempt,
                         ItemState state) {
  ItemUpdate update = succeeded(seq, id, "");
  update.state = state;
  update.attempts = attempt;
  update.error = ErrorClass::server_error;
  update.http_status = 500;
  update.error_message = "the server had an error";
  update.has_output = false;
  update.attempt->number = attempt;
  update.attempt->http_status = 500;
  update.attempt->error = ErrorClass::server_error;
  update.attempt->error_message = "the server had an error";
  update.attempt->usage.reset();
  update.attempt->cost.reset();
  update.attempt->model.clear();
  update.attempt->finish_reason.clear();
  update.attempt->response = "{\"error\":{}}";
  return update;
}

class StoreTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "llmbatch-store-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    path_ = directory_ + "/t.db";
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  std::unique_ptr<Store> open() const {
    auto store = Store::open(path_, "llmbatch run", kNow);
    EXPECT_TRUE(store.has_value()) << (store ? "" : store.error().message);
    return store ? std::move(*store) : nullptr;
  }
  std::unique_ptr<StoreReader> reader() const {
    auto result = StoreReader::open(path_);
    EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
    return result ? std::move(*result) : nullptr;
  }
  static void begin(Store& store, std::vector<LineRun> plan,
                    std::vector<InvalidLine> invalid_lines = {}) {
    VectorStream<LineRun> runs(std::move(plan));
    VectorStream<InvalidLine> lines(std::move(invalid_lines));
    RunStart start;
    start.input = {"/data/t.jsonl", 1, 2, 3000, 4, 5, hash128("ends")};
    start.plan = &runs;
    start.invalid_lines = &lines;
    start.command = "llmbatch run t.jsonl";
    start.version = "0.1.0";
    start.pid = 4711;
    start.started_at = kNow;
    const auto run = store.begin_run(start);
    ASSERT_TRUE(run.has_value()) << run.error().message;
  }
  static void commit(Store& store, const std::vector<ItemUpdate>& updates,
                     std::uint64_t done_below_line = 1) {
    RunProgress progress;
    progress.done_below_line = done_below_line;
    const Status status = store.commit(updates, progress);
    ASSERT_TRUE(status.has_value()) << status.error().message;
  }
  std::vector<ResultRow> results(const ResultFilter& filter = {}) const {
    std::vector<ResultRow> rows;
    const Status status = reader()->for_each_result(filter, [&](const ResultRow& row) {
      rows.push_back(row);
      return Result<bool>(true);
    });
    EXPECT_TRUE(status.has_value()) << (status ? "" : status.error().message);
    return rows;
  }
  std::vector<std::string> result_ids(const ResultFilter& filter = {}) const {
    std::vector<std::string> ids;
    for (const ResultRow& row : results(filter)) {
      ids.push_back(row.result.has_id ? row.result.id : "-");
    }
    return ids;
  }
  std::vector<IndexRecord> index_records() const {
    std::vector<IndexRecord> records;
    auto source = reader();
    EXPECT_TRUE(source->index()
                    .for_each([&](const IndexRecord& record) { records.push_back(record); })
                    .has_value());
    return records;
  }

  /// Runs SQL as a user of the sqlite3 shell would; rows as text, columns joined by `|`.
  std::vector<std::string> sql(const std::string& text) const {
    sqlite3* handle = nullptr;
    EXPECT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    std::vector<std::string> rows;
    char* error = nullptr;
    const auto add = [](void* target, int count, char** values, char**) {
      std::string row;
      for (int i = 0; i < count; ++i) {
        if (i > 0) row += '|';
        row += values[i] == nullptr ? "NULL" : values[i];
      }
      static_cast<std::vector<std::string>*>(target)->push_back(row);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(handle, text.c_str(), add, &rows, &error), SQLITE_OK)
        << (error == nullptr ? "" : error);
    sqlite3_free(error);
    sqlite3_close(handle);
    return rows;
  }
  std::string file_bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }
  std::vector<std::string> directory_entries() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  std::string directory_;
  std::string path_;
};

}  // namespace llmbatch::store_test
