#include <bench/peer/pace.hpp>

#include <bench/peer/side_facts.hpp>

namespace devmap::bench {

std::optional<Look> look_at(const GeneratorClocks& clocks, const std::function<Expected<std::uint64_t>()>& come_in,
                            const std::function<double()>& canary) {
  const auto read = [&] { return seconds_of(clocks.process) + seconds_of(clocks.ksoftirqd); };
  const double before = read();
  const auto frames = come_in();
  const double after = read();
  // Whoever looks may be interrupted between the two; a stretch is some milliseconds.
  constexpr double kSameMoment = 40e-6;
  if (!frames || seconds_of(clocks.process) == 0 || after - before > kSameMoment) return std::nullopt;
  return Look{.cpu_seconds = (before + after) / 2, .frames = *frames, .canary = canary()};
}

std::vector<Piece> pieces_between(std::span<const Look> looks) {
  std::vector<Piece> pieces;
  for (std::size_t at = 1; at < looks.size(); ++at) {
    const auto& begin = looks[at - 1];
    const auto& end = looks[at];
    if (end.frames <= begin.frames || end.cpu_seconds <= begin.cpu_seconds) continue;
    const double nanoseconds = (end.cpu_seconds - begin.cpu_seconds) * kNanoseconds;
    pieces.push_back({.time = nanoseconds / static_cast<double>(end.frames - begin.frames),
                      .canaries = {.before = begin.canary, .after = end.canary}});
  }
  return pieces;
}

}  // namespace devmap::bench
