#include "llmbatch/model/job.h"

#include <gtest/gtest.h>

namespace llmbatch {
namespace {

JobIdentity identity() {
  return {"openai-chat", "openai", "gpt-4o-mini",   "Say {{x}}",
          "Be brief",    "id",     R"({"seed":1})", R"({"choices":["a"]})"};
}

TEST(JobDifferences, EqualJobsHaveNone) {
  EXPECT_TRUE(differences(identity(), identity()).empty());
}

TEST(JobDifferences, NameWhatDiffersWithBothValues) {
  JobIdentity current = identity();
  current.model = "gpt-4o";
  const auto found = differences(identity(), current);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].what, "model");
  EXPECT_EQ(found[0].stored, "gpt-4o-mini");
  EXPECT_EQ(found[0].current, "gpt-4o");
}

TEST(JobDifferences, EveryFieldCountsInReadingOrder) {
  std::vector<std::string> names;
  for (const JobDifference& difference : differences(identity(), JobIdentity{})) {
    names.push_back(difference.what);
  }
  EXPECT_EQ(names, (std::vector<std::string>{"wire format", "provider", "model", "prompt template",
                                             "system template", "id rule", "parameters",
                                             "answer checks"}));
}

}  // namespace
}  // namespace llmbatch
