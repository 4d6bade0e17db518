// Rehearsal: the simulator inside the process and a database that is deleted at the end, for
// `run --rehearse`. Thread rule: one thread; the simulator has its own.
#pragma once

#include <memory>
#include <string>

#include "llmbatch/base/result.h"
#include "llmbatch/sim/simulator.h"

namespace llmbatch {

class Rehearsal {
 public:
  static Result<std::unique_ptr<Rehearsal>> start(const std::string& input);
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  /// `http://127.0.0.1:PORT`
  std::string origin() const;
  const std::string& database() const { return database_; }

 private:
  Rehearsal() = default;
  std::string directory_;
  std::string database_;
  std::unique_ptr<sim::Simulator> simulator_;
};

}  // namespace llmbatch
