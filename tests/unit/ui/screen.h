// A small terminal: understands what the line printer sends and keeps what a person would see.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "llmbatch/base/text.h"

namespace llmbatch::test {

class Screen {
 public:
  explicit Screen(int columns) : columns_(columns) {}

  void feed(std::string_view text) {
    std::size_t i = 0;
    while (i < text.size()) {
      const char c = text[i];
      if (c == '\x1b') {
        i += escape(text.substr(i));
      } else if (c == '\r') {
        column_ = 0;
        ++i;
      } else if (c == '\n') {
        ++row_;
        ++i;
      } else {
        std::size_t length = 1;
        while (i + length < text.size() &&
               (static_cast<unsigned char>(text[i + length]) & 0xC0) == 0x80) {
          ++length;
        }
        put(text.substr(i, length));
        i += length;
      }
    }
  }

  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    for (const auto& cells : rows_) {
      std::string line;
      for (const auto& cell : cells) line += cell;
      result.push_back(std::string(trim_right(line)));
    }
    while (!result.empty() && result.back().empty()) result.pop_back();
    return result;
  }
  std::string text() const {
    std::string all;
    for (const auto& line : lines()) all += line + "\n";
    return all;
  }
  std::size_t row() const { return row_; }
  int column() const { return column_; }
  bool wrapped() const { return wrapped_; }
  const std::vector<std::string>& unknown_escapes() const { return unknown_; }

 private:
  static std::string_view trim_right(std::string_view line) {
    while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
    return line;
  }

  std::vector<std::string>& current() {
    if (rows_.size() <= row_) rows_.resize(row_ + 1);
    return rows_[row_];
  }

  void put(std::string_view character) {
    if (column_ >= columns_) {
      wrapped_ = true;
      column_ = 0;
      ++row_;
    }
    auto& cells = current();
    const auto index = static_cast<std::size_t>(column_);
    if (cells.size() <= index) cells.resize(index + 1, " ");
    cells[index] = std::string(character);
    column_ += display_width(character);
  }

  std::size_t escape(std::string_view text) {
    const std::size_t end = text.find_first_of("ABCDHJKmhl", 2);
    const std::string code(text.substr(0, end + 1));
    const auto count = static_cast<std::size_t>(std::max(1, std::atoi(code.c_str() + 2)));
    if (code.back() == 'A') {
      row_ = row_ > count ? row_ - count : 0;
    } else if (code == "\x1b[K") {
      if (current().size() > static_cast<std::size_t>(column_)) {
        current().resize(static_cast<std::size_t>(column_));
      }
    } else if (code == "\x1b[J") {
      if (rows_.size() > row_ + 1) rows_.resize(row_ + 1);
      if (current().size() > static_cast<std::size_t>(column_)) {
        current().resize(static_cast<std::size_t>(column_));
      }
    } else if (code.back() != 'm') {
      unknown_.push_back(code);
    }
    return end + 1;
  }

  int columns_;
  int column_ = 0;
  std::size_t row_ = 0;
  bool wrapped_ = false;
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::string> unknown_;
};

}  // namespace llmbatch::test
