#include "prompt_cache.h"

#include <nlohmann/json.hpp>

#include "llmbatch/base/hash.h"

namespace llmbatch::sim {
namespace {

using Json = nlohmann::json;

constexpr Duration kLifetime = std::chrono::minutes(5);
constexpr std::int64_t kMinTokens = 1024;
constexpr std::int64_t kBytesPerToken = 4;

/// Collects the prompt in the order in which it is cached, up to the last mark.
class Prefix {
 public:
  void add(const Json& content, bool marked) {
    text_ += content.dump();
    if (content.is_object() && content.contains("text") && content["text"].is_string()) {
      bytes_ += content["text"].get_ref<const std::string&>().size();
    } else if (content.is_string()) {
      bytes_ += content.get_ref<const std::string&>().size();
    }
    if (!marked) return;
    marked_text_ = text_;
    marked_bytes_ = bytes_;
  }
  void add_blocks(const Json& blocks) {
    if (!blocks.is_array()) return add(blocks, false);
    for (Json block : blocks) {
      const bool marked = block.is_object() && block.erase("cache_control") > 0;
      add(block, marked);
    }
  }
  const std::string& text() const { return marked_text_; }
  std::int64_t tokens() const { return static_cast<std::int64_t>(marked_bytes_) / kBytesPerToken; }

 private:
  std::string text_;
  std::size_t bytes_ = 0;
  std::string marked_text_;
  std::size_t marked_bytes_ = 0;
};

}  // namespace

PromptCache::Use PromptCache::use(const std::string& body, SteadyTime now, Duration delay) {
  if (body.find("\"cache_control\"") == std::string::npos) return {};
  const Json request = Json::parse(body, nullptr, false);
  if (!request.is_object()) return {};
  Prefix prefix;
  prefix.add(request.value("model", Json()), false);
  prefix.add_blocks(request.value("tools", Json::array()));
  prefix.add_blocks(request.value("system", Json::array()));
  for (const Json& message : request.value("messages", Json::array())) {
    if (!message.is_object()) continue;
    prefix.add(message.value("role", Json()), false);
    prefix.add_blocks(message.value("content", Json()));
  }
  if (prefix.tokens() < kMinTokens) return {};
  const auto [place, is_new] = entries_.try_emplace(hash64(prefix.text()), Entry{now + delay, now});
  Entry& entry = place->second;
  if (!is_new && now - entry.used > kLifetime) entry.ready = now + delay;
  entry.used = now;
  if (entry.ready <= now && !is_new) return {prefix.tokens(), 0};
  return {0, prefix.tokens()};
}

}  // namespace llmbatch::sim
