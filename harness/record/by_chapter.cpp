#include <harness/record/by_chapter.hpp>

#include <algorithm>

namespace devmap {

std::vector<std::pair<std::string, std::vector<const Result*>>> by_chapter(const std::vector<Result>& results) {
  std::vector<std::pair<std::string, std::vector<const Result*>>> chapters;
  for (const auto& result : results) {
    const auto name = result.rule.substr(0, result.rule.find('.'));
    auto chapter = std::ranges::find(chapters, name, [](const auto& entry) { return entry.first; });
    if (chapter == chapters.end()) chapter = chapters.insert(chapters.end(), {name, {}});
    chapter->second.push_back(&result);
  }
  return chapters;
}

}  // namespace devmap
