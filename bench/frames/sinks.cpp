#include <bench/frames/sinks.hpp>

#include <fmt/format.h>
#include <chrono>
#include <harness/base/wait.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/net/device_state.hpp>
#include <numeric>
#include <utility>

namespace devmap::bench {
namespace {

using std::chrono_literals::operator""s;
constexpr auto kPatience = 1s;

}  // namespace

Expected<Program> program_returning(xdp_action verdict, bool frags) {
  const auto instructions = Assembler().return_value(verdict).build();
  if (!instructions) return std::unexpected(instructions.error());
  return Program::load({.flags = frags ? BPF_F_XDP_HAS_FRAGS : 0U}, *instructions).expected();
}

std::uint64_t all_frames(const Received& received) {
  return std::accumulate(received.begin(), received.end(), std::uint64_t{0});
}

Expected<Sinks> Sinks::create(const Spec& spec) {
  auto star = Star::create({.ports = spec.ports, .polling = Polling::none, .mtu = spec.mtu});
  if (!star) return std::unexpected(star.error());
  auto drop = program_returning(XDP_DROP, spec.frags);
  if (!drop) return std::unexpected(drop.error());
  auto pass = program_returning(XDP_PASS, spec.frags);
  if (!pass) return std::unexpected(pass.error());
  std::vector<XdpLink> links;
  for (std::uint32_t port = 0; port < spec.ports; ++port) {
    auto link = XdpLink::create(*drop, {.ifindex = star->sink(port), .flags = xdp_flags(spec.mode)}).expected();
    if (!link) return std::unexpected(link.error());
    links.push_back(std::move(*link));
  }
  return Sinks(std::move(*star), std::move(*drop), std::move(*pass), std::move(links));
}

Expected<Received> Sinks::received() const {
  Received all;
  for (std::uint32_t port = 0; port < ports(); ++port) {
    const auto state = device_state(sink(port));
    if (!state) return std::unexpected(state.error());
    all.push_back(state->received);
  }
  return all;
}

Expected<std::uint64_t> Sinks::await(const Received& before, std::uint64_t frames) const {
  const auto already = all_frames(before);
  std::uint64_t come = 0;
  Expected<void> asked;
  (void)wait_until(
      [&] {
        const auto now = received();
        if (!now) asked = std::unexpected(now.error());
        if (now) come = all_frames(*now) - already;
        return !now || come >= frames;
      },
      kPatience);
  if (!asked) return std::unexpected(asked.error());
  return come;
}

Expected<void> Sinks::let_pass(std::uint32_t port, bool pass) {
  return links_.at(port).update(pass ? pass_ : drop_).expected();
}

}  // namespace devmap::bench
