#include "llmbatch/model/verdict.h"

#include <array>

namespace llmbatch {
namespace {

constexpr std::array kVerdicts = {Verdict::good, Verdict::bad, Verdict::skip, Verdict::accept,
                                  Verdict::requeue};

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "good";
    case Verdict::bad:
      return "bad";
    case Verdict::skip:
      return "skip";
    case Verdict::accept:
      return "accept";
    case Verdict::requeue:
      return "requeue";
  }
  return "";
}

std::optional<Verdict> parse_verdict(std::string_view name) {
  for (const Verdict verdict : kVerdicts) {
    if (to_string(verdict) == name) return verdict;
  }
  return std::nullopt;
}

bool is_decision(Verdict verdict) {
  return verdict == Verdict::accept || verdict == Verdict::requeue;
}

}  // namespace llmbatch
