// StoredAnswers: the answers of a job's database, looked up by the item that has one.
// Thread rule: that of the connection, which must outlive it.
#pragma once

#include <optional>

#include "connection.h"
#include "llmbatch/port/known_answers.h"

namespace llmbatch {

class StoredAnswers final : public KnownAnswers {
 public:
  StoredAnswers(Connection& connection, const std::optional<Hash128>& endpoint)
      : connection_(&connection), endpoint_(endpoint) {}

  Result<std::shared_ptr<const ReusedAnswer>> find(std::uint64_t seq,
                                                   const Hash128& request_hash) override;

 private:
  Connection* connection_;
  std::optional<Hash128> endpoint_;
  Statement select_;
  bool prepared_ = false;
};

}  // namespace llmbatch
