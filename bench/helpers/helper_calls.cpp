#include <bench/helpers/helper_calls.hpp>

#include <linux/if_link.h>
#include <bench/statistics/slope.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstddef>
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

/// What one run takes. Ticks are instructions, of which few are enough, and what disturbs a count only adds to it: the
/// least of several.
Expected<double> cost_of(const Program& program, std::uint32_t repeat, Clock clock) {
  constexpr std::uint32_t kPieces = 32;
  constexpr std::uint32_t kRunsOfPiece = 16;
  const bool counts = clock == Clock::ticks;
  if (counts) repeat = kRunsOfPiece;
  double least = std::numeric_limits<double>::infinity();
  for (std::uint32_t piece = 0; piece < (counts ? kPieces : 1); ++piece) {
    const Stopwatch stopwatch(clock);
    const auto run = program.test_run({.repeat = repeat, .data_in = kFrame});
    const double spent = stopwatch.spent();
    if (!run) return failure("test run", run.error());
    least = std::min(least, spent / repeat);
  }
  return least;
}

}  // namespace

Expected<std::unique_ptr<Workload>> HelperCalls::create(const Spec& spec) {
  auto one = calling(spec, kOnce);
  if (!one) return std::unexpected(one.error());
  auto many = calling(spec, kManyTimes);
  if (!many) return std::unexpected(many.error());
  const auto pair = create_veth({.first_name = "helper0", .second_name = "helper1"});
  if (!pair) return std::unexpected(pair.error());
  std::vector<XdpLink> links;
  for (const auto& [program, ifindex] : {std::pair{&*one, pair->first}, std::pair{&*many, pair->second}}) {
    auto link = XdpLink::create(*program, {.ifindex = ifindex, .flags = XDP_FLAGS_DRV_MODE}).expected();
    if (!link) return std::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  return std::unique_ptr<Workload>(new HelperCalls(std::move(*one), std::move(*many), std::move(links), spec));
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
  const auto once = cost_of(one_, repeat, clock);
  if (!once) return std::unexpected(once.error());
  const auto many = cost_of(many_, repeat, clock);
  if (!many) return std::unexpected(many.error());
  const auto line =
      fit_line(std::array{CostOfCount{.count = kOnce, .cost = *once}, CostOfCount{.count = kManyTimes, .cost = *many}});
  const std::uint64_t calls = std::uint64_t{repeat} * (kManyTimes - kOnce);
  return Sample{.operations = calls, .spent = line.slope * static_cast<double>(calls)};
}

}  // namespace devmap::bench
