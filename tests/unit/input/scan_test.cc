#include "llmbatch/input/scan.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>

#include "unit/input/fake_provider.h"

namespace llmbatch {
namespace {

using testing::FakeProvider;
using testing::TemporaryDirectory;
using testing::VectorIndex;

struct Scanned {
  ScanCounts counts;
  std::uint64_t next_seq = 0;
  std::vector<std::string> lines;    ///< `kind seq` of every line
  std::vector<std::string> invalid;  ///< `line id message`
};

std::string show(LineKind kind, std::uint64_t seq) {
  constexpr const char* kNames[] = {"blank", "todo", "again", "done", "duplicate", "invalid"};
  return std::string(kNames[static_cast<int>(kind)]) + (seq == 0 ? "" : " " + std::to_string(seq));
}

Scanned collect(ScanResult& result) {
  Scanned scanned;
  scanned.counts = result.counts;
  scanned.next_seq = result.next_seq;
  LineRun run;
  while (*result.plan->next(run)) {
    EXPECT_EQ(run.first_line, scanned.lines.size() + 1);
    for (std::uint64_t i = 0; i < run.count; ++i) {
      scanned.lines.push_back(show(run.kind, run.first_seq == 0 ? 0 : run.first_seq + i));
    }
  }
  InvalidLine invalid;
  while (*result.invalid->next(invalid)) {
    scanned.invalid.push_back(std::to_string(invalid.line) + " " + invalid.id + " " +
                              invalid.message);
  }
  return scanned;
}

Result<ScanResult> scan_text(const TemporaryDirectory& directory, const std::string& text,
                             const VectorIndex& index, ScanOptions options = {}) {
  auto input = InputFile::open(directory.file("in.jsonl", text), directory.path());
  if (!input) return forward_error(input);
  options.temporary_directory = directory.path();
  return scan_input(*input, FakeProvider(), index, options);
}

std::string prompt_line(const std::string& id, const std::string& prompt) {
  return R"({"id":")" + id + R"(","prompt":")" + prompt + "\"}\n";
}

IndexRecord record(const std::string& id, const std::string& prompt, std::uint64_t seq,
                   ItemState state) {
  return {hash128(id), hash128("{\"p\":\"" + prompt + "\"}", 7), seq, state};
}

TEST(Scan, FirstRunNumbersItemsInLineOrder) {
  const TemporaryDirectory directory;
  auto result = scan_text(directory, prompt_line("a", "1") + "\n" + prompt_line("b", "2"), {});
  ASSERT_TRUE(result.has_value());
  const Scanned scanned = collect(*result);
  EXPECT_EQ(scanned.lines, (std::vector<std::string>{"todo 1", "blank", "todo 2"}));
  EXPECT_EQ(scanned.next_seq, 3U);
  EXPECT_EQ(scanned.counts.lines, 3U);
  EXPECT_EQ(scanned.counts.todo, 2U);
  EXPECT_EQ(scanned.counts.blank, 1U);
}

TEST(Scan, EqualLinesAreDuplicatesAndDifferentOnesWithOneIdAreInvalid) {
  const TemporaryDirectory directory;
  auto result = scan_text(directory,
                          prompt_line("a", "1") + prompt_line("a", "1") + prompt_line("b", "1") +
                              "oops\n" + prompt_line("b", "2") + prompt_line("b", "1"),
                          {});
  ASSERT_TRUE(result.has_value());
  const Scanned scanned = collect(*result);
  EXPECT_EQ(scanned.lines, (std::vector<std::string>{"todo 1", "duplicate", "invalid", "invalid",
                                                     "invalid", "invalid"}));
  EXPECT_EQ(scanned.invalid,
            (std::vector<std::string>{"3 b id 'b' also stands on line 5 with other content",
                                      "4  not a JSON object (expected '{' at column 1)",
                                      "5 b id 'b' also stands on line 3 with other content",
                                      "6 b id 'b' also stands on line 5 with other content"}));
  EXPECT_EQ(scanned.counts.duplicates, 1U);
  EXPECT_EQ(scanned.counts.invalid, 4U);
}

TEST(Scan, ComparesWithWhatIsStored) {
  const TemporaryDirectory directory;
  VectorIndex index;
  index.records = {record("done", "1", 1, ItemState::succeeded),
                   record("changed", "old", 2, ItemState::succeeded),
                   record("failed", "1", 3, ItemState::failed),
                   record("flagged", "1", 4, ItemState::flagged),
                   record("waiting", "1", 5, ItemState::pending),
                   record("gone", "1", 6, ItemState::succeeded),
                   record("twice", "old", 7, ItemState::succeeded),
                   record("twice", "1", 7, ItemState::filtered)};
  ScanOptions options;
  options.retry[static_cast<std::size_t>(ItemState::failed)] = true;
  auto result = scan_text(directory,
                          prompt_line("new", "1") + prompt_line("waiting", "1") +
                              prompt_line("flagged", "1") + prompt_line("failed", "1") +
                              prompt_line("changed", "1") + prompt_line("done", "1") +
                              prompt_line("twice", "1"),
                          index, options);
  ASSERT_TRUE(result.has_value());
  const Scanned scanned = collect(*result);
  EXPECT_EQ(scanned.lines, (std::vector<std::string>{"todo 8", "again 5", "done 4", "again 3",
                                                     "again 2", "done 1", "done 7"}));
  EXPECT_EQ(scanned.counts.todo, 4U);
  EXPECT_EQ(scanned.counts.changed, 1U);
  EXPECT_EQ(scanned.counts.done_by_state[static_cast<std::size_t>(ItemState::succeeded)], 1U);
  EXPECT_EQ(scanned.counts.done_by_state[static_cast<std::size_t>(ItemState::flagged)], 1U);
  EXPECT_EQ(scanned.counts.done_by_state[static_cast<std::size_t>(ItemState::filtered)], 1U);
}

TEST(Scan, IdRulesLineAndHashNeedNoIds) {
  const TemporaryDirectory directory;
  const std::string text = "{\"prompt\":\"x\"}\n{\"prompt\":\"x\"}\n{\"prompt\":\"y\"}\n";
  ScanOptions options;
  options.lines.id_rule = IdRule::line;
  auto by_line = scan_text(directory, text, {}, options);
  ASSERT_TRUE(by_line.has_value());
  EXPECT_EQ(collect(*by_line).lines, (std::vector<std::string>{"todo 1", "todo 2", "todo 3"}));
  options.lines.id_rule = IdRule::hash;
  auto by_hash = scan_text(directory, text, {}, options);
  ASSERT_TRUE(by_hash.has_value());
  EXPECT_EQ(collect(*by_hash).lines, (std::vector<std::string>{"todo 1", "duplicate", "todo 2"}));
}

TEST(Scan, ReasonsOfTheProviderMakeLinesInvalid) {
  const TemporaryDirectory directory;
  auto result = scan_text(directory, R"({"id":"a","prompt":"x","stream":true})", {});
  ASSERT_TRUE(result.has_value());
  EXPECT_EQ(collect(*result).invalid, (std::vector<std::string>{"1 a 'stream' cannot be used"}));
}

TEST(Scan, EmptyInputHasNoLines) {
  const TemporaryDirectory directory;
  auto result = scan_text(directory, "", {});
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(collect(*result).lines.empty());
}

TEST(Scan, CanBeCancelledAndTellsItsProgress) {
  const TemporaryDirectory directory;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += prompt_line(std::to_string(i), "x");
  ScanOptions options;
  options.chunk_bytes = 1000;
  std::uint64_t last = 0;
  options.on_progress = [&](std::uint64_t done, std::uint64_t total) {
    EXPECT_GE(done, last);
    EXPECT_EQ(total, text.size());
    last = done;
  };
  ASSERT_TRUE(scan_text(directory, text, {}, options).has_value());
  EXPECT_EQ(last, text.size());
  options.cancelled = [&] { return last > 0; };
  auto cancelled = scan_text(directory, text, {}, options);
  ASSERT_FALSE(cancelled.has_value());
  EXPECT_EQ(cancelled.error().message, kScanCancelled);
}

/// The obvious way to do it, with maps in memory.
Scanned naive_scan(const std::string& text, const VectorIndex& index, const ScanOptions& options) {
  struct Seen {
    std::size_t first_line = 0;
    std::map<std::string, std::size_t> contents;  ///< prompt -> first line with it
  };
  const auto parse = [](const std::string& line, std::string& id, std::string& prompt) {
    const auto start = line.find("\"id\":\"");
    if (start != 1 || !line.ends_with("\"}")) return false;
    id = line.substr(7, line.find('"', 7) - 7);
    const auto at = line.find("\"prompt\":\"") + 10;
    prompt = line.substr(at, line.size() - 2 - at);
    return true;
  };
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  std::map<std::string, Seen> seen;
  std::string id;
  std::string prompt;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (!parse(lines[i], id, prompt)) continue;
    auto& entry = seen[id];
    if (entry.first_line == 0) entry.first_line = i + 1;
    entry.contents.emplace(prompt, i + 1);
  }
  std::map<std::pair<std::uint64_t, std::uint64_t>, IndexRecord> stored;
  for (const auto& r : index.records) stored[{r.id_hash.high, r.id_hash.low}] = r;
  Scanned result;
  result.next_seq = index.next_seq();
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].empty()) {
      result.lines.push_back("blank");
      continue;
    }
    if (!parse(lines[i], id, prompt)) {
      result.lines.push_back("invalid");
      result.invalid.push_back(std::to_string(i + 1));
      continue;
    }
    const Seen& entry = seen[id];
    const Hash128 hash = hash128(id);
    const auto known = stored.find({hash.high, hash.low});
    if (entry.contents.size() > 1) {
      result.lines.push_back("invalid");
      result.invalid.push_back(std::to_string(i + 1));
    } else if (entry.first_line != i + 1) {
      result.lines.push_back("duplicate");
    } else if (known == stored.end()) {
      result.lines.push_back(show(LineKind::todo, result.next_seq++));
    } else {
      const IndexRecord& item = known->second;
      const bool same = item.request_hash == record(id, prompt, 0, ItemState::pending).request_hash;
      const bool done =
          same && is_final(item.state) && !options.retry[static_cast<std::size_t>(item.state)];
      if (!same) ++result.counts.changed;
      result.lines.push_back(show(done ? LineKind::done : LineKind::todo_again, item.seq));
    }
  }
  return result;
}

TEST(Scan, EqualsTheNaiveWayOnRandomInputs) {
  const TemporaryDirectory directory;
  std::mt19937 random(5);
  for (int round = 0; round < 60; ++round) {
    const std::size_t ids = 1 + random() % 4000;
    const std::size_t oddity = 2 + random() % 30;
    VectorIndex index;
    for (std::size_t i = 0; i < ids; ++i) {
      const auto state = static_cast<ItemState>(random() % kItemStateCount);
      const std::string id = "i" + std::to_string(i);
      if (random() % 2 == 0) continue;
      if (random() % 9 == 0) index.records.push_back(record(id, "older", i + 1, state));
      index.records.push_back(record(id, random() % 7 == 0 ? "old" : "p", i + 1, state));
    }
    std::string text;
    for (std::size_t i = 0; i < ids; ++i) {
      const std::string id = "i" + std::to_string(random() % oddity == 0 ? random() % ids : i);
      switch (random() % oddity) {
        case 0:
          text += "\n";
          break;
        case 1:
          text += "{broken\n";
          break;
        default:
          text += prompt_line(id, random() % (4 * oddity) == 0 ? "q" : "p");
      }
    }
    ScanOptions options;
    options.retry[static_cast<std::size_t>(random() % kItemStateCount)] = true;
    options.threads = random() % 2 == 0 ? 1 : 2;
    options.chunk_bytes = 100 + random() % 5000;
    auto result = scan_text(directory, text, index, options);
    ASSERT_TRUE(result.has_value());
    Scanned scanned = collect(*result);
    for (auto& line : scanned.invalid) line.resize(line.find(' '));
    const Scanned expected = naive_scan(text, index, options);
    ASSERT_EQ(scanned.lines, expected.lines) << "round " << round;
    EXPECT_EQ(scanned.invalid, expected.invalid);
    EXPECT_EQ(scanned.next_seq, expected.next_seq);
    EXPECT_EQ(scanned.counts.changed, expected.counts.changed);
  }
}

/// Big enough for two threads, blocks on disk and several slices; half of the lines are the same.
TEST(Scan, LargeInputsGoThroughTemporaryFiles) {
  const TemporaryDirectory directory;
  VectorIndex index;
  std::string text;
  constexpr std::uint64_t kItems = 150'000;
  for (std::uint64_t i = 1; i <= kItems; ++i) {
    const std::string id = std::to_string(i);
    if (i % 2 == 0) text += prompt_line("same", "s");
    text += prompt_line(id, "p");
    if (i % 3 == 0) {
      index.records.push_back(record(id, "p", index.records.size() + 1, ItemState::succeeded));
    }
  }
  auto result = scan_text(directory, text, index);
  ASSERT_TRUE(result.has_value());
  const Scanned scanned = collect(*result);
  EXPECT_EQ(scanned.counts.lines, kItems + kItems / 2);
  EXPECT_EQ(scanned.counts.duplicates, kItems / 2 - 1);
  EXPECT_EQ(scanned.counts.todo, kItems - kItems / 3 + 1);
  EXPECT_EQ(scanned.counts.done_by_state[static_cast<std::size_t>(ItemState::succeeded)],
            kItems / 3);
  EXPECT_EQ(scanned.next_seq, kItems / 3 + 1 + scanned.counts.todo);
  EXPECT_EQ(scanned.lines[0], "todo " + std::to_string(kItems / 3 + 1));
  EXPECT_EQ(scanned.lines[3], "done 1");
}

TEST(Scan, StreamsCanBeReadAgain) {
  const TemporaryDirectory directory;
  auto result = scan_text(directory, "x\n" + prompt_line("a", "1"), {});
  ASSERT_TRUE(result.has_value());
  const Scanned first = collect(*result);
  ASSERT_TRUE(result->plan->rewind().has_value());
  ASSERT_TRUE(result->invalid->rewind().has_value());
  EXPECT_EQ(collect(*result).lines, first.lines);
}

}  // namespace
}  // namespace llmbatch
