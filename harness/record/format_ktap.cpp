#include <harness/record/by_chapter.hpp>
#include <harness/record/format.hpp>

#include <fmt/format.h>
#include <algorithm>

namespace devmap {
namespace {

/// A text as KTAP diagnostic lines.
std::string diagnostics(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    lines += fmt::format("    # {}\n", line);
    text.remove_prefix(std::min(text.size(), line.size() + 1));
  }
  return lines;
}

/// What KTAP calls the verdict: nothing for a pass or a failure, else a directive.
std::string directive(const Result& result) {
  std::string reason = result.reason.substr(0, result.reason.find('\n'));
  switch (result.verdict) {
    case Verdict::conforms:
      if (reason.empty()) return {};  // there is one where a known deviation has gone
      break;
    case Verdict::unmet:
      return " # SKIP " + reason;
    case Verdict::known:
      return " # XFAIL " + reason;
    case Verdict::timeout:
      return " # TIMEOUT " + reason;
    case Verdict::broken:
      return " # ERROR " + reason;
    default:
      break;
  }
  return fmt::format(" # {}{}{}", name_of(result.verdict), reason.empty() ? "" : ": ", reason);
}

}  // namespace

std::string render_ktap(const RunRecord& record) {
  const auto chapters = by_chapter(record.results);
  std::string text = fmt::format("KTAP version 1\n# {}\n1..{}\n", summary_line(record), chapters.size());
  std::size_t chapter_number = 0;
  for (const auto& [chapter, results] : chapters) {
    text += fmt::format("  KTAP version 1\n  # Subtest: {}\n  1..{}\n", chapter, results.size());
    std::size_t number = 0;
    for (const Result* result : results) {
      if (fails(result->verdict)) {
        // The result's own line has room for its first line alone.
        if (result->reason.find('\n') != std::string::npos) text += diagnostics(result->reason);
        for (const auto& evidence : result->evidence) text += diagnostics(evidence.text());
      }
      text += fmt::format("  {} {} {}{}\n", fails(result->verdict) ? "not ok" : "ok", ++number, result->name(),
                          directive(*result));
    }
    const bool failed = std::ranges::any_of(results, [](const Result* result) { return fails(result->verdict); });
    text += fmt::format("{} {} {}\n", failed ? "not ok" : "ok", ++chapter_number, chapter);
  }
  return text;
}

}  // namespace devmap
