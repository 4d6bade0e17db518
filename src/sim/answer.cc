#include "llmbatch/sim/answer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "dice.h"
#include "llmbatch/base/hash.h"
#include "llmbatch/base/text.h"

namespace llmbatch::sim {
namespace {

constexpr std::array<std::string_view, 5> kDefaultLabels = {"billing", "technical", "account",
                                                            "shipping", "other"};

struct Keyword {
  std::string_view word;
  std::string_view label;
  int weight;
};

// Lower case; matched as parts of words, so that `charge` finds `charged` and `charges`.
constexpr std::array kKeywords = {
    Keyword{"invoice", "billing", 4},        Keyword{"charge", "billing", 3},
    Keyword{"refund", "billing", 3},         Keyword{"payment", "billing", 3},
    Keyword{"billed", "billing", 4},         Keyword{"credit card", "billing", 3},
    Keyword{" vat ", "billing", 1},          Keyword{"receipt", "billing", 3},
    Keyword{"price", "billing", 2},          Keyword{"discount", "billing", 3},
    Keyword{"rechnung", "billing", 5},       Keyword{"abgebucht", "billing", 5},
    Keyword{"factura", "billing", 5},        Keyword{"cobr", "billing", 4},
    Keyword{"請求", "billing", 5},           Keyword{"返金", "billing", 4},
    Keyword{"error", "technical", 3},        Keyword{"crash", "technical", 4},
    Keyword{"bug", "technical", 3},          Keyword{"freez", "technical", 4},
    Keyword{"timeout", "technical", 3},      Keyword{"slow", "technical", 2},
    Keyword{"sync", "technical", 3},         Keyword{"api", "technical", 1},
    Keyword{"blank screen", "technical", 4}, Keyword{"export", "technical", 2},
    Keyword{"update", "technical", 1},       Keyword{"fehler", "technical", 4},
    Keyword{"stürzt", "technical", 5},       Keyword{"se cierra", "technical", 5},
    Keyword{"エラー", "technical", 5},       Keyword{"webhook", "technical", 4},
    Keyword{"log in", "account", 4},         Keyword{"login", "account", 4},
    Keyword{"password", "account", 4},       Keyword{"two-factor", "account", 5},
    Keyword{"locked", "account", 3},         Keyword{"e-mail address", "account", 3},
    Keyword{"email address", "account", 3},  Keyword{"my account", "account", 2},
    Keyword{"profile", "account", 2},        Keyword{"permission", "account", 3},
    Keyword{"sign in", "account", 4},        Keyword{"passwort", "account", 5},
    Keyword{"contraseña", "account", 5},     Keyword{"パスワード", "account", 5},
    Keyword{"parcel", "shipping", 5},        Keyword{"package", "shipping", 4},
    Keyword{"deliver", "shipping", 3},       Keyword{"courier", "shipping", 4},
    Keyword{"tracking", "shipping", 4},      Keyword{"shipment", "shipping", 5},
    Keyword{"shipped", "shipping", 4},       Keyword{"customs", "shipping", 4},
    Keyword{"paket", "shipping", 5},         Keyword{"lieferung", "shipping", 5},
    Keyword{"paquete", "shipping", 5},       Keyword{"envío", "shipping", 5},
    Keyword{"配送", "shipping", 5},          Keyword{"荷物", "shipping", 5},
    Keyword{"suggest", "other", 3},          Keyword{"thank", "other", 1},
    Keyword{"partnership", "other", 5},      Keyword{"opening hours", "other", 5},
    Keyword{"feature request", "other", 5},  Keyword{"roadmap", "other", 4},
    Keyword{"feedback", "other", 3},         Keyword{"job", "other", 2},
};

constexpr std::array<std::string_view, 8> kOpenings = {
    "In short",     "Put simply",  "As far as one can tell", "Taken together",
    "On the whole", "At its core", "Looking closer",         "By most accounts"};
constexpr std::array<std::string_view, 8> kMiddles = {"the matter is clear enough to act on",
                                                      "two points deserve a second look",
                                                      "the request is reasonable",
                                                      "the details support the main claim",
                                                      "nothing here is out of the ordinary",
                                                      "the wording leaves some room",
                                                      "the evidence points one way",
                                                      "a short reply is enough"};
constexpr std::array<std::string_view, 8> kEndings = {
    "and the next step is a simple one.",  "so no further work is needed.",
    "but a person should confirm it.",     "and the rest follows from that.",
    "which is what was asked for.",        "and it can be settled today.",
    "though the dates should be checked.", "so the answer is yes."};
constexpr std::array<std::string_view, 24> kWords = {
    "river",  "signal",  "quiet",  "market", "lantern", "engine", "paper",  "orbit",
    "garden", "number",  "bridge", "winter", "copper",  "letter", "harbor", "window",
    "system", "morning", "field",  "answer", "mirror",  "thread", "valley", "clock"};

std::string plausible_text(std::uint64_t hash) {
  Dice dice(hash);
  std::string text(kOpenings[dice.below(kOpenings.size())]);
  text += ", ";
  text += kMiddles[dice.below(kMiddles.size())];
  text += ", ";
  text += kEndings[dice.below(kEndings.size())];
  return text;
}

std::string some_words(std::size_t count, std::uint64_t hash) {
  Dice dice(hash);
  std::string text;
  text.reserve(count * 7);
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ' ';
    text += kWords[dice.below(kWords.size())];
  }
  return text;
}

std::string_view ticket_part(std::string_view prompt) {
  std::size_t start = prompt.rfind("\nTicket");
  if (start == std::string_view::npos) start = prompt.rfind("\nSubject:");
  return start == std::string_view::npos ? prompt : prompt.substr(start + 1);
}

std::vector<std::string> default_labels() { return {kDefaultLabels.begin(), kDefaultLabels.end()}; }

}  // namespace

std::string classify(const std::vector<std::string>& labels, std::string_view prompt,
                     std::uint64_t hash) {
  if (labels.empty()) return {};
  const std::string text = to_lower_ascii(ticket_part(prompt));
  std::size_t best = labels.size();
  int best_score = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    int score = 0;
    for (const Keyword& keyword : kKeywords) {
      if (keyword.label == labels[i] && text.find(keyword.word) != std::string::npos) {
        score += keyword.weight;
      }
    }
    const bool known =
        std::find(kDefaultLabels.begin(), kDefaultLabels.end(), labels[i]) != kDefaultLabels.end();
    // A label of the user's own has no keywords: its name in the text has to do.
    if (!known && text.find(to_lower_ascii(labels[i])) != std::string::npos) score += 3;
    if (score > best_score) {
      best_score = score;
      best = i;
    }
  }
  if (best == labels.size()) best = Dice(hash).below(labels.size());
  return labels[best];
}

Result<std::vector<ModelAccuracy>> parse_model_accuracies(std::string_view text) {
  std::vector<ModelAccuracy> accuracies;
  while (!text.empty()) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const std::string_view part = trim(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
    const std::size_t equals = part.rfind('=');
    std::string_view number = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    const bool percent = number.ends_with('%');
    if (percent) number.remove_suffix(1);
    ModelAccuracy accuracy;
    const auto [end, code] =
        std::from_chars(number.data(), number.data() + number.size(), accuracy.share);
    if (percent) accuracy.share /= 100;
    const bool good = code == std::errc() && end == number.data() + number.size() && equals > 0 &&
                      accuracy.share >= 0 && accuracy.share <= 1;
    if (!good) {
      return usage_error("'" + std::string(part) +
                         "': not a model and its accuracy (expected small=80%)");
    }
    accuracy.model = part.substr(0, equals);
    accuracies.push_back(std::move(accuracy));
  }
  return accuracies;
}

std::string with_accuracy(const std::vector<ModelAccuracy>& accuracies, std::string_view model,
                          const std::vector<std::string>& labels, std::string label,
                          std::string_view prompt, std::uint64_t seed) {
  const auto found = std::find_if(accuracies.begin(), accuracies.end(),
                                  [&](const ModelAccuracy& one) { return one.model == model; });
  if (found == accuracies.end() || labels.size() < 2) return label;
  Dice dice(hash64(prompt, hash64(model, seed)));
  if (dice.uniform() < found->share) return label;
  const auto place = std::find(labels.begin(), labels.end(), label);
  const auto index = static_cast<std::size_t>(place - labels.begin());
  return labels[(index + 1 + dice.below(labels.size() - 1)) % labels.size()];
}

Result<AnswerMode> parse_answer_mode(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const std::string_view argument =
      colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  AnswerMode mode;
  if (name == "classify") {
    mode.kind = AnswerMode::Kind::classify;
    for (std::string_view rest = argument; !rest.empty();) {
      const std::size_t comma = rest.find(',');
      if (const auto label = trim(rest.substr(0, comma)); !label.empty()) {
        mode.labels.emplace_back(label);
      }
      rest = comma == std::string_view::npos ? std::string_view{} : rest.substr(comma + 1);
    }
    if (mode.labels.empty()) mode.labels = default_labels();
    return mode;
  }
  if (name == "words") {
    mode.kind = AnswerMode::Kind::words;
    const auto [end, code] =
        std::from_chars(argument.data(), argument.data() + argument.size(), mode.words);
    if (code != std::errc() || end != argument.data() + argument.size() || mode.words == 0 ||
        mode.words > 1'000'000) {
      return usage_error("'" + std::string(text) + "': not a number of words (expected words:200)");
    }
    return mode;
  }
  if (text == "text") return mode;
  if (text == "echo") {
    mode.kind = AnswerMode::Kind::echo;
    return mode;
  }
  return usage_error("'" + std::string(text) +
                     "': not an answer mode (expected text, echo, classify[:LABELS] or words:N)");
}

std::string make_answer(const AnswerMode& mode, std::string_view prompt, std::uint64_t hash) {
  switch (mode.kind) {
    case AnswerMode::Kind::text:
      return plausible_text(hash);
    case AnswerMode::Kind::echo:
      return std::string(prompt);
    case AnswerMode::Kind::classify:
      return classify(mode.labels, prompt, hash);
    case AnswerMode::Kind::words:
      return some_words(mode.words, hash);
  }
  return {};
}

std::int64_t token_count(std::size_t size_bytes) {
  return static_cast<std::int64_t>((size_bytes + 3) / 4);
}

}  // namespace llmbatch::sim
