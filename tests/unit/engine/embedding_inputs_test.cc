#include <gtest/gtest.h>

#include "../../../src/engine/batch_filling.h"

namespace llmbatch {
namespace {

TEST(EmbeddingInputs, AreTheElementsOfTheArray) {
  EXPECT_EQ(embedding_inputs(R"({"model":"m","input":["a","b, [c]","\"]"]})"), 3);
  EXPECT_EQ(embedding_inputs(R"({"input" : [ "a" ]})"), 1);
  EXPECT_EQ(embedding_inputs(R"({"input":[[1,2],[3],[4]]})"), 3);
}

TEST(EmbeddingInputs, OneTextOrOneListOfTokensIsOne) {
  EXPECT_EQ(embedding_inputs(R"({"input":"a, b"})"), 1);
  EXPECT_EQ(embedding_inputs(R"({"input":[1,2,3]})"), 1);
}

TEST(EmbeddingInputs, AnyOtherBodyIsOne) {
  EXPECT_EQ(embedding_inputs(R"({"messages":[{"content":"a"},{"content":"b"}]})"), 1);
  EXPECT_EQ(embedding_inputs(""), 1);
  EXPECT_EQ(embedding_inputs(R"({"input":[)"), 1);
}

}  // namespace
}  // namespace llmbatch
