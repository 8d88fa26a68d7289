#include <vm/live_table.hpp>

#include <vm/command_support.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

#include <fmt/color.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cstdio>
#include <harness/record/verdict.hpp>
#include <ranges>
#include <utility>

namespace devmap::vm {
namespace {

constexpr const char* kClearLine = "\033[K";

LiveTableStyle style_of_terminal() {
  LiveTableStyle style{.color = true};
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0 && size.ws_row != 0) {
    style.width = size.ws_col;
    style.height = size.ws_row;
  }
  return style;
}

std::string percent(const KernelRow& row) {
  if (row.all == 0) return "";
  constexpr std::size_t kWhole = 100;
  return fmt::format("{}%", row.through * kWhole / row.all);
}

std::string seconds(const KernelRow& row) {
  return row.state == KernelRow::State::waiting ? "" : fmt::format("{:.0f} s", row.elapsed.count());
}

/// The smaller, the sooner it is worth a line.
int rank(const KernelRow& row) {
  switch (row.state) {
    case KernelRow::State::running:
      return 0;
    case KernelRow::State::ended:
      return row.failed ? 1 : 2;
    case KernelRow::State::waiting:
      break;
  }
  return 3;
}

/// The places of the rows that are shown, in their order.
std::vector<std::size_t> worth_showing(const std::vector<KernelRow>& rows, std::size_t room) {
  std::vector<std::size_t> places(rows.size());
  std::ranges::copy(std::views::iota(std::size_t{0}, rows.size()), places.begin());
  if (places.size() <= room) return places;
  std::ranges::stable_sort(places, {}, [&rows](std::size_t at) { return rank(rows[at]); });
  places.resize(room);
  std::ranges::sort(places);
  return places;
}

std::string left_out(const std::vector<KernelRow>& rows, const std::vector<std::size_t>& shown) {
  std::size_t waiting = 0;
  std::size_t ended = 0;
  for (std::size_t at = 0; at < rows.size(); ++at) {
    if (std::ranges::binary_search(shown, at)) continue;
    ++(rows[at].state == KernelRow::State::waiting ? waiting : ended);
  }
  return fmt::format("and {} more: {} through, {} waiting", waiting + ended, ended, waiting);
}

std::string painted(const std::string& line, const KernelRow& row, bool color) {
  if (!color || row.state == KernelRow::State::running) return line;
  if (row.failed) return fmt::format(fg(fmt::terminal_color::red), "{}", line);
  if (row.state == KernelRow::State::waiting) return fmt::format(fmt::emphasis::faint, "{}", line);
  return fmt::format(fg(fmt::terminal_color::green), "{}", line);
}

}  // namespace

std::string text_of(const std::map<std::string, std::size_t>& counts) {
  std::vector<std::string> parts;
  for (const auto verdict : kVerdicts) {
    const auto count = counts.find(std::string(devmap::name_of(verdict)));
    if (count != counts.end()) parts.push_back(fmt::format("{} {}", count->second, count->first));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> render(const std::vector<KernelRow>& rows, const LiveTableStyle& style) {
  // The headings, and the line in which the cursor stands.
  constexpr std::size_t kAround = 2;
  const auto room = std::max(style.height, kAround + 2) - kAround;
  const auto shown = worth_showing(rows, rows.size() <= room ? room : room - 1);
  std::size_t label_width = std::string_view("kernel").size();
  std::size_t phase_width = std::string_view("booting again").size();
  for (const auto& row : rows) {
    label_width = std::max(label_width, row.label.size());
    phase_width = std::max(phase_width, row.phase.size());
  }
  const auto line = [&](const std::string& label, const std::string& phase, const std::string& done,
                        const std::string& time, const std::string& counts) {
    auto text =
        fmt::format("{:<{}}  {:<{}}  {:>4}  {:>6}  {}", label, label_width, phase, phase_width, done, time, counts);
    text.resize(std::min({text.size(), style.width - 1, text.find_last_not_of(' ') + 1}));
    return text;
  };
  std::vector<std::string> lines = {line("kernel", "phase", "", "time", "verdicts")};
  for (const auto at : shown) {
    const auto& row = rows[at];
    lines.push_back(
        painted(line(row.label, row.phase, percent(row), seconds(row), text_of(row.counts)), row, style.color));
  }
  if (shown.size() < rows.size()) lines.push_back(left_out(rows, shown).substr(0, style.width - 1));
  return lines;
}

LiveTable::LiveTable(std::vector<std::string> labels, bool on_terminal) : on_terminal_(on_terminal) {
  for (auto& label : labels) rows_.push_back({.label = std::move(label), .phase = "waiting"});
  began_.resize(rows_.size());
}

void LiveTable::update(std::size_t at, KernelRow row) {
  const std::lock_guard alone(mutex_);
  auto& kept = rows_.at(at);
  if (kept.state == KernelRow::State::waiting)
    began_.at(at) = Clock::now() - duration_cast<Clock::duration>(row.elapsed);
  row.label = kept.label;
  const auto before = std::exchange(kept, std::move(row));
  if (!on_terminal_) return tell_of(before, kept);
  constexpr std::chrono::milliseconds kNotSooner{100};
  if (kept.state != before.state || Clock::now() - drawn_ >= kNotSooner) draw();
}

void LiveTable::tick() {
  const std::lock_guard alone(mutex_);
  if (!on_terminal_) return;
  for (std::size_t at = 0; at < rows_.size(); ++at) {
    if (rows_[at].state == KernelRow::State::running) rows_[at].elapsed = Clock::now() - began_[at];
  }
  draw();
}

void LiveTable::say(const std::string& line) {
  const std::lock_guard alone(mutex_);
  if (on_terminal_) erase();
  mention(line);
  if (on_terminal_) draw();
}

void LiveTable::tell_of(const KernelRow& before, const KernelRow& now) const {
  if (before.state == now.state) return;
  if (now.state == KernelRow::State::running) return mention(fmt::format("{}: begun", now.label));
  mention(fmt::format("{}: {} after {}{}{}", now.label, now.phase, seconds(now), now.counts.empty() ? "" : ": ",
                      text_of(now.counts)));
}

void LiveTable::erase() {
  for (; lines_ > 0; --lines_) fmt::print(stderr, "\033[A\r{}", kClearLine);
}

void LiveTable::draw() {
  const auto lines = render(rows_, style_of_terminal());
  // Line by line over what was there, so that nothing flickers.
  std::string text;
  if (lines_ > 0) text += fmt::format("\033[{}A", lines_);
  for (const auto& line : lines) text += fmt::format("\r{}{}\n", line, kClearLine);
  if (lines_ > lines.size()) text += "\033[J";
  lines_ = lines.size();
  drawn_ = Clock::now();
  fmt::print(stderr, "{}", text);
  std::fflush(stderr);
}

}  // namespace devmap::vm
