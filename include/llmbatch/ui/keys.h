// Keys: what somebody typed, from the bytes that a terminal in raw mode sends. Thread rule: pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace llmbatch {

struct Key {
  enum class Kind : std::uint8_t {
    text,  ///< one character, in `text` as UTF-8
    enter,
    backspace,
    escape,
    up,
    down,
    page_up,
    page_down,
    home,
    end,
    interrupt,     ///< Ctrl-C
    suspend,       ///< Ctrl-Z
    end_of_input,  ///< Ctrl-D
    redraw,        ///< Ctrl-L
    erase_line,    ///< Ctrl-U
    unknown,
  };
  Kind kind = Kind::unknown;
  std::string text;
};

/// Takes whole keys from the front of `bytes` and leaves the beginning of one that is not whole
/// yet; with `no_more` a lone escape byte is the Escape key and nothing is left.
std::vector<Key> take_keys(std::string& bytes, bool no_more);

}  // namespace llmbatch
