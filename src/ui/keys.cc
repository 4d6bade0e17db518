#include "llmbatch/ui/keys.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace llmbatch {
namespace {

struct Sequence {
  std::string_view bytes;
  Key::Kind kind;
};

// What xterm, the Linux console, tmux and screen send.
constexpr auto kSequences = std::to_array<Sequence>({
    {"\x1b[A", Key::Kind::up},
    {"\x1bOA", Key::Kind::up},
    {"\x1b[B", Key::Kind::down},
    {"\x1bOB", Key::Kind::down},
    {"\x1b[5~", Key::Kind::page_up},
    {"\x1b[6~", Key::Kind::page_down},
    {"\x1b[H", Key::Kind::home},
    {"\x1b[1~", Key::Kind::home},
    {"\x1bOH", Key::Kind::home},
    {"\x1b[F", Key::Kind::end},
    {"\x1b[4~", Key::Kind::end},
    {"\x1bOF", Key::Kind::end},
});

std::optional<Key::Kind> control_key(char c) {
  switch (c) {
    case '\r':
    case '\n':
      return Key::Kind::enter;
    case '\x7f':
    case '\b':
      return Key::Kind::backspace;
    case '\x03':
      return Key::Kind::interrupt;
    case '\x1a':
      return Key::Kind::suspend;
    case '\x04':
      return Key::Kind::end_of_input;
    case '\x0c':
      return Key::Kind::redraw;
    case '\x15':
      return Key::Kind::erase_line;
    default:
      return static_cast<unsigned char>(c) < 0x20 ? std::optional(Key::Kind::unknown)
                                                  : std::nullopt;
  }
}

std::size_t utf8_length(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0xF0) return 4;
  if (byte >= 0xE0) return 3;
  return byte >= 0xC0 ? 2 : 1;
}

/// Bytes of the escape sequence at the front; 0: not whole yet.
std::size_t sequence_length(std::string_view bytes) {
  if (bytes.size() < 2) return 0;
  if (bytes[1] == 'O') return bytes.size() < 3 ? 0 : 3;
  if (bytes[1] != '[') return 1;  // Escape, then another key.
  for (std::size_t i = 2; i < bytes.size(); ++i) {
    if (bytes[i] >= '@' && bytes[i] <= '~') return i + 1;
  }
  return 0;
}

Key take_escape(std::string_view bytes, std::size_t length) {
  const std::string_view sequence = bytes.substr(0, length);
  if (length == 1) return {Key::Kind::escape, ""};
  for (const Sequence& known : kSequences) {
    if (known.bytes == sequence) return {known.kind, ""};
  }
  return {Key::Kind::unknown, ""};
}

}  // namespace

std::vector<Key> take_keys(std::string& bytes, bool no_more) {
  std::vector<Key> keys;
  std::string_view rest = bytes;
  while (!rest.empty()) {
    std::size_t length = 1;
    if (rest.front() == '\x1b') {
      length = sequence_length(rest);
      if (length == 0 && !no_more) break;
      // What never became whole: Escape, and what follows is typed text.
      length = std::max<std::size_t>(length, 1);
      keys.push_back(take_escape(rest, length));
    } else if (const auto control = control_key(rest.front())) {
      keys.push_back({*control, ""});
    } else {
      length = utf8_length(rest.front());
      if (length > rest.size() && !no_more) break;
      length = std::min(length, rest.size());
      keys.push_back({Key::Kind::text, std::string(rest.substr(0, length))});
    }
    rest.remove_prefix(length);
  }
  bytes.erase(0, bytes.size() - rest.size());
  return keys;
}

}  // namespace llmbatch
