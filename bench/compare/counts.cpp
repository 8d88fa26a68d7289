#include <bench/compare/counts.hpp>

#include <fmt/format.h>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

namespace devmap::bench {
namespace {

using nlohmann::json;

std::string why_without(const Counts& record, const std::string& name, const char* which) {
  const auto found = record.left_out.find(name);
  if (found == record.left_out.end()) return fmt::format("missing in the {} record", which);
  return fmt::format("left out of the {} record: {}", which, found->second);
}

CountChange::Verdict judge(double before, double after, double threshold) {
  using enum CountChange::Verdict;
  const double allowed = std::abs(before) * threshold;
  if (after - before > allowed) return more;
  return before - after > allowed ? less : same;
}

}  // namespace

bool is_of_instructions(std::string_view text) {
  const auto record = json::parse(text, nullptr, false);
  return record.is_object() && record.contains("layer") && record["layer"] == "instructions";
}

Expected<Counts> read_counts(std::string_view text) {
  Counts read;
  try {
    const auto record = json::parse(text);
    if (record.at("layer") != "instructions") {
      return failure("read a record", 0, "it is none of the instruction layer");
    }
    if (record.at("schema_version") != 1) {
      return failure("read a record", 0,
                     fmt::format("schema version {} is not known", record.at("schema_version").dump()));
    }
    const auto& context = record.at("context");
    for (const auto* const fact : {"kernel", "qemu", "command_line", "mitigations", "jit", "commit"}) {
      if (context.contains(fact)) read.context[fact] = context.at(fact);
    }
    for (const auto& one : record.at("benchmarks")) {
      const std::string name = one.at("name");
      if (one.contains("left_out")) {
        read.left_out[name] = one.at("left_out");
      } else {
        read.instructions[name] = one.at("instructions");
      }
    }
  } catch (const json::exception& bad) {
    return failure("read a record", 0, bad.what());
  }
  return read;
}

double usual_threshold(std::string_view benchmark) {
  constexpr double kDeviceMaps = 0.0025;
  constexpr double kOthers = 0.01;
  return benchmark.contains("/devmap") ? kDeviceMaps : kOthers;
}

std::vector<CountChange> compare(const Counts& before, const Counts& after, std::optional<double> threshold) {
  std::set<std::string> names;
  for (const auto* record : {&before, &after}) {
    for (const auto& [name, instructions] : record->instructions) names.insert(name);
    for (const auto& [name, reason] : record->left_out) names.insert(name);
  }
  std::vector<CountChange> changes;
  for (const auto& name : names) {
    CountChange change{.benchmark = name};
    const auto first = before.instructions.find(name);
    const auto second = after.instructions.find(name);
    if (first == before.instructions.end()) {
      change.reason = why_without(before, name, "first");
    } else if (second == after.instructions.end()) {
      change.reason = why_without(after, name, "second");
    } else {
      change.before = first->second;
      change.after = second->second;
      change.verdict = judge(change.before, change.after, threshold.value_or(usual_threshold(name)));
    }
    changes.push_back(std::move(change));
  }
  return changes;
}

}  // namespace devmap::bench
