// The input lines of the report's sample of problems. Thread rule: plain function.
#pragma once

#include <string>
#include <vector>

#include "llmbatch/model/job.h"
#include "llmbatch/model/job_history.h"

namespace llmbatch {

/// Reads the lines that the database does not hold from the input, where it still has at that place
/// what was sent. Samples whose line is not there any more stay without one: that is no error.
void add_input_lines(const std::string& input_path, const JobIdentity& job,
                     std::vector<ProblemSample>& samples);

}  // namespace llmbatch
