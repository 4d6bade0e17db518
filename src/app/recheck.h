// Recheck: stored answers judged by other checks, without a call. Reads the input a second time
// along the plan, because the request of an answer, and so its hash, may be another one under the
// new checks. Private to the module.
#pragma once

#include <memory>
#include <string>

#include "llmbatch/app/job_target.h"
#include "llmbatch/app/run_plan.h"
#include "llmbatch/port/answer_check.h"
#include "llmbatch/store/stored_input.h"

namespace llmbatch {

/// The provider of the stored job, whose requests the stored answers belong to. Fails when the new
/// checks cannot be adopted.
Result<std::unique_ptr<Provider>> provider_for_recheck(const JobIdentity& stored,
                                                       const JobTarget& target);

/// What became of the answers.
struct RecheckTally {
  std::int64_t passed = 0;        ///< now
  std::int64_t flagged = 0;       ///< now
  std::int64_t newly_passed = 0;  ///< of these: flagged before
  std::int64_t newly_flagged = 0;
  std::int64_t judged() const { return passed + flagged; }
};

class Recheck final : public RecheckStream {
 public:
  /// `plan` stays at its end or is rewound by the caller; `check` null: every answer passes.
  static Result<std::unique_ptr<Recheck>> open(const RunOptions& options, const InputFile& input,
                                               const Provider& provider, StoreReader& reader,
                                               RunPlan& plan, const AnswerCheck* check);
  ~Recheck() override;

  Result<bool> next(RecheckedItem& item) override;
  Status rewind() override;

  const RecheckTally& tally() const { return tally_; }
  /// As the store did.
  void move_counts(StateCounts& items) const;
  std::string summary() const;

 private:
  Recheck(std::unique_ptr<ItemSource> items, const Provider& provider, StoreReader& reader,
          const AnswerCheck* check)
      : items_(std::move(items)), provider_(provider), reader_(reader), check_(check) {}
  Result<bool> judge(const StoredAnswer& stored, RecheckedItem& item);

  std::unique_ptr<ItemSource> items_;
  const Provider& provider_;
  StoreReader& reader_;
  const AnswerCheck* check_;
  Item item_;
  std::uint64_t read_ = 0;
  RecheckTally tally_;
};

}  // namespace llmbatch
