// The walk over a request body that count_request_tokens() does.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "llmbatch/policy/token_count.h"

namespace llmbatch {
namespace {

/// What a JSON value means for the count.
enum class Part : std::uint8_t {
  ignored,
  messages,  ///< a list of messages, or one text
  message,
  content,  ///< texts at any depth
  raw,      ///< read by the model as JSON text
  format,   ///< the description of the answer: its schema counts
};

struct KeyPart {
  std::string_view key;
  Part part;
};

constexpr KeyPart kBodyKeys[] = {
    {"messages", Part::messages},
    {"contents", Part::messages},
    {"input", Part::messages},
    {"system", Part::message},
    {"instructions", Part::message},
    {"systemInstruction", Part::message},
    {"system_instruction", Part::message},
    {"prompt", Part::content},
    {"tools", Part::raw},
    {"functions", Part::raw},
    {"response_format", Part::format},
    {"text", Part::format},
    {"output_config", Part::format},
    {"output_format", Part::format},
    {"generationConfig", Part::format},
    {"generation_config", Part::format},
};

constexpr KeyPart kFormatKeys[] = {
    {"schema", Part::raw},
    {"json_schema", Part::raw},
    {"responseSchema", Part::raw},
    {"response_schema", Part::raw},
    {"responseJsonSchema", Part::raw},
    {"response_json_schema", Part::raw},
};

/// Inside messages: what is not text of the prompt. All else is.
constexpr KeyPart kContentKeys[] = {
    {"role", Part::ignored},
    {"type", Part::ignored},
    {"id", Part::ignored},
    {"call_id", Part::ignored},
    {"tool_call_id", Part::ignored},
    {"tool_use_id", Part::ignored},
    {"status", Part::ignored},
    {"detail", Part::ignored},
    {"cache_control", Part::ignored},
    {"media_type", Part::ignored},
    {"mime_type", Part::ignored},
    {"mimeType", Part::ignored},
    {"data", Part::ignored},
    {"url", Part::ignored},
    {"image_url", Part::ignored},
    {"input_audio", Part::ignored},
    {"inlineData", Part::ignored},
    {"inline_data", Part::ignored},
    {"fileData", Part::ignored},
    {"file_data", Part::ignored},
    {"file_id", Part::ignored},
    {"signature", Part::ignored},
    {"thoughtSignature", Part::ignored},
    {"thought_signature", Part::ignored},
    {"encrypted_content", Part::ignored},
    {"input", Part::raw},
    {"args", Part::raw},
    {"response", Part::raw},
};

template <std::size_t Size>
Part part_of(const KeyPart (&keys)[Size], std::string_view key, Part otherwise) {
  const auto* found = std::ranges::find(keys, key, &KeyPart::key);
  return found == std::end(keys) ? otherwise : found->part;
}

Part part_of_key(Part object, std::string_view key) {
  switch (object) {
    case Part::message:
    case Part::content:
      return part_of(kContentKeys, key, Part::content);
    case Part::format:
      return part_of(kFormatKeys, key, Part::format);
    case Part::ignored:
    case Part::messages:
    case Part::raw:
      break;
  }
  return Part::ignored;
}

/// Deeper values than any request has are not looked into.
constexpr int kMaxDepth = 64;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const auto lower = static_cast<char>(c | 0x20);
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return -1;
}

/// The four hexadecimal digits at the start of `text`, or -1.
int hex_unit(std::string_view text) {
  if (text.size() < 4) return -1;
  int unit = 0;
  for (const char c : text.substr(0, 4)) {
    const int digit = hex_digit(c);
    if (digit < 0) return -1;
    unit = unit * 16 + digit;
  }
  return unit;
}

void append_code_point(std::string& out, std::uint32_t code) {
  const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    add(code);
  } else if (code < 0x800) {
    add(0xC0U | code >> 6U);
    add(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    add(0xE0U | code >> 12U);
    add(0x80U | (code >> 6U & 0x3FU));
    add(0x80U | (code & 0x3FU));
  } else {
    add(0xF0U | code >> 18U);
    add(0x80U | (code >> 12U & 0x3FU));
    add(0x80U | (code >> 6U & 0x3FU));
    add(0x80U | (code & 0x3FU));
  }
}

/// Appends the character of a `\uXXXX` whose digits start `digits`; returns how much of `digits`
/// it took, the second half of a surrogate pair included.
std::size_t append_unicode_escape(std::string& out, std::string_view digits) {
  const int unit = hex_unit(digits);
  if (unit < 0) return 0;
  if (unit < 0xD800 || unit > 0xDFFF) {
    append_code_point(out, static_cast<std::uint32_t>(unit));
    return 4;
  }
  const bool pair = unit < 0xDC00 && digits.substr(4).starts_with("\\u");
  const int second = pair ? hex_unit(digits.substr(6)) : -1;
  if (second < 0xDC00 || second > 0xDFFF) {
    append_code_point(out, 0xFFFD);
    return 4;
  }
  append_code_point(out, 0x10000U + ((static_cast<std::uint32_t>(unit) & 0x3FFU) << 10U) +
                             (static_cast<std::uint32_t>(second) & 0x3FFU));
  return 10;
}

char short_escape(char c) {
  switch (c) {
    case 'n':
      return '\n';
    case 't':
      return '\t';
    case 'r':
      return '\r';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    default:
      return c;
  }
}

/// Decodes the inside of a JSON string into `out`.
void unescape(std::string_view inside, std::string& out) {
  out.clear();
  while (!inside.empty()) {
    const std::size_t plain = std::min(inside.find('\\'), inside.size());
    out.append(inside.substr(0, plain));
    inside.remove_prefix(plain);
    if (inside.size() < 2) return;
    const char kind = inside[1];
    inside.remove_prefix(2);
    if (kind == 'u') {
      inside.remove_prefix(append_unicode_escape(out, inside));
    } else {
      out += short_escape(kind);
    }
  }
}

bool is_data_url(std::string_view inside) {
  return inside.starts_with("data:") && inside.substr(0, 128).find(";base64,") != inside.npos;
}

class RequestWalk {
 public:
  RequestWalk(std::string_view body, TextCount count)
      : at_(body.data()), end_(body.data() + body.size()), count_(count) {}

  TokenCount run() {
    if (peek() == '{') body();
    return tokens_ + (messages_ > 0 ? messages_ * kTokensPerMessage + kTokensPerRequest : 0);
  }

 private:
  /// The next character that is no white space; 0 at the end.
  char peek() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\t' || *at_ == '\r')) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  /// Passes a string, of which the opening quote is next; returns its inside as it is written.
  std::string_view string() {
    const char* const begin = ++at_;
    while (at_ != end_) {
      const auto left = static_cast<std::size_t>(end_ - at_);
      const char* const quote = static_cast<const char*>(std::memchr(at_, '"', left));
      if (quote == nullptr) break;
      const char* slash = quote;
      while (slash != begin && slash[-1] == '\\') --slash;
      at_ = quote + 1;
      if ((quote - slash) % 2 == 0) return {begin, static_cast<std::size_t>(quote - begin)};
    }
    at_ = end_;
    return {begin, static_cast<std::size_t>(end_ - begin)};
  }

  /// Passes any value without looking into it.
  void skip() {
    int depth = 0;
    do {
      switch (peek()) {
        case '\0':
          return;
        case '"':
          string();
          break;
        case '{':
        case '[':
          ++depth;
          ++at_;
          break;
        case '}':
        case ']':
          if (depth == 0) return;
          --depth;
          ++at_;
          break;
        default:
          ++at_;
          if (depth == 0) skip_scalar();
      }
    } while (depth > 0);
  }
  void skip_scalar() {
    constexpr std::string_view kEnd = ",]} \t\r\n\"";
    while (at_ != end_ && kEnd.find(*at_) == kEnd.npos) ++at_;
  }

  /// Calls `member(key)` at each value of the object that is next.
  template <typename Member>
  void object(Member&& member) {
    ++at_;
    while (!take('}')) {
      if (take(',')) continue;
      if (peek() != '"') return give_up();
      const std::string_view key = string();
      if (!take(':')) return give_up();
      member(key);
    }
  }
  template <typename Element>
  void array(Element&& element) {
    ++at_;
    while (!take(']')) {
      if (take(',')) continue;
      const char c = peek();
      if (c == '\0' || c == '}' || c == ':') return give_up();
      element();
    }
  }
  /// What is left of a broken body is not counted.
  void give_up() { at_ = end_; }

  void body() {
    object([this](std::string_view key) {
      const Part part = part_of(kBodyKeys, key, Part::ignored);
      if (part == Part::message && peek() != 'n') ++messages_;
      value(part, 1);
    });
  }

  void value(Part part, int depth) {
    if (part == Part::ignored || depth > kMaxDepth) return skip();
    if (part == Part::raw) return raw();
    switch (peek()) {
      case '"':
        if (part == Part::messages) ++messages_;
        if (part == Part::format) return skip();
        return text(string());
      case '{':
        return members(part, depth);
      case '[':
        return elements(part, depth);
      default:
        skip();
    }
  }

  void members(Part part, int depth) {
    bool plain_document = false;
    object([&](std::string_view key) {
      // Anthropic's documents of plain text are told from pictures by what comes before `data`.
      if (key == "type" || key == "media_type") {
        if (peek() != '"') return skip();
        const std::string_view kind = string();
        if (key == "media_type") plain_document = kind == "text/plain";
        return;
      }
      const bool is_text = key == "data" && plain_document;
      value(is_text ? Part::content : part_of_key(part, key), depth + 1);
    });
  }

  void elements(Part part, int depth) {
    array([&] {
      const char c = peek();
      if (c >= '0' && c <= '9') ++tokens_;  // embeddings take tokens by their numbers as well
      if (part == Part::messages && c == '{') ++messages_;
      if (c == '"' && part != Part::format) return text(string());
      value(part == Part::messages ? Part::message : part, depth + 1);
    });
  }

  void raw() {
    const bool is_string = peek() == '"';
    const char* const begin = at_;
    if (is_string) return text(string());
    skip();
    tokens_ += count_({begin, static_cast<std::size_t>(at_ - begin)});
  }

  void text(std::string_view inside) {
    if (is_data_url(inside)) return;
    if (std::memchr(inside.data(), '\\', inside.size()) != nullptr) {
      unescape(inside, scratch_);
      inside = scratch_;
    }
    if (!inside.empty()) tokens_ += count_(inside);
  }

  const char* at_;
  const char* end_;
  TextCount count_;
  TokenCount tokens_ = 0;
  TokenCount messages_ = 0;
  std::string scratch_;
};

struct Estimator {
  static TokenCount count(std::string_view text) { return count_tokens(text); }
};

}  // namespace

TokenCount count_request_tokens(std::string_view body, TextCount count) {
  return RequestWalk(body, count).run();
}

TokenCount count_request_tokens(std::string_view body) {
  const Estimator estimator;
  return count_request_tokens(body, estimator);
}

}  // namespace llmbatch
