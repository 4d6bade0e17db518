#include "review_session.h"

#include <fmt/format.h>

#include <cctype>
#include <csignal>

#include "llmbatch/ui/text_layout.h"

namespace llmbatch {
namespace {

Style style_of(ItemState state) {
  return state == ItemState::succeeded ? Style::good : Style::warning;
}

std::string error_text(const ItemResult& result) {
  std::string text(to_string(result.error));
  if (result.http_status >= 400) text += fmt::format(" (HTTP {})", result.http_status);
  if (!result.error_message.empty()) text += ": " + result.error_message;
  return text;
}

StyledLine item_line(const ItemResult& result) {
  FittedLine line;
  line.add(StyledLine(result.id, Style::strong));
  line.add(StyledLine(to_string(result.state), style_of(result.state)));
  if (!result.model.empty()) line.add(StyledLine(result.model), 2);
  if (result.latency_ms) line.add(StyledLine(fmt::format("{} ms", *result.latency_ms)), 3);
  if (result.place.line > 0) line.add(StyledLine(fmt::format("line {}", result.place.line)), 1);
  return line.fit("  ", 200);
}

void erase_last_character(std::string& text) {
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  if (!text.empty()) text.pop_back();
}

}  // namespace

Result<int> ReviewSession::run() {
  items_ = job_.open_items();
  if (items_.empty()) return 0;
  if (Status shown = show(""); !shown) return forward_error(shown);
  while (!done_) {
    draw();
    const TerminalEvent event = terminal_.wait();
    if (event.stop_signal != 0) return event.stop_signal;
    if (event.hung_up) return SIGHUP;
    for (const Key& key : event.keys) {
      if (key.kind == Key::Kind::interrupt && !screen_.page().note) return SIGINT;
      if (Status taken = take(key); !taken) return forward_error(taken);
      if (done_) break;
    }
  }
  return 0;
}

bool ReviewSession::is_problem() const {
  return row_ && row_->result.state != ItemState::succeeded;
}

StyledLine ReviewSession::progress() const {
  const ReviewOptions& options = job_.options();
  FittedLine line;
  line.add(StyledLine(fmt::format("{} of {} judged", job_.judged_count(), job_.selected().size()),
                      Style::strong));
  line.add(StyledLine(fmt::format("{} good", job_.count(Verdict::good)), Style::good), 1);
  line.add(StyledLine(fmt::format("{} bad", job_.count(Verdict::bad)), Style::bad), 1);
  if (const auto accepted = job_.count(Verdict::accept); accepted > 0) {
    line.add(StyledLine(fmt::format("{} accepted", accepted)), 2);
  }
  if (const auto requeued = job_.count(Verdict::requeue); requeued > 0) {
    line.add(StyledLine(fmt::format("{} requeued", requeued)), 2);
  }
  if (!options.whole_states) {
    line.add(
        StyledLine(fmt::format("sample {}, seed {}", options.size_text, options.seed), Style::dim),
        3);
  }
  return line.fit(terminal_.traits().unicode ? " · " : " | ", terminal_.columns() - 1);
}

std::vector<KeyHint> ReviewSession::key_hints() const {
  std::vector<KeyHint> keys;
  if (row_) {
    keys = {{"g", "good"}, {"b", "bad"}, {"s", "skip"}, {"n", "note"}};
    if (is_problem()) keys.push_back({"r", "requeue"});
    if (is_problem() && row_->result.output) keys.push_back({"a", "accept"});
  }
  if (!given_.empty()) keys.push_back({"u", "undo"});
  keys.push_back({"q", "quit"});
  return keys;
}

Status ReviewSession::add_sections(ReviewPage& page, const ResultRow& row) {
  auto line = job_.line_of(row);
  if (!line) return forward_error(line);
  if (line->text) {
    page.sections.push_back({"input", readable_input(*line->text), Style::plain});
  } else {
    page.sections.push_back({"input", line->missing, Style::warning});
  }
  const ItemResult& result = row.result;
  if (result.error != ErrorClass::none) {
    page.sections.push_back({"error", error_text(result), Style::bad});
  }
  if (result.output) {
    page.sections.push_back({"answer", pretty_json_or_text(*result.output), Style::plain});
  } else {
    auto response = job_.raw_response(row);
    if (!response) return forward_error(response);
    const bool any = *response && !(*response)->empty();
    page.sections.push_back({any ? "no answer; what the provider sent" : "answer",
                             any ? pretty_json_or_text(**response) : "none", Style::plain});
  }
  if (!note_.empty()) page.sections.push_back({"note", note_, Style::accent});
  return {};
}

/// Puts the item at place_ on the screen; passes over those that have no result any more.
Status ReviewSession::show(std::string message) {
  row_.reset();
  for (; place_ < items_.size(); ++place_) {
    auto row = job_.row(items_[place_]);
    if (!row) return forward_error(row);
    if (!*row) continue;
    row_ = std::move(*row);
    break;
  }
  ReviewPage page;
  page.progress = progress();
  page.message = std::move(message);
  if (row_) {
    page.item = item_line(row_->result);
    if (Status added = add_sections(page, *row_); !added) return added;
  } else {
    page.item.add("That was the last one.", Style::strong);
  }
  page.keys = key_hints();
  screen_.set_page(std::move(page));
  return {};
}

void ReviewSession::draw() {
  screen_.page().progress = progress();
  terminal_.write(screen_.render(terminal_.columns(), terminal_.rows()));
}

Status ReviewSession::take(const Key& key) {
  if (screen_.page().note) {
    take_note_key(key);
    return {};
  }
  screen_.page().message.clear();
  switch (key.kind) {
    case Key::Kind::text:
      return key.text.size() == 1 ? take_character(key.text[0]) : Status{};
    case Key::Kind::enter:
    case Key::Kind::down:
      screen_.scroll_lines(1);
      break;
    case Key::Kind::up:
      screen_.scroll_lines(-1);
      break;
    case Key::Kind::page_down:
      screen_.scroll_pages(1);
      break;
    case Key::Kind::page_up:
    case Key::Kind::backspace:
      screen_.scroll_pages(-1);
      break;
    case Key::Kind::home:
      screen_.scroll_to_start();
      break;
    case Key::Kind::end:
      screen_.scroll_to_end();
      break;
    case Key::Kind::suspend:
      terminal_.suspend();
      break;
    case Key::Kind::end_of_input:
      done_ = true;
      break;
    case Key::Kind::escape:
    case Key::Kind::interrupt:
    case Key::Kind::redraw:
    case Key::Kind::erase_line:
    case Key::Kind::unknown:
      break;
  }
  return {};
}

Status ReviewSession::take_character(char c) {
  switch (std::tolower(static_cast<unsigned char>(c))) {
    case 'g':
      return judge(Verdict::good);
    case 'b':
      return judge(Verdict::bad);
    case 's':
      return judge(Verdict::skip);
    case 'a':
      return judge(Verdict::accept);
    case 'r':
      return judge(Verdict::requeue);
    case 'u':
      return take_back();
    case 'n':
      if (row_) screen_.page().note = note_;
      break;
    case 'q':
      done_ = true;
      break;
    case ' ':
      screen_.scroll_pages(1);
      break;
    case '-':
      screen_.scroll_pages(-1);
      break;
    default:
      screen_.page().message = "no such key";
      break;
  }
  return {};
}

void ReviewSession::take_note_key(const Key& key) {
  std::optional<std::string>& text = screen_.page().note;
  switch (key.kind) {
    case Key::Kind::text:
      *text += key.text;
      break;
    case Key::Kind::backspace:
      erase_last_character(*text);
      break;
    case Key::Kind::erase_line:
      text->clear();
      break;
    case Key::Kind::enter: {
      note_ = *text;
      text.reset();
      std::vector<ReviewSection>& sections = screen_.page().sections;
      if (!sections.empty() && sections.back().title == "note") sections.pop_back();
      if (!note_.empty()) sections.push_back({"note", note_, Style::accent});
      screen_.page().message = note_.empty() ? "no note" : "the note goes with the verdict";
      break;
    }
    case Key::Kind::escape:
    case Key::Kind::interrupt:
      text.reset();
      break;
    case Key::Kind::suspend:
      terminal_.suspend();
      break;
    case Key::Kind::up:
    case Key::Kind::down:
    case Key::Kind::page_up:
    case Key::Kind::page_down:
    case Key::Kind::home:
    case Key::Kind::end:
    case Key::Kind::end_of_input:
    case Key::Kind::redraw:
    case Key::Kind::unknown:
      break;
  }
}

Status ReviewSession::judge(Verdict verdict) {
  if (!row_) return {};
  if (is_decision(verdict) && !is_problem()) {
    screen_.page().message = "only filtered, flagged and failed items can be requeued or accepted";
    return {};
  }
  if (verdict == Verdict::accept && !row_->result.output) {
    screen_.page().message = "there is no answer to accept; requeue it, or mend its input line";
    return {};
  }
  const auto number = job_.store(job_.record(*row_, verdict, note_, clock_.wall_now()));
  if (!number && number.error().kind == ErrorKind::in_use) {
    screen_.page().message = "not stored, the database was busy; press the key again";
    return {};
  }
  if (!number) return forward_error(number);
  const std::string text = fmt::format("{}: {}", row_->result.id, to_string(verdict));
  given_.push_back({place_, row_->result.seq, *number, note_, text});
  note_.clear();
  ++place_;
  return show(text);
}

Status ReviewSession::take_back() {
  if (given_.empty()) {
    screen_.page().message = "nothing to undo";
    return {};
  }
  const Given last = given_.back();
  const auto removed = job_.take_back(last.seq, last.number);
  if (!removed && removed.error().kind == ErrorKind::in_use) {
    screen_.page().message = "not undone, the database was busy; press the key again";
    return {};
  }
  if (!removed) return forward_error(removed);
  given_.pop_back();
  if (!*removed) {
    screen_.page().message = last.text + " took effect already and stays";
    return {};
  }
  place_ = last.place;
  note_ = last.note;
  return show("undone: " + last.text);
}

}  // namespace llmbatch
