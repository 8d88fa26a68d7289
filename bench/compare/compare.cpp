#include <bench/compare/compare.hpp>

#include <bench/statistics/significance.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

namespace devmap::bench {
namespace {

using nlohmann::json;

constexpr const char* kNeither = "neither a record of devmap-bench rounds nor one of Google Benchmark";

void read_context(const json& record, Comparable& read) {
  const auto context = record.find("context");
  if (context == record.end()) return;
  for (const auto* const fact : {"kernel", "cpu", "jit", "mitigations", "configuration"}) {
    const auto found = context->find(fact);
    if (found != context->end() && found->is_string()) read.context[fact] = *found;
  }
}

/// Of the time layer.
void read_figure(const json& figure, Comparable& read) {
  const std::string name = figure.at("name");
  const std::string status = figure.at("status");
  if (status == "reliable") {
    read.samples[name] = figure.at("samples").get<std::vector<double>>();
  } else {
    read.without[name] = status;
  }
}

/// Of Google Benchmark: one repetition.
void read_repetition(const json& repetition, Comparable& read) {
  if (repetition.value("run_type", "iteration") != "iteration") return;
  const std::string name = repetition.value("run_name", repetition.at("name").get<std::string>());
  if (repetition.value("error_occurred", false)) {
    read.without[name] = repetition.value("error_message", "an error");
  } else {
    read.samples[name].push_back(repetition.at("real_time"));
  }
}

/// Holm: the k-th smallest of n values of p is held against significance / (n - k + 1).
void correct_for_number(std::vector<Difference>& differences) {
  std::vector<Difference*> tested;
  for (auto& difference : differences) {
    if (difference.ratio) tested.push_back(&difference);
  }
  std::ranges::sort(tested, {}, [](const Difference* difference) { return difference->p; });
  double least = 0;
  for (std::size_t rank = 0; rank < tested.size(); ++rank) {
    least = std::max(least, std::min(1.0, tested[rank]->p * static_cast<double>(tested.size() - rank)));
    tested[rank]->p = least;
  }
}

std::string why_without(const Comparable& record, const std::string& name, const char* which) {
  const auto found = record.without.find(name);
  return fmt::format("{} in the {} record", found == record.without.end() ? "missing" : found->second, which);
}

/// The least p that samples of these sizes can come to: all of one above all of the other.
double least_possible_p(std::size_t first, std::size_t second) {
  // 2 / C(first + second, first)
  return 2 / std::exp(std::lgamma(static_cast<double>(first + second) + 1) -
                      std::lgamma(static_cast<double>(first) + 1) - std::lgamma(static_cast<double>(second) + 1));
}

void judge(Difference& difference, const CompareOptions& options) {
  using enum Difference::Verdict;
  if (!difference.ratio || difference.verdict == undecided) return;
  const double change = difference.ratio->ratio - 1;
  if (difference.p > options.significance || std::abs(change) < options.threshold) {
    difference.verdict = same;
  } else {
    difference.verdict = change > 0 ? slower : faster;
  }
}

}  // namespace

Expected<Comparable> read_comparable(std::string_view text) {
  Comparable read;
  try {
    const auto record = json::parse(text);
    read_context(record, read);
    const bool of_rounds = record.contains("layer");
    if (of_rounds && record.at("layer") != "time") return failure("read a record", 0, kNeither);
    if (of_rounds && record.at("schema_version") != 1) {
      return failure("read a record", 0,
                     fmt::format("schema version {} is not known", record.at("schema_version").dump()));
    }
    for (const auto& one : record.at("benchmarks")) {
      of_rounds ? read_figure(one, read) : read_repetition(one, read);
    }
  } catch (const json::parse_error& bad) {
    return failure("read a record", 0, bad.what());
  } catch (const json::exception& bad) {
    return failure("read a record", 0, fmt::format("{}: {}", kNeither, bad.what()));
  }
  for (const auto& [name, samples] : read.samples) {
    if (std::ranges::any_of(samples, [](double sample) { return !(sample > 0); })) {
      return failure("read a record", 0, fmt::format("{} has samples of no time", name));
    }
  }
  return read;
}

std::vector<Difference> compare(const Comparable& before, const Comparable& after, const CompareOptions& options) {
  std::set<std::string> names;
  for (const auto* record : {&before, &after}) {
    for (const auto& [name, samples] : record->samples) names.insert(name);
    for (const auto& [name, reason] : record->without) names.insert(name);
  }
  std::vector<Difference> differences;
  for (const auto& name : names) {
    Difference difference{.benchmark = name};
    const auto first = before.samples.find(name);
    const auto second = after.samples.find(name);
    if (first == before.samples.end() || first->second.empty()) {
      difference.reason = why_without(before, name, "first");
    } else if (second == after.samples.end() || second->second.empty()) {
      difference.reason = why_without(after, name, "second");
    } else {
      difference.ratio = unpaired_ratio(second->second, first->second);
      difference.p = mann_whitney_p(second->second, first->second);
      if (least_possible_p(first->second.size(), second->second.size()) > options.significance) {
        difference.reason = fmt::format("too few samples: {} and {}", first->second.size(), second->second.size());
      } else {
        difference.verdict = Difference::Verdict::same;  // until judged
      }
    }
    differences.push_back(std::move(difference));
  }
  correct_for_number(differences);
  for (auto& difference : differences) judge(difference, options);
  return differences;
}

}  // namespace devmap::bench
