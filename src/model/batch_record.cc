#include "llmbatch/model/batch_record.h"

#include <fmt/format.h>

#include <charconv>

namespace llmbatch {
namespace {

constexpr std::string_view kTagPrefix = "llmbatch-";

std::string shown_state(const BatchRecord& record) {
  if (record.queue_full) return "waiting for a place in the queue";
  if (record.stage != BatchStage::submitted) return std::string(to_string(record.stage));
  if (record.remote_state == RemoteBatchState::unknown) return "submitted";
  return std::string(to_string(record.remote_state));
}

}  // namespace

std::string_view to_string(BatchStage stage) {
  switch (stage) {
    case BatchStage::collecting:
      return "collecting";
    case BatchStage::ready:
      return "ready";
    case BatchStage::uploaded:
      return "uploaded";
    case BatchStage::submitted:
      return "submitted";
    case BatchStage::collected:
      return "collected";
    case BatchStage::discarded:
      return "discarded";
    case BatchStage::written:
      return "written";
  }
  return "unknown";
}

bool is_open(BatchStage stage) {
  return stage != BatchStage::collected && stage != BatchStage::discarded;
}

BatchProgress describe_batch(const BatchRecord& record) {
  BatchProgress batch;
  batch.number = record.number;
  batch.provider_id = record.remote_id;
  batch.state = shown_state(record);
  batch.requests = record.requests;
  if (record.counts) batch.done = record.counts->succeeded + record.counts->failed;
  batch.submitted_at = record.submitted_at;
  batch.expires_at = record.expires_at;
  return batch;
}

std::string_view batch_key(const BatchRecord& batch) {
  std::string_view key = batch.tag;
  if (key.starts_with(kTagPrefix)) key.remove_prefix(kTagPrefix.size());
  return key;
}

std::string make_custom_id(const BatchRecord& batch, std::uint64_t seq) {
  return fmt::format("{}-{:09}", batch_key(batch), seq);
}

std::optional<CustomId> parse_custom_id(std::string_view custom_id) {
  const std::size_t dash = custom_id.rfind('-');
  if (dash == std::string_view::npos || dash == 0) return std::nullopt;
  CustomId id{custom_id.substr(0, dash), 0};
  const char* end = custom_id.data() + custom_id.size();
  const auto [rest, error] = std::from_chars(custom_id.data() + dash + 1, end, id.seq);
  if (error != std::errc() || rest != end) return std::nullopt;
  return id;
}

}  // namespace llmbatch
