#include <simdjson.h>

#include <array>
#include <string>
#include <utility>

#include "tokenizer_files.h"

namespace llmbatch {
namespace {

using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::string_view kGpt2Pattern =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

std::string_view text_of(const element& parent, std::string_view key) {
  std::string_view text;
  return parent[key].get(text) == simdjson::SUCCESS ? text : std::string_view();
}

bool flag_of(const element& parent, std::string_view key, bool otherwise) {
  bool flag = otherwise;
  return parent[key].get(flag) == simdjson::SUCCESS ? flag : otherwise;
}

/// The member, when it is there and not null.
std::optional<element> member(const element& parent, std::string_view key) {
  element found;
  if (parent[key].get(found) != simdjson::SUCCESS || found.is_null()) return std::nullopt;
  return found;
}

/// GPT-2's alphabet: each byte has a printable character that stands for it.
class ByteAlphabet {
 public:
  ByteAlphabet() {
    char32_t next = 256;
    for (unsigned byte = 0; byte < 256; ++byte) {
      const bool printable =
          (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE);
      const char32_t code = printable ? byte : next++;
      bytes_[code] = static_cast<int>(byte);
    }
  }

  /// False when a character stands for no byte.
  bool decode(std::string_view text, std::string& out) const {
    out.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
      auto code = static_cast<char32_t>(static_cast<unsigned char>(text[i]));
      if (code >= 0x80) {
        if (code < 0xC2 || code > 0xDF || i + 1 == text.size()) return false;
        code = (code & 0x1FU) << 6U | (static_cast<unsigned char>(text[++i]) & 0x3FU);
      }
      const int byte = code < bytes_.size() ? bytes_[code] : -1;
      if (byte < 0) return false;
      out += static_cast<char>(byte);
    }
    return !out.empty();
  }

 private:
  std::array<int, 512> bytes_ = filled();
  static constexpr std::array<int, 512> filled() {
    std::array<int, 512> bytes{};
    bytes.fill(-1);
    return bytes;
  }
};

class JsonTokenizerReader {
 public:
  Result<std::unique_ptr<Tokenizer>> read(const element& root) {
    if (auto status = check_normalizer(root); !status) return forward_error(status);
    const auto model = member(root, "model");
    if (!model || !model->is_object()) return usage_error("model: not there");
    if (auto status = check_model(*model); !status) return forward_error(status);
    if (auto status = read_pre_tokenizer(root); !status) return forward_error(status);
    if (auto status = read_vocabulary(*model); !status) return forward_error(status);
    if (auto status = read_added(root); !status) return forward_error(status);
    if (auto status = read_merges(*model); !status) return forward_error(status);
    TokenizerParts parts{BytePairEncoder(std::move(vocabulary_), std::move(merges_),
                                         flag_of(*model, "ignore_merges", false)),
                         std::move(steps_), std::move(added_), add_prefix_space_};
    return std::make_unique<Tokenizer>(std::move(parts));
  }

 private:
  static Status check_normalizer(const element& root) {
    const auto normalizer = member(root, "normalizer");
    if (!normalizer) return {};
    const std::string_view type = text_of(*normalizer, "type");
    if (type == "NFC") return {};
    simdjson::dom::array parts;
    if (type == "Sequence" && (*normalizer)["normalizers"].get(parts) == simdjson::SUCCESS) {
      bool known = true;
      for (const element part : parts) known = known && text_of(part, "type") == "NFC";
      if (known) return {};
    }
    return usage_error("normalizer: " + std::string(type) + " is not supported");
  }

  static Status check_model(const element& model) {
    const std::string_view type = text_of(model, "type");
    if (!type.empty() && type != "BPE") {
      return usage_error("model: " + std::string(type) +
                         " is not supported, only byte-level BPE is");
    }
    if (flag_of(model, "byte_fallback", false)) {
      return usage_error("model: BPE with byte_fallback (SentencePiece) is not supported");
    }
    for (const std::string_view key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      if (!text_of(model, key).empty()) {
        return usage_error("model: " + std::string(key) + " is not supported");
      }
    }
    return {};
  }

  Status add_pattern(const std::string& pattern, SplitBehavior behavior, bool invert) {
    auto compiled = SplitPattern::compile(pattern);
    if (!compiled) return usage_error("pre_tokenizer: " + compiled.error().message);
    steps_.push_back({std::move(*compiled), behavior, invert});
    return {};
  }

  Status add_split(const element& step) {
    static constexpr std::pair<std::string_view, SplitBehavior> kBehaviors[] = {
        {"Isolated", SplitBehavior::isolated},
        {"Removed", SplitBehavior::removed},
        {"MergedWithPrevious", SplitBehavior::merged_with_previous},
        {"MergedWithNext", SplitBehavior::merged_with_next},
        {"Contiguous", SplitBehavior::contiguous},
    };
    const std::string_view name = text_of(step, "behavior");
    const auto* const known =
        std::ranges::find(kBehaviors, name, &std::pair<std::string_view, SplitBehavior>::first);
    if (known == std::end(kBehaviors)) {
      return usage_error("pre_tokenizer: behavior '" + std::string(name) + "' is not known");
    }
    const bool invert = flag_of(step, "invert", false);
    const auto pattern = member(step, "pattern");
    if (!pattern) return usage_error("pre_tokenizer: Split without a pattern");
    if (const auto literal = text_of(*pattern, "String"); !literal.empty()) {
      steps_.push_back({SplitPattern::literal(std::string(literal)), known->second, invert});
      return {};
    }
    return add_pattern(std::string(text_of(*pattern, "Regex")), known->second, invert);
  }

  Status add_step(const element& step, int depth) {
    const std::string_view type = text_of(step, "type");
    if (type == "Split") return add_split(step);
    if (type == "ByteLevel") {
      byte_level_ = true;
      add_prefix_space_ = add_prefix_space_ || flag_of(step, "add_prefix_space", true);
      if (!flag_of(step, "use_regex", true)) return {};
      return add_pattern(std::string(kGpt2Pattern), SplitBehavior::isolated, false);
    }
    if (type == "Digits") {
      const bool each = flag_of(step, "individual_digits", false);
      return add_pattern(each ? R"(\p{N})" : R"(\p{N}+)", SplitBehavior::isolated, false);
    }
    simdjson::dom::array steps;
    if (type == "Sequence" && depth < 8 && step["pretokenizers"].get(steps) == simdjson::SUCCESS) {
      for (const element inner : steps) {
        if (auto status = add_step(inner, depth + 1); !status) return status;
      }
      return {};
    }
    return usage_error("pre_tokenizer: " + std::string(type) + " is not supported");
  }

  Status read_pre_tokenizer(const element& root) {
    const auto step = member(root, "pre_tokenizer");
    if (step) {
      if (auto status = add_step(*step, 0); !status) return status;
    }
    if (!byte_level_) {
      return usage_error("pre_tokenizer: without ByteLevel, which is not supported");
    }
    return {};
  }

  Status read_vocabulary(const element& model) {
    object tokens;
    if (model["vocab"].get(tokens) != simdjson::SUCCESS) {
      return usage_error("model: vocab is not an object");
    }
    vocabulary_ = Vocabulary(tokens.size());
    std::string bytes;
    for (const auto [token, value] : tokens) {
      std::uint64_t id = 0;
      if (value.get(id) != simdjson::SUCCESS || id >= BytePairEncoder::kUnknown) {
        return usage_error("model: vocab: '" + std::string(token) + "' has no number");
      }
      // What is no text of the alphabet is a special token, which added_tokens repeats.
      if (alphabet_.decode(token, bytes)) vocabulary_.add(bytes, static_cast<TokenId>(id));
    }
    return {};
  }

  Status read_added(const element& root) {
    simdjson::dom::array tokens;
    if (root["added_tokens"].get(tokens) != simdjson::SUCCESS) return {};
    for (const element token : tokens) {
      std::uint64_t id = 0;
      const std::string_view content = text_of(token, "content");
      if (content.empty() || token["id"].get(id) != simdjson::SUCCESS) {
        return usage_error("added_tokens: one without content or id");
      }
      if (flag_of(token, "single_word", false)) {
        return usage_error("added_tokens: single_word is not supported ('" + std::string(content) +
                           "')");
      }
      added_.push_back({std::string(content), static_cast<TokenId>(id),
                        flag_of(token, "lstrip", false), flag_of(token, "rstrip", false)});
    }
    return {};
  }

  /// The two halves of a merge, which is `"a b"` or `["a","b"]`.
  static bool halves(const element& merge, std::string_view& left, std::string_view& right) {
    simdjson::dom::array pair;
    if (merge.get(pair) == simdjson::SUCCESS) {
      return pair.size() == 2 && pair.at(0).get(left) == simdjson::SUCCESS &&
             pair.at(1).get(right) == simdjson::SUCCESS;
    }
    std::string_view text;
    if (merge.get(text) != simdjson::SUCCESS) return false;
    const std::size_t space = text.find(' ');
    if (space == text.npos) return false;
    left = text.substr(0, space);
    right = text.substr(space + 1);
    return true;
  }

  Status read_merges(const element& model) {
    simdjson::dom::array merges;
    if (model["merges"].get(merges) != simdjson::SUCCESS) {
      return usage_error("model: merges is not a list");
    }
    std::string left;
    std::string right;
    std::uint32_t rank = 0;
    for (const element merge : merges) {
      std::string_view left_text;
      std::string_view right_text;
      if (!halves(merge, left_text, right_text) || !alphabet_.decode(left_text, left) ||
          !alphabet_.decode(right_text, right)) {
        return usage_error("model: merges: number " + std::to_string(rank) + " is no pair");
      }
      const auto left_id = vocabulary_.find(left);
      const auto right_id = vocabulary_.find(right);
      const auto merged = vocabulary_.find(left + right);
      if (!left_id || !right_id || !merged) {
        return usage_error("model: merges: number " + std::to_string(rank) +
                           " is not in the vocabulary");
      }
      merges_.add(*left_id, *right_id, {rank++, *merged});
    }
    return {};
  }

  ByteAlphabet alphabet_;
  Vocabulary vocabulary_;
  MergeList merges_;
  std::vector<SplitStep> steps_;
  std::vector<AddedToken> added_;
  bool byte_level_ = false;
  bool add_prefix_space_ = false;
};

}  // namespace

Result<std::unique_ptr<Tokenizer>> read_tokenizer_json(std::string_view content) {
  simdjson::dom::parser parser;
  element root;
  const auto error = parser.parse(content.data(), content.size()).get(root);
  if (error != simdjson::SUCCESS) {
    return usage_error(std::string("not JSON: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return usage_error("not a JSON object");
  return JsonTokenizerReader().read(root);
}

}  // namespace llmbatch
