// What the live display says: a pure function from a status to lines. In the order in which someone
// who is woken at night needs it: does it move and when is it done, what went wrong, how fast and
// for how much, and what does it wait for.
#pragma once

#include <vector>

#include "llmbatch/base/clock.h"
#include "llmbatch/model/run_status.h"
#include "llmbatch/ui/styled_line.h"

namespace llmbatch {

struct DisplayContext {
  int columns = 79;
  int rows = 24;
  bool unicode = false;
  Duration since_last_result{};  ///< how long no item was finished
  WallTime wall_now{};
  bool over = false;  ///< the run ended: what it was doing is left out
};

/// One to four lines, fewer when the window is low.
std::vector<StyledLine> render_display(const RunStatus& status, const DisplayContext& context);

/// A bar of exactly `columns` columns, `done` between 0 and 1.
StyledLine render_bar(double done, int columns, bool unicode);

}  // namespace llmbatch
