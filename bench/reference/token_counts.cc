// Token counts beside known ones, and how fast they are made.
//
//   token_counts accuracy [TOKENIZER] < LIST   LIST: lines of `COUNT FILE`; prints
//                                              `COUNTED COUNT FILE` for each
//   token_counts speed MEGABYTES FILE...       prints MB/s of one thread, of CPU time, over a text
//   of
//                                              that size made of random lines of the files
#include <time.h>

#include <algorithm>
#include <fstream>
#include <iostream>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "llmbatch/policy/token_count.h"
#include "llmbatch/tokenizer/make_token_counter.h"

namespace {

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

int accuracy(const std::optional<std::string>& tokenizer) {
  const auto choice = llmbatch::make_token_counter(tokenizer);
  if (!choice) {
    std::cerr << choice.error().message << "\n";
    return 1;
  }
  long long known = 0;
  std::string path;
  while (std::cin >> known && std::getline(std::cin >> std::ws, path)) {
    std::cout << choice->counter->count(read(path)) << " " << known << " " << path << "\n";
  }
  return 0;
}

int speed(std::size_t bytes, const std::vector<std::string>& paths) {
  std::vector<std::string> lines;
  for (const std::string& path : paths) {
    std::istringstream text(read(path));
    for (std::string line; std::getline(text, line);) lines.push_back(line + "\n");
  }
  if (lines.empty()) return 1;
  std::mt19937 random(1);
  std::string text;
  text.reserve(bytes + 65536);
  while (text.size() < bytes) text += lines[random() % lines.size()];
  std::vector<double> rates;
  for (int round = 0; round < 5; ++round) {
    const double start = cpu_seconds();
    const auto tokens = llmbatch::count_tokens(text);
    const double seconds = cpu_seconds() - start;
    if (tokens <= 0) return 1;
    rates.push_back(static_cast<double>(text.size()) / seconds / 1e6);
  }
  std::sort(rates.begin(), rates.end());
  std::cout << rates[rates.size() / 2] << "\n";
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  const std::vector<std::string> words(arguments + 1, arguments + count);
  if (!words.empty() && words[0] == "accuracy") {
    return accuracy(words.size() > 1 ? std::optional(words[1]) : std::nullopt);
  }
  if (words.size() > 2 && words[0] == "speed") {
    return speed(std::stoul(words[1]) * 1000000, {words.begin() + 2, words.end()});
  }
  return 2;
}
