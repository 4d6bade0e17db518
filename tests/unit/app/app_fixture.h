// A world for tests of the command line: a temporary directory and a made-up environment.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "llmbatch/app/command_line.h"
#include "llmbatch/app/environment.h"

namespace llmbatch {

class AppTest : public testing::Test {
 protected:
  AppTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "llmbatch-XXXXXX").string();
    const char* made = ::mkdtemp(pattern.data());
    if (made == nullptr) std::abort();
    root_ = made;
    std::filesystem::create_directories(root_ + "/work");
    variables_["HOME"] = root_ + "/home";
    environment_.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
    environment_.working_directory = work();
  }
  ~AppTest() override { std::filesystem::remove_all(root_); }

  std::string work() const { return root_ + "/work"; }

  std::string write(const std::string& path, const std::string& text) const {
    const std::filesystem::path full = root_ + "/" + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << text;
    return full.string();
  }

  Result<ParsedCommand> parse(const std::vector<std::string>& arguments) const {
    return parse_command_line(arguments, environment_);
  }

  /// The message of the usage error that these arguments lead to.
  std::string error(const std::vector<std::string>& arguments) const {
    const auto parsed = parse(arguments);
    if (parsed) return "no error";
    EXPECT_EQ(parsed.error().kind, ErrorKind::usage);
    return parsed.error().message;
  }

  std::string root_;
  std::map<std::string, std::string> variables_;
  Environment environment_;
};

}  // namespace llmbatch
