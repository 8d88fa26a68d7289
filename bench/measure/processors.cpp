#include <bench/measure/processors.hpp>

#include <bench/measure/canary.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <harness/base/processor.hpp>
#include <limits>

namespace devmap::bench {
namespace {

/// What canaries mostly take there, in nanoseconds an instruction. The calling thread stays there.
Expected<double> usual_canary_on(unsigned processor) {
  if (auto stays = stay_on_processor(processor); !stays) return std::unexpected(stays.error());
  std::array<double, 9> canaries{};
  std::ranges::generate(canaries, run_brief_canary);
  auto* const middle = canaries.begin() + canaries.size() / 2;
  std::ranges::nth_element(canaries, middle);
  return *middle;
}

/// As many are looked at: it is done before each sample.
constexpr std::size_t kMost = 8;

}  // namespace

const Expected<std::vector<unsigned>>& own_processors() {
  static const auto processors = allowed_processors();
  return processors;
}

Expected<unsigned> quietest(std::span<const unsigned> processors,
                            const std::function<Expected<double>(unsigned)>& canary_on) {
  unsigned best = processors.front();
  if (processors.size() == 1) return best;
  auto fastest = std::numeric_limits<double>::infinity();
  for (const auto processor : processors) {
    const auto canary = canary_on(processor);
    if (!canary) return std::unexpected(canary.error());
    if (*canary < fastest) best = processor;
    fastest = std::min(fastest, *canary);
  }
  return best;
}

Expected<void> stay_on_quietest_processor() {
  const auto& all = own_processors();
  if (!all) return std::unexpected(all.error());
  const auto best = quietest(std::span(*all).first(std::min(all->size(), kMost)), usual_canary_on);
  if (!best) return std::unexpected(best.error());
  return stay_on_processor(*best);
}

Feature two_own_processors() {
  return {.name = "two processors", .remedy = "run it on a machine with two", .probe = [] {
            const auto& all = own_processors();
            if (!all) return Fact{Presence::could_not_tell, all.error().text()};
            return Fact{all->size() < 2 ? Presence::absent : Presence::present,
                        fmt::format("this process may run on {}", all->size())};
          }};
}

}  // namespace devmap::bench
