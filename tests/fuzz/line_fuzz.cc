// LineReader and LineParser on any bytes: they never crash, and what they accept is JSON for an
// independent parser. The first byte chooses the chunk size and the rules.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "llmbatch/input/line_parser.h"
#include "llmbatch/input/line_reader.h"

namespace {

class BytesSource final : public llmbatch::ByteSource {
 public:
  explicit BytesSource(std::string_view bytes) : bytes_(bytes) {}
  llmbatch::Result<std::size_t> read(char* buffer, std::size_t size) override {
    const std::size_t count = std::min(size, bytes_.size() - position_);
    std::memcpy(buffer, bytes_.data() + position_, count);
    position_ += count;
    return count;
  }
  bool seekable() const override { return true; }
  llmbatch::Status seek(std::uint64_t offset) override {
    position_ = offset;
    return {};
  }
  std::uint64_t consumed_bytes() const override { return position_; }

 private:
  std::string_view bytes_;
  std::size_t position_ = 0;
};

void require(bool condition) {
  if (!condition) std::abort();
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// The text with every number outside strings cut to a size that a double can hold: JSON knows no
/// largest number (RFC 8259, 6), and the other parser does. What is no number stays none.
std::string with_short_numbers(std::string_view text) {
  constexpr std::size_t kMostDigits = 20;
  constexpr std::size_t kMostExponentDigits = 2;
  std::string result;
  bool in_string = false;
  std::size_t digits = 0;
  bool exponent = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      result += c;
      if (c == '\\' && i + 1 < text.size()) {
        result += text[++i];
      } else if (c == '"') {
        in_string = false;
      }
      continue;
    }
    if (is_digit(c)) {
      if (++digits <= (exponent ? kMostExponentDigits : kMostDigits)) result += c;
      continue;
    }
    const bool sign = c == '+' || c == '-';
    exponent = ((c == 'e' || c == 'E') && digits > 0) || (exponent && sign && digits == 0);
    digits = 0;
    in_string = c == '"';
    result += c;
  }
  return result;
}

bool is_json(std::string_view text) { return nlohmann::json::accept(with_short_numbers(text)); }

void check_fields(const llmbatch::LineFields& fields) {
  for (const auto raw : {fields.body, fields.messages, fields.prompt, fields.system}) {
    require(raw.empty() || is_json(raw));
  }
  for (const auto& field : fields.fields) require(is_json(field.value));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const unsigned choice = data[0];
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  llmbatch::LineParserOptions options;
  options.id_rule = static_cast<llmbatch::IdRule>(choice % 3);
  options.id_field = "ticket";
  if ((choice & 4U) != 0) {
    auto text = llmbatch::PromptTemplate::parse("{{id}}{{#tags}}{{.}}{{/tags}}{{a.b}}", "t");
    require(text.has_value());
    options.prompt = std::make_shared<const llmbatch::PromptTemplate>(std::move(*text));
  }
  llmbatch::LineParser parser(options);
  llmbatch::LineReader reader(std::make_unique<BytesSource>(bytes), 1 + (choice >> 3U) * 7, 4096);
  llmbatch::Line line;
  std::uint64_t number = 0;
  for (;;) {
    auto more = reader.next(line);
    require(more.has_value());
    if (!*more) break;
    require(line.number == ++number);
    llmbatch::LineFields fields;
    if (!parser.parse(line, fields)) continue;
    require(is_json(line.text));
    check_fields(fields);
  }
  // Any text is a template or an error.
  static_cast<void>(llmbatch::PromptTemplate::parse(bytes, "t").has_value());
  return 0;
}
