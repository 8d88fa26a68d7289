#include <bench/rounds/evaluate.hpp>

#include <bench/statistics/canary_gate.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <optional>
#include <utility>

namespace devmap::bench {
namespace {

using ByCopy = std::map<std::pair<std::uint32_t, std::uint32_t>, double>;  // of round and copy

/// The samples of one benchmark.
struct Gathered {
  Figure figure;
  ByCopy kept;
};

std::optional<CanaryGate> gate_of(const std::vector<TakenSample>& taken) {
  std::vector<Canaries> canaries;
  for (const auto& sample : taken) {
    if (sample.canaries && sample.unmet.empty() && sample.fault.empty()) canaries.push_back(*sample.canaries);
  }
  if (canaries.empty()) return std::nullopt;
  return CanaryGate(canaries);
}

void give_up(Figure& figure, Figure::Status status, std::string reason) {
  figure.status = status;
  figure.reason = std::move(reason);
}

/// One copy to the other, round by round.
std::vector<Pair> pairs_of_copies(const ByCopy& kept) {
  std::vector<Pair> pairs;
  for (const auto& [at, value] : kept) {
    const auto other = kept.find({at.first, 1});
    if (at.second == 0 && other != kept.end()) pairs.push_back({.value = value, .baseline = other->second});
  }
  return pairs;
}

std::vector<Pair> pairs_with_baseline(const ByCopy& kept, const ByCopy& baseline) {
  std::vector<Pair> pairs;
  for (const auto& [at, value] : kept) {
    if (const auto other = baseline.find(at); other != baseline.end()) {
      pairs.push_back({.value = value, .baseline = other->second});
    }
  }
  return pairs;
}

Gathered gather(const Benchmark& benchmark, const std::vector<TakenSample>& taken,
                const std::optional<CanaryGate>& gate) {
  Gathered gathered{.figure = {.benchmark = benchmark.name, .facts = benchmark.facts, .baseline = benchmark.baseline},
                    .kept = {}};
  auto& figure = gathered.figure;
  std::string unmet;
  std::string fault;
  for (const auto& sample : taken) {
    if (sample.benchmark != benchmark.name) continue;
    if (!sample.unmet.empty()) unmet = sample.unmet;
    if (!sample.fault.empty()) fault = sample.fault;
    if (!sample.unmet.empty() || !sample.fault.empty()) continue;
    figure.taken += 1 + sample.discarded;
    // The difference of two times may come out below nothing where one of them was disturbed.
    if (sample.hindered || sample.each <= 0) continue;
    if (sample.canaries && !gate->lets_through(*sample.canaries)) continue;
    const auto each = sample.canaries ? gate->at_one_clock(sample.each, *sample.canaries) : sample.each;
    figure.frames += sample.frames;
    gathered.kept.emplace(std::pair{sample.round, sample.copy}, each);
    figure.samples.push_back(each);
  }
  if (!fault.empty()) {
    give_up(figure, Figure::Status::failed, fault);
  } else if (!unmet.empty()) {
    give_up(figure, Figure::Status::unmet, unmet);
  } else if (figure.frames.is_void()) {
    give_up(
        figure, Figure::Status::failed,
        fmt::format("void: {} frames were delivered, of {} expected", figure.frames.delivered, figure.frames.expected));
  } else {
    figure.status = Figure::Status::unreliable;
    figure.reason = fmt::format("only {} of {} samples were undisturbed", figure.samples.size(), figure.taken);
  }
  return gathered;
}

/// Decides about what was measured.
void judge(Gathered& gathered) {
  auto& figure = gathered.figure;
  if (figure.status != Figure::Status::unreliable) return;
  const auto pairs = pairs_of_copies(gathered.kept);
  if (pairs.size() < kFewestPairs) {
    if (figure.samples.size() == figure.taken) {
      figure.reason = fmt::format("{} rounds are too few: it takes {}", pairs.size(), kFewestPairs);
    }
    return;
  }
  figure.to_itself = paired_ratio(pairs);
  const auto& itself = *figure.to_itself;
  if (!is_reliable(itself)) {
    figure.reason =
        fmt::format("its ratio to itself is {:.3f} [{:.3f}, {:.3f}]", itself.ratio, itself.low, itself.high);
    return;
  }
  figure.status = Figure::Status::reliable;
  figure.reason.clear();
  figure.quantiles = quantiles(figure.samples);
}

}  // namespace

std::optional<double> canary_told_at(const std::vector<TakenSample>& taken) {
  const auto gate = gate_of(taken);
  return gate ? std::optional(gate->told_at()) : std::nullopt;
}

void add_canary(std::map<std::string, std::string>& context, const std::vector<TakenSample>& taken) {
  if (const auto canary = canary_told_at(taken)) context["canary"] = fmt::format("{:.4f} ns", *canary);
}

std::vector<Figure> evaluate(const std::vector<const Benchmark*>& benchmarks, const std::vector<TakenSample>& taken) {
  const auto gate = gate_of(taken);
  std::map<std::string, Gathered> all;
  for (const auto* benchmark : benchmarks) {
    auto gathered = gather(*benchmark, taken, gate);
    judge(gathered);
    all.emplace(benchmark->name, std::move(gathered));
  }
  std::vector<Figure> figures;
  for (const auto* benchmark : benchmarks) {
    auto figure = all.at(benchmark->name).figure;
    const auto baseline = all.find(benchmark->baseline);
    if (figure.status == Figure::Status::reliable && baseline != all.end() &&
        baseline->second.figure.status == Figure::Status::reliable) {
      const auto pairs = pairs_with_baseline(all.at(benchmark->name).kept, baseline->second.kept);
      if (pairs.size() >= kFewestPairs) figure.to_baseline = paired_ratio(pairs);
    }
    figures.push_back(std::move(figure));
  }
  return figures;
}

}  // namespace devmap::bench
