#include <bench/peer/comparison.hpp>

#include <bench/peer/pace.hpp>
#include <bench/peer/turn.hpp>
#include <bench/rounds/evaluate.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cmath>

namespace devmap::bench {
namespace {

double distance_from_one(const RatioInterval& interval) {
  return std::max(std::abs(interval.low - 1), std::abs(interval.high - 1));
}

std::string why_no_ratio(const Figure& ours, const Figure& theirs) {
  std::string why;
  for (const auto& [name, figure] : {std::pair{"ours", &ours}, std::pair{"xdp-tools", &theirs}}) {
    if (figure->reason.empty()) continue;
    why += fmt::format("{}{}: {}", why.empty() ? "" : "; ", name, figure->reason);
  }
  return why.empty() ? "too few rounds in which both were undisturbed" : why;
}

/// Of nanoseconds a frame, frames a second.
std::optional<Quantiles> as_rates(const std::optional<Quantiles>& times) {
  if (!times) return std::nullopt;
  return Quantiles{
      .p10 = kNanoseconds / times->p90, .median = kNanoseconds / times->median, .p90 = kNanoseconds / times->p10};
}

/// Of the times of two sides, that of their rates.
std::optional<RatioInterval> as_rates(const std::optional<RatioInterval>& times) {
  if (!times) return std::nullopt;
  return RatioInterval{.ratio = 1 / times->ratio, .low = 1 / times->high, .high = 1 / times->low};
}

Rates rates_of(const Figure& ours, const Figure& theirs) {
  Rates rates{
      .ours = as_rates(ours.quantiles), .theirs = as_rates(theirs.quantiles), .ratio = as_rates(ours.to_baseline)};
  for (const auto* figure : {&ours, &theirs}) {
    if (!figure->to_itself) continue;
    if (!rates.to_itself || distance_from_one(*figure->to_itself) > distance_from_one(*rates.to_itself)) {
      rates.to_itself = figure->to_itself;
    }
  }
  if (!rates.ratio) rates.unreliable = why_no_ratio(ours, theirs);
  return rates;
}

std::optional<double> middle_in_seconds(const Figure& figure) {
  if (figure.samples.empty()) return std::nullopt;
  return median(figure.samples) / kNanoseconds;
}

/// The ratio of one way to count.
std::array<Figure, 2> evaluate_sides(const std::string& ours, const std::string& theirs,
                                     const std::vector<TakenSample>& taken) {
  const Benchmark our_benchmark{.name = ours, .baseline = theirs};
  const Benchmark their_benchmark{.name = theirs};
  auto figures = evaluate({&our_benchmark, &their_benchmark}, taken);
  return {std::move(figures[0]), std::move(figures[1])};
}

SideFacts facts_of(const std::string& side, const AllSideFacts& facts) {
  const auto known = facts.find(side);
  return known == facts.end() ? SideFacts{} : known->second;
}

Comparison compare_on(const PeerPath& path, const std::vector<TakenSample>& taken, const AllSideFacts& facts) {
  const auto ours = peer_names(path, Side::ours);
  const auto theirs = peer_names(path, Side::theirs);
  const auto whole = evaluate_sides(ours.whole, theirs.whole, taken);
  const auto later = evaluate_sides(ours.without_start_up, theirs.without_start_up, taken);
  const auto starting = evaluate_sides(ours.start_up, theirs.start_up, taken);
  Comparison comparison{.path = path.name,
                        .whole = rates_of(whole[0], whole[1]),
                        .without_start_up = rates_of(later[0], later[1]),
                        .our_start_up = middle_in_seconds(starting[0]),
                        .their_start_up = middle_in_seconds(starting[1]),
                        .ours = facts_of(ours.whole, facts),
                        .theirs = facts_of(theirs.whole, facts)};
  for (const auto& side : whole) {
    comparison.kept += side.samples.size();
    comparison.taken += side.taken;
    comparison.frames += side.frames;
    comparison.failed = comparison.failed || side.status == Figure::Status::failed;
  }
  return comparison;
}

}  // namespace

std::vector<Comparison> compare_sides(std::span<const PeerPath> paths, const std::vector<TakenSample>& taken,
                                      const AllSideFacts& facts) {
  std::vector<Comparison> comparisons;
  for (const auto& path : paths) comparisons.push_back(compare_on(path, taken, facts));
  return comparisons;
}

}  // namespace devmap::bench
