#include <harness/record/by_chapter.hpp>
#include <harness/record/format.hpp>

#include <fmt/color.h>
#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <set>
#include <span>
#include <sstream>

namespace devmap {
namespace {

constexpr std::size_t kMostEvidence = 12;

fmt::text_style style_of(Verdict verdict) {
  if (fails(verdict)) return fg(fmt::terminal_color::red) | fmt::emphasis::bold;
  if (verdict == Verdict::conforms) return fg(fmt::terminal_color::green);
  return fg(fmt::terminal_color::yellow);
}

std::string painted(const std::string& text, const fmt::text_style& style, bool color) {
  return color ? fmt::format(style, "{}", text) : text;
}

/// The verdicts that occur, in their own order.
std::vector<Verdict> occurring(const RunRecord& record) {
  std::vector<Verdict> verdicts;
  const auto counts = record.summary();
  for (const Verdict verdict : kVerdicts) {
    if (counts.contains(verdict)) verdicts.push_back(verdict);
  }
  return verdicts;
}

std::string chapter_table(const RunRecord& record, bool color) {
  const auto verdicts = occurring(record);
  std::string text = fmt::format("{:<12}{:>8}", "chapter", "checks");
  for (const Verdict verdict : verdicts) text += fmt::format("{:>12}", name_of(verdict));
  text = painted(text, fmt::emphasis::bold, color) + "\n";
  for (const auto& [chapter, results] : by_chapter(record.results)) {
    text += fmt::format("{:<12}{:>8}", chapter, results.size());
    for (const Verdict verdict : verdicts) {
      const auto count = std::ranges::count(results, verdict, [](const Result* result) { return result->verdict; });
      const auto cell = fmt::format("{:>12}", count == 0 ? std::string("-") : std::to_string(count));
      text += count == 0 ? cell : painted(cell, style_of(verdict), color);
    }
    text += "\n";
  }
  return text;
}

std::string indented(const std::string& text, std::string_view prefix) {
  std::istringstream lines(text);
  std::string indented;
  for (std::string line; std::getline(lines, line);) indented += fmt::format("{}{}\n", prefix, line);
  return indented;
}

/// Everything that was not as expected, and as much of the rest as fits.
std::string evidence_text(const Result& result) {
  std::string text;
  std::size_t shown = 0;
  for (const auto& evidence : result.evidence) {
    if (evidence.as_expected && shown >= kMostEvidence) continue;
    ++shown;
    const char* mark = !judged(evidence.role) ? "." : (evidence.as_expected ? " " : "!");
    text += indented(evidence.text(), fmt::format("    {} ", mark));
  }
  if (shown < result.evidence.size()) {
    text += fmt::format("      ({} more as expected)\n", result.evidence.size() - shown);
  }
  return text;
}

/// Results that differ in their variant alone are told together.
std::string findings(const RunRecord& record, const Statements& statements, bool color) {
  std::map<std::string, std::vector<const Result*>> groups;
  std::vector<std::string> order;
  for (const auto& result : record.results) {
    if (result.verdict == Verdict::conforms && result.reason.empty()) continue;
    const auto key = fmt::format("{}\n{}\n{}", result.rule, name_of(result.verdict), result.reason);
    if (!groups.contains(key)) order.push_back(key);
    groups[key].push_back(&result);
  }
  std::string text;
  for (const auto& key : order) {
    const auto& group = groups.at(key);
    const Result& first = *group.front();
    std::set<std::string> variants;
    for (const Result* result : group) variants.insert(result->variant);
    text += fmt::format("\n{} {} [{}]\n", painted(std::string(name_of(first.verdict)), style_of(first.verdict), color),
                        painted(first.rule, fmt::emphasis::bold, color), fmt::join(variants, ", "));
    if (const auto states = statements.find(first.rule); states != statements.end()) {
      text += indented(states->second, "  ");
    }
    if (!first.reason.empty()) text += indented(first.reason, "  because: ");
    if (first.verdict != Verdict::unmet) text += evidence_text(first);
    if (!first.advice.empty()) text += fmt::format("  what to do: {}\n", first.advice);
  }
  return text;
}

/// Checks whose verdict was not the same in every iteration.
std::string unsteady(const RunRecord& record) {
  std::map<std::string, std::map<Verdict, unsigned>> verdicts;
  for (const auto& result : record.results) ++verdicts[result.name()][result.verdict];
  std::string text;
  for (const auto& [name, counts] : verdicts) {
    if (counts.size() < 2) continue;
    text += fmt::format("\nunsteady {}:", name);
    for (const auto& [verdict, count] : counts) text += fmt::format(" {} x {}", count, name_of(verdict));
    text += "\n";
  }
  return text;
}

/// How fast races ran, each time.
std::string rates(const RunRecord& record) {
  std::string text;
  for (const auto& result : record.results) {
    for (const auto& evidence : result.evidence) {
      if (evidence.role == Role::rate) text += fmt::format("  {}: {}\n", result.name(), evidence.did);
    }
  }
  return text.empty() ? text : "\nrates:\n" + text;
}

}  // namespace

std::string summary_line(const RunRecord& record) {
  std::string counts;
  const auto summary = record.summary();
  for (const Verdict verdict : occurring(record)) {
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", summary.at(verdict), name_of(verdict));
  }
  return fmt::format("{} check{} on {} in {:.1f} s: {}{}", record.results.size(), record.results.size() == 1 ? "" : "s",
                     record.context.kernel_label, record.context.duration_ms / 1000,
                     counts.empty() ? "none carried out" : counts,
                     record.context.partial ? " (partial: not all that was asked for)" : "");
}

std::string render_console(const RunRecord& record, const Statements& statements, const ConsoleStyle& style) {
  const auto summary = painted(summary_line(record), fmt::emphasis::bold, style.color) + "\n";
  if (style.quiet) return summary;
  std::string text = chapter_table(record, style.color) + findings(record, statements, style.color) + unsteady(record);
  if (record.context.soak) text += rates(record);
  for (const auto& warning : record.context.foreign_warnings) {
    text += fmt::format("\nkernel warning of another task, not judged: {}\n", warning);
  }
  if (record.context.kernel_log != "watched") text += "\nkernel log not watched: " + record.context.kernel_log + "\n";
  return text + "\n" + summary;
}

}  // namespace devmap
