// ReviewSession: the walk through the items in the terminal. Thread rule: one thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/ui/raw_terminal.h"
#include "llmbatch/ui/review_screen.h"
#include "review_job.h"

namespace llmbatch {

class ReviewSession {
 public:
  ReviewSession(ReviewJob& job, RawTerminal& terminal, const Clock& clock)
      : job_(job), terminal_(terminal), clock_(clock), screen_(terminal.traits()) {}

  /// Until everything is judged, or the reviewer quits. The signal that ended it; 0: none.
  Result<int> run();

 private:
  struct Given {
    std::size_t place;
    std::uint64_t seq;
    std::int64_t number;
    std::string note;
    std::string text;
  };

  Status show(std::string message);
  Status add_sections(ReviewPage& page, const ResultRow& row);
  std::vector<KeyHint> key_hints() const;
  StyledLine progress() const;
  bool is_problem() const;
  Status take(const Key& key);
  Status take_character(char c);
  void take_note_key(const Key& key);
  Status judge(Verdict verdict);
  Status take_back();
  void draw();

  ReviewJob& job_;
  RawTerminal& terminal_;
  const Clock& clock_;
  ReviewScreen screen_;
  std::vector<SampledItem> items_;
  std::size_t place_ = 0;
  std::optional<ResultRow> row_;  ///< what is on the screen
  std::string note_;              ///< goes with the next verdict
  std::vector<Given> given_;      ///< in this session, newest last
  bool done_ = false;
};

}  // namespace llmbatch
