#include <reports/compact.hpp>

#include <fmt/format.h>
#include <cmath>
#include <reports/kernel.hpp>
#include <string>
#include <unordered_map>

namespace devmap::reports {
namespace {

std::string check_of(const Result& result) {
  return fmt::format("{}#{}", result.name(), result.iteration);
}

/// Where the evidence of a check stays.
struct Keeper {
  std::size_t source = 0;
  bool usual = false;
};

std::unordered_map<std::string, Keeper> keepers_of(const std::vector<Source>& sources) {
  std::unordered_map<std::string, Keeper> keepers;
  for (std::size_t source = 0; source < sources.size(); ++source) {
    const bool usual = Kernel::of(sources[source].record.context).kind().empty();
    for (const auto& result : sources[source].record.results) {
      if (result.verdict != Verdict::conforms || is_compacted(result)) continue;
      const auto [keeper, is_new] = keepers.try_emplace(check_of(result), Keeper{source, usual});
      if (!is_new && usual >= keeper->second.usual) keeper->second = {source, usual};
    }
  }
  return keepers;
}

}  // namespace

bool is_compacted(const Result& result) {
  return result.verdict == Verdict::conforms && result.evidence.empty();
}

void compact(std::vector<Source>& sources) {
  const auto keepers = keepers_of(sources);
  for (std::size_t source = 0; source < sources.size(); ++source) {
    for (auto& result : sources[source].record.results) {
      result.duration_ms = std::round(result.duration_ms * 10) / 10;
      if (result.verdict != Verdict::conforms || is_compacted(result)) continue;
      if (keepers.at(check_of(result)).source == source) continue;
      result.expected.clear();
      result.observed.clear();
      result.evidence.clear();
    }
  }
}

}  // namespace devmap::reports
