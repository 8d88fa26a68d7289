#include <bench/helpers/helper_calls.hpp>

#include <linux/if_link.h>
#include <bench/statistics/slope.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <harness/net/features.hpp>
#include <harness/net/link.hpp>
#include <limits>

namespace devmap::bench {
namespace {

constexpr std::uint32_t kOnce = 1;
constexpr std::uint32_t kManyTimes = 65;
constexpr std::array<std::byte, 64> kFrame{};

Expected<Program> calling(const HelperCalls::Spec& spec, std::uint32_t times) {
  Assembler code;
  for (std::uint32_t nth = 0; nth < times; ++nth) spec.call(code);
  const auto instructions = code.exit().build();
  if (!instructions) return std::unexpected(instructions.error());
  return Program::load({}, *instructions).expected();
}

Expected<void> run_times(const Program& program, std::uint32_t repeat) {
  const auto run = program.test_run({.repeat = repeat, .data_in = kFrame});
  if (!run) return failure("test run", run.error());
  return {};
}

/// So many runs: in one call where the program is attached, in as many where it is not, for then each call but one that
/// runs it once waits for RCU.
Expected<double> time_of(const Program& program, std::uint32_t repeat, bool attached, Clock clock) {
  const Stopwatch stopwatch(clock);
  auto ran = run_times(program, attached ? repeat : 1);
  for (std::uint32_t nth = 1; ran && !attached && nth < repeat; ++nth) ran = run_times(program, 1);
  const double spent = stopwatch.spent();
  if (!ran) return std::unexpected(ran.error());
  return spent / repeat;
}

/// What one run takes. Ticks are instructions, of which few are enough, and what disturbs a count only adds to it: the
/// least of several.
Expected<double> cost_of(const Program& program, std::uint32_t repeat, bool attached, Clock clock) {
  if (clock != Clock::ticks) return time_of(program, repeat, attached, clock);
  constexpr int kPieces = 32;
  constexpr std::uint32_t kRunsOfPiece = 16;
  double least = std::numeric_limits<double>::infinity();
  for (int piece = 0; piece < kPieces; ++piece) {
    const auto cost = time_of(program, kRunsOfPiece, attached, clock);
    if (!cost) return cost;
    least = std::min(least, *cost);
  }
  return least;
}

Expected<std::vector<XdpLink>> attach_to_pair(const Program& one, const Program& many) {
  const auto pair = create_veth({.first_name = "helper0", .second_name = "helper1"});
  if (!pair) return std::unexpected(pair.error());
  std::vector<XdpLink> links;
  for (const auto& [program, ifindex] : {std::pair{&one, pair->first}, std::pair{&many, pair->second}}) {
    auto link = XdpLink::create(*program, {.ifindex = ifindex, .flags = XDP_FLAGS_DRV_MODE}).expected();
    if (!link) return std::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  return links;
}

}  // namespace

Expected<std::unique_ptr<Workload>> HelperCalls::create(const Spec& spec) {
  auto one = calling(spec, kOnce);
  if (!one) return std::unexpected(one.error());
  auto many = calling(spec, kManyTimes);
  if (!many) return std::unexpected(many.error());
  Expected<std::vector<XdpLink>> links;
  if (features::veth().probe().presence == Presence::present) links = attach_to_pair(*one, *many);
  if (!links) return std::unexpected(links.error());
  return std::unique_ptr<Workload>(new HelperCalls(std::move(*one), std::move(*many), std::move(*links), spec));
}

Expected<void> HelperCalls::verify() {
  for (const auto* program : {&one_, &many_}) {
    const auto run = program->test_run({.repeat = 1, .data_in = kFrame}).expected();
    if (!run) return std::unexpected(run.error());
    if (run->return_value != spec_.expected) {
      return failure("run the programs", 0,
                     fmt::format("they return {}, and should return {}", run->return_value, spec_.expected));
    }
  }
  return {};
}

Expected<Sample> HelperCalls::run(std::uint64_t operations, Clock clock) {
  const auto repeat = static_cast<std::uint32_t>(std::max<std::uint64_t>(1, operations / (kManyTimes - kOnce)));
  const bool attached = !links_.empty();
  const auto once = cost_of(one_, repeat, attached, clock);
  if (!once) return std::unexpected(once.error());
  const auto many = cost_of(many_, repeat, attached, clock);
  if (!many) return std::unexpected(many.error());
  const auto line =
      fit_line(std::array{CostOfCount{.count = kOnce, .cost = *once}, CostOfCount{.count = kManyTimes, .cost = *many}});
  const std::uint64_t calls = std::uint64_t{repeat} * (kManyTimes - kOnce);
  return Sample{.operations = calls, .spent = line.slope * static_cast<double>(calls)};
}

}  // namespace devmap::bench
