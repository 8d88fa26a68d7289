#include <bench/measure/benchmark.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <map>
#include <utility>

namespace devmap::bench {
namespace {

/// Many benchmarks need the same few things.
const Fact& probed(const Feature& feature) {
  static std::map<std::string, Fact> known;
  const auto found = known.find(feature.name);
  return found != known.end() ? found->second : known.emplace(feature.name, feature.probe()).first->second;
}

}  // namespace

std::string Facts::text() const {
  std::vector<std::string> words;
  if (!map_type.empty()) words.push_back("map " + map_type);
  if (max_entries != 0) words.push_back(fmt::format("max_entries {}", max_entries));
  if (frame_length != 0) words.push_back(fmt::format("{} bytes", frame_length));
  if (batch != 0) words.push_back(fmt::format("batch {}", batch));
  if (!peer.empty()) words.push_back("peer " + peer);
  if (processors > 1) words.push_back(fmt::format("{} processors", processors));
  return fmt::format("{}", fmt::join(words, ", "));
}

std::string Benchmark::unmet() const {
  for (const auto& need : needs) {
    if (const auto& fact = probed(need); fact.presence != Presence::present) {
      return fmt::format("needs {}: {}", need.name, fact.text);
    }
  }
  return {};
}

const std::vector<Benchmark>& all_benchmarks() {
  static const std::vector<Benchmark> all = [] {
    std::vector<Benchmark> made;
    add_control_plane(made);
    add_helpers(made);
    add_data_path(made);
    return made;
  }();
  return all;
}

const Benchmark* find_benchmark(std::string_view name) {
  const auto& all = all_benchmarks();
  const auto found = std::ranges::find(all, name, &Benchmark::name);
  return found == all.end() ? nullptr : &*found;
}

}  // namespace devmap::bench
