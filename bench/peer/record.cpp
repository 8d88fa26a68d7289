#include <bench/peer/comparison.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace devmap::bench {
namespace {

using nlohmann::ordered_json;

constexpr const char* kUnit = "packets per CPU second";

ordered_json quantiles_json(const Quantiles& quantiles) {
  return {{"median", quantiles.median}, {"p10", quantiles.p10}, {"p90", quantiles.p90}};
}

void add_rates(ordered_json& json, const Rates& rates) {
  if (rates.ours) json["ours"] = quantiles_json(*rates.ours);
  if (rates.theirs) json["theirs"] = quantiles_json(*rates.theirs);
  if (rates.ratio) {
    json["ratio"] = rates.ratio->ratio;
    json["interval"] = {rates.ratio->low, rates.ratio->high};
  } else {
    json["unreliable"] = rates.unreliable;
  }
  if (rates.to_itself) json["to_itself"] = {rates.to_itself->low, rates.to_itself->high};
}

ordered_json facts_json(const SideFacts& facts) {
  ordered_json json = {{"maps", facts.maps}};
  if (const auto share = facts.ksoftirqd_share()) json["ksoftirqd_share"] = *share;
  return json;
}

ordered_json comparison_json(const Comparison& comparison) {
  ordered_json json = {{"path", comparison.path}, {"unit", kUnit}};
  add_rates(json, comparison.whole);
  json["kept"] = comparison.kept;
  json["taken"] = comparison.taken;
  json["sent"] = comparison.frames.sent;
  json["delivered"] = comparison.frames.delivered;
  json["without_start_up"] = ordered_json::object();
  add_rates(json["without_start_up"], comparison.without_start_up);
  if (comparison.our_start_up && comparison.their_start_up) {
    json["start_up_cpu_seconds"] = {{"ours", *comparison.our_start_up}, {"theirs", *comparison.their_start_up}};
  }
  json["sides"] = {{"ours", facts_json(comparison.ours)}, {"theirs", facts_json(comparison.theirs)}};
  return json;
}

std::string facts_line(const std::string& side, const SideFacts& facts) {
  std::string text;
  if (!facts.maps.empty()) text += fmt::format("  {}: {}\n", side, fmt::join(facts.maps, "; "));
  // Less than this is in the noise of every figure here.
  constexpr double kNegligible = 0.001;
  if (const auto share = facts.ksoftirqd_share(); share && *share >= kNegligible) {
    text += fmt::format("  {}: ksoftirqd took {:.1f} % of the generator's time besides\n", side, *share * 100);
  }
  return text;
}

std::string millions(const std::optional<Quantiles>& quantiles) {
  if (!quantiles) return "-";
  constexpr double kMillion = 1e6;
  return fmt::format("{:.2f} ({:.2f}-{:.2f})", quantiles->median / kMillion, quantiles->p10 / kMillion,
                     quantiles->p90 / kMillion);
}

std::string interval(const std::optional<RatioInterval>& ratio) {
  return ratio ? fmt::format("{:.3f} [{:.3f}, {:.3f}]", ratio->ratio, ratio->low, ratio->high) : "-";
}

std::string lines_of(const std::string& name, const Rates& rates, const std::string& kept) {
  auto text = fmt::format("{:<20}  {:<22} {:<22} {:<22} {:<22} {}\n", name, millions(rates.ours),
                          millions(rates.theirs), interval(rates.ratio), interval(rates.to_itself), kept);
  if (!rates.ratio) text += fmt::format("  unreliable: {}\n", rates.unreliable);
  return text;
}

}  // namespace

std::string PeerRecord::json() const {
  ordered_json json = {{"schema_version", kSchemaVersion}, {"layer", "peer"}, {"context", context}};
  json["comparisons"] = ordered_json::array();
  for (const auto& comparison : comparisons) json["comparisons"].push_back(comparison_json(comparison));
  return json.dump(2) + "\n";
}

std::string PeerRecord::table() const {
  auto text = fmt::format("Millions of {}, median (p10-p90)\n{:<20}  {:<22} {:<22} {:<22} {:<22} kept\n", kUnit, "path",
                          "ours", "xdp-tools", "ratio (95 %)", "to itself (95 %)");
  for (const auto& comparison : comparisons) {
    text += lines_of(comparison.path, comparison.whole, fmt::format("{}/{}", comparison.kept, comparison.taken));
    text += lines_of("  without start-up", comparison.without_start_up, "");
    if (comparison.our_start_up && comparison.their_start_up) {
      text += fmt::format("  to start takes {:.3f} s ours, {:.3f} s xdp-tools\n", *comparison.our_start_up,
                          *comparison.their_start_up);
    }
    text += facts_line("ours", comparison.ours) + facts_line("xdp-tools", comparison.theirs);
  }
  return text;
}

}  // namespace devmap::bench
