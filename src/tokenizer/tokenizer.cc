#include "tokenizer.h"

#include <algorithm>
#include <utility>

#include "llmbatch/base/text.h"

namespace llmbatch {
namespace {

constexpr std::string_view kWhiteSpace = " \t\n\r\v\f";

/// The length of the sequence that a lead byte announces, 0 when it is none.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

bool is_valid_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const std::size_t length = sequence_length(byte(0));
    if (length == 0 || at + length > text.size()) return false;
    for (std::size_t i = 1; i < length; ++i) {
      if ((byte(i) & 0xC0U) != 0x80) return false;
    }
    if (length >= 3) {
      const unsigned lead = byte(0);
      const unsigned second = byte(1);
      const bool overlong = (lead == 0xE0 && second < 0xA0) || (lead == 0xF0 && second < 0x90);
      const bool outside = (lead == 0xED && second > 0x9F) || (lead == 0xF4 && second > 0x8F);
      if (overlong || outside) return false;
    }
    at += length;
  }
  return true;
}

}  // namespace

Tokenizer::Tokenizer(TokenizerParts parts) : parts_(std::move(parts)) {
  // Of added tokens that begin alike the longest counts.
  std::ranges::stable_sort(parts_.added, [](const AddedToken& a, const AddedToken& b) {
    return a.content.size() > b.content.size();
  });
  for (const AddedToken& token : parts_.added) {
    const char first = token.content.front();
    if (first_bytes_.find(first) == std::string::npos) first_bytes_ += first;
  }
}

const AddedToken* Tokenizer::added_at(std::string_view text) const {
  const auto found = std::ranges::find_if(
      parts_.added, [text](const AddedToken& token) { return text.starts_with(token.content); });
  return found == parts_.added.end() ? nullptr : &*found;
}

template <typename OnPiece>
void Tokenizer::split(std::string_view text, OnPiece&& on_piece) const {
  if (text.empty()) return;
  std::string spaced;
  if (parts_.add_prefix_space && text.front() != ' ') {
    spaced.append(" ").append(text);
    text = spaced;
  }
  std::vector<std::string_view> pieces{text};
  std::vector<std::string_view> finer;
  for (const SplitStep& step : parts_.steps) {
    finer.clear();
    for (const std::string_view piece : pieces) {
      step.pattern.split(piece, step.behavior, step.invert, finer);
    }
    pieces.swap(finer);
  }
  for (const std::string_view piece : pieces) on_piece(piece);
}

template <typename OnPiece, typename OnAdded>
void Tokenizer::walk(std::string_view text, OnPiece&& on_piece, OnAdded&& on_added) const {
  std::string mended;
  if (!is_valid_utf8(text)) {
    mended = to_valid_utf8(text);
    text = mended;
  }
  std::size_t from = 0;
  while (!first_bytes_.empty() && from < text.size()) {
    from = text.find_first_of(first_bytes_, from);
    if (from == std::string_view::npos) break;
    const AddedToken* const token = added_at(text.substr(from));
    if (token == nullptr) {
      ++from;
      continue;
    }
    std::string_view before = text.substr(0, from);
    text.remove_prefix(from + token->content.size());
    if (token->strips_left) before = before.substr(0, before.find_last_not_of(kWhiteSpace) + 1);
    if (token->strips_right) {
      text.remove_prefix(std::min(text.find_first_not_of(kWhiteSpace), text.size()));
    }
    split(before, on_piece);
    on_added(*token);
    from = 0;
  }
  split(text, on_piece);
}

TokenCount Tokenizer::count(std::string_view utf8) const {
  TokenCount tokens = 0;
  walk(
      utf8, [&](std::string_view piece) { tokens += parts_.encoder.count(piece); },
      [&](const AddedToken&) { ++tokens; });
  return tokens;
}

std::vector<TokenId> Tokenizer::encode(std::string_view utf8) const {
  std::vector<TokenId> tokens;
  walk(
      utf8, [&](std::string_view piece) { parts_.encoder.encode(piece, tokens); },
      [&](const AddedToken& token) { tokens.push_back(token.id); });
  return tokens;
}

}  // namespace llmbatch
