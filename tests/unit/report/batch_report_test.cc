#include "llmbatch/report/batch_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace llmbatch {
namespace {

using testing::HasSubstr;
using testing::Not;

WallTime at(std::string_view text) { return parse_rfc3339(text).value(); }

BatchRecord running() {
  BatchRecord batch;
  batch.number = 7;
  batch.run = 2;
  batch.stage = BatchStage::submitted;
  batch.tag = "llmbatch-00000000000000ab";
  batch.model = "m";
  batch.url = "https://a/v1/chat/completions";
  batch.requests = 1200;
  batch.bytes = 34567;
  batch.file_path = "x.db.batch-ab.jsonl";
  batch.input_file = "file-1";
  batch.remote_id = "batch_1";
  batch.remote_state = RemoteBatchState::in_progress;
  batch.counts = RemoteCounts{1200, 400, 3};
  batch.created_at = at("2026-11-26T07:00:00.123Z");
  batch.submitted_at = at("2026-11-26T07:00:09Z");
  return batch;
}

BatchRecord collected() {
  BatchRecord batch = running();
  batch.number = 11;
  batch.stage = BatchStage::collected;
  batch.answered = 1150;
  batch.unanswered = 50;
  batch.message = "expired\x1b[31m";
  return batch;
}

TEST(BatchReport, TableShowsWhatIsDoneOfEachBatch) {
  const std::vector<BatchRecord> batches{running(), collected()};
  EXPECT_EQ(format_batches(batches),
            "NUMBER  STATE        REQUESTS   DONE  UNANSWERED  CREATED            EXPIRES  "
            "PROVIDER ID\n"
            "     7  in_progress     1,200    403           -  2026-11-26T07:00Z  -        "
            "batch_1\n"
            "    11  collected       1,200  1,150          50  2026-11-26T07:00Z  -        "
            "batch_1      expired\xEF\xBF\xBD[31m\n");
  EXPECT_EQ(format_batches({}), "");
}

TEST(BatchReport, JsonNamesAreAPromise) {
  EXPECT_EQ(
      batch_json(running()),
      R"({"number":7,"provider_id":"batch_1","stage":"submitted","state":"in_progress","model":"m",)"
      R"("url":"https://a/v1/chat/completions","requests":1200,"bytes":34567,"answered":0,)"
      R"("unanswered":0,"provider_counts":{"total":1200,"succeeded":400,"failed":3},)"
      R"("cancel_asked":false,"run":2,"tag":"llmbatch-00000000000000ab",)"
      R"("file":"x.db.batch-ab.jsonl","provider_file":"file-1",)"
      R"("created_at":"2026-11-26T07:00:00.123Z","submitted_at":"2026-11-26T07:00:09.000Z",)"
      R"("expires_at":null,"ended_at":null,"collected_at":null,"message":null})");
  const std::vector<BatchRecord> none;
  EXPECT_EQ(batches_json("a\"b.db", none), R"({"database":"a\"b.db","batches":[]})");
}

TEST(BatchReport, OneBatchIsToldInFullWithoutWhatIsUnknown) {
  const std::string text = format_batch(running());
  EXPECT_THAT(text, HasSubstr("batch        7\nstate        in_progress\n"));
  EXPECT_THAT(text, HasSubstr("requests     1,200 (34,567 bytes)\n"));
  EXPECT_THAT(text, HasSubstr("provider     400 succeeded, 3 failed, of 1,200\n"));
  EXPECT_THAT(text, Not(HasSubstr("expires")));
  EXPECT_THAT(text, Not(HasSubstr("unanswered")));
  // Its request file is gone by then.
  EXPECT_THAT(format_batch(collected()), Not(HasSubstr("file  ")));
  EXPECT_THAT(format_batch(collected()), HasSubstr("unanswered   50\n"));
}

}  // namespace
}  // namespace llmbatch
