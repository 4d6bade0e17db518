// SharedAnswers: the answers of the database and, behind them, those of a cache file.
// Thread rule: the loop thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "llmbatch/port/known_answers.h"
#include "llmbatch/store/answer_cache.h"

namespace llmbatch {

class SharedAnswers final : public KnownAnswers {
 public:
  /// `warn` is told what goes wrong with the file while the run goes on.
  SharedAnswers(std::unique_ptr<KnownAnswers> stored, AnswerCache& cache,
                std::function<void(const std::string&)> warn)
      : stored_(std::move(stored)), cache_(cache), warn_(std::move(warn)) {}

  Result<std::shared_ptr<const ReusedAnswer>> find(std::uint64_t seq,
                                                   const Hash128& request_hash) override {
    return stored_->find(seq, request_hash);
  }
  bool has_shared() const override { return true; }
  std::shared_ptr<const ReusedAnswer> find_shared(const Hash128& request_hash) override {
    auto answer = cache_.find(request_hash);
    if (const std::string text = cache_.warning(); !text.empty()) warn_("warning: " + text);
    return answer;
  }

 private:
  std::unique_ptr<KnownAnswers> stored_;
  AnswerCache& cache_;
  std::function<void(const std::string&)> warn_;
};

}  // namespace llmbatch
