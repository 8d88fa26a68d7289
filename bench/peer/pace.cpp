#include <bench/peer/pace.hpp>

#include <bench/peer/side_facts.hpp>
#include <bench/statistics/quantiles.hpp>

#include <vector>

namespace devmap::bench {

std::optional<Look> look_at(const GeneratorClocks& clocks, const std::function<Expected<std::uint64_t>()>& come_in) {
  const auto read = [&] { return seconds_of(clocks.process) + seconds_of(clocks.ksoftirqd); };
  const double before = read();
  const auto frames = come_in();
  const double after = read();
  // Whoever looks may be interrupted between the two; a stretch is some milliseconds.
  constexpr double kSameMoment = 40e-6;
  if (!frames || seconds_of(clocks.process) == 0 || after - before > kSameMoment) return std::nullopt;
  return Look{.cpu_seconds = (before + after) / 2, .frames = *frames};
}

std::optional<double> undisturbed_rate(std::span<const Look> looks) {
  std::vector<double> seconds_a_frame;
  for (std::size_t at = 1; at < looks.size(); ++at) {
    const auto& [seconds, frames] = looks[at];
    if (frames <= looks[at - 1].frames || seconds <= looks[at - 1].cpu_seconds) continue;
    seconds_a_frame.push_back((seconds - looks[at - 1].cpu_seconds) /
                              static_cast<double>(frames - looks[at - 1].frames));
  }
  if (seconds_a_frame.size() < kFewestStretches) return std::nullopt;
  return 1 / undisturbed(seconds_a_frame);
}

}  // namespace devmap::bench
