#include <harness/net/topology.hpp>

#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>

#include <fmt/format.h>
#include <cerrno>
#include <harness/base/kernel_version.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/device_state.hpp>
#include <harness/net/ethtool.hpp>
#include <utility>

namespace devmap {
namespace {

constexpr KernelVersion kOffloadSuffices{.major = 5, .minor = 13};

Polling settled(Polling polling) {
  if (polling != Polling::as_the_kernel_needs) return polling;
  return KernelVersion::running() < kOffloadSuffices ? Polling::program : Polling::offload;
}

/// A receiver with GRO polls only for what could be merged, as far as it comes from the stack, unless the sender leaves
/// segmentation to nobody (drivers/net/veth.c:veth_skb_is_eligible_for_gro): frames of the stack would take another way
/// than those of XDP, and overtake them.
Expected<void> poll_by_offload(const VethPair& pair) {
  if (auto off = set_tcp_segmentation(pair.first, false).expected(); !off) return off;
  return set_gro(pair.second, true).expected();
}

Expected<bool> is_up(std::uint32_t ifindex) {
  const auto state = device_state(ifindex);
  if (!state) return std::unexpected(state.error());
  return (state->flags & IFF_UP) != 0;
}

/// The largest MTU that is sure to leave a frame in one buffer, whatever the headroom.
constexpr std::uint32_t kOneBufferMtu = 2048;

/// For frames in several buffers too, where the kernel has them: the device's MTU may ask for it.
Expected<Program> passing_program(bool frags) {
  const auto instructions = Assembler().return_value(XDP_PASS).build();
  if (!instructions) return std::unexpected(instructions.error());
  return Program::load({.flags = frags ? BPF_F_XDP_HAS_FRAGS : 0U}, *instructions).expected();
}

Expected<VethPair> connect(const std::string& near, const std::string& far, std::uint32_t nth) {
  return create_veth({.first_name = near,
                      .second_name = far,
                      .first_index = distinct_ifindex(2 * nth),
                      .second_index = distinct_ifindex(2 * nth + 1),
                      .queues = 1});
}

}  // namespace

Pollers::Pollers(Polling polling, bool frags, XdpAttach attach)
    : polling_(settled(polling)), frags_(frags), attach_(std::move(attach)) {}

Star::Star(const Spec& spec)
    : ingress_poller_(spec.polling == Polling::none ? Polling::none : Polling::program, spec.mtu > kOneBufferMtu,
                      spec.attach),
      pollers_(spec.polling, spec.mtu > kOneBufferMtu, spec.attach) {}

Expected<void> Pollers::add(const VethPair& pair) {
  if (polling_ == Polling::none) return {};
  if (polling_ == Polling::offload) return poll_by_offload(pair);
  if (!program_) {
    auto loaded = passing_program(frags_);
    if (!loaded) return std::unexpected(loaded.error());
    program_ = std::move(*loaded);
  }
  auto attachment = attach_(*program_, {.ifindex = pair.second, .flags = XDP_FLAGS_DRV_MODE});
  if (!attachment) return std::unexpected(attachment.error());
  attachments_.push_back(std::move(*attachment));
  return {};
}

Expected<VethPair> create_wire(std::uint32_t nth) {
  return connect(fmt::format("near{}", nth), fmt::format("far{}", nth), nth);
}

Expected<std::vector<VethPair>> create_chain(std::uint32_t wires) {
  std::vector<VethPair> chain;
  chain.reserve(wires);
  for (std::uint32_t nth = 0; nth < wires; ++nth) {
    const auto wire = create_wire(nth);
    if (!wire) return std::unexpected(wire.error());
    chain.push_back(*wire);
  }
  return chain;
}

Expected<Star> Star::create(const Spec& spec) {
  if (spec.ports > kMostPorts) return failure("make a star", EINVAL, fmt::format("{} ports", spec.ports));
  Star star(spec);
  const auto ingress = connect("in0", "in1", 0);
  if (!ingress) return std::unexpected(ingress.error());
  star.ingress_ = *ingress;
  std::vector<std::uint32_t> all = {ingress->first, ingress->second};
  std::vector<VethPair> polling;
  for (std::uint32_t port = 0; port < spec.ports; ++port) {
    const auto pair = connect(fmt::format("t{}", port), fmt::format("s{}", port), port + 1);
    if (!pair) return std::unexpected(pair.error());
    star.ports_.push_back(*pair);
    all.insert(all.end(), {pair->first, pair->second});
    polling.push_back(*pair);
  }
  if (spec.mtu != 0) {
    for (const auto ifindex : all) {
      if (auto set = set_mtu(ifindex, spec.mtu); !set) return std::unexpected(set.error());
    }
  }
  if (auto added = star.ingress_poller_.add({.first = ingress->second, .second = ingress->first}); !added) {
    return std::unexpected(added.error());
  }
  for (const auto& pair : polling) {
    if (auto added = star.pollers_.add(pair); !added) return std::unexpected(added.error());
  }
  return star;
}

Expected<bool> Star::is_open(std::size_t port) const {
  const auto near = is_up(target(port));
  if (!near || !*near) return near;
  return is_up(sink(port));
}

}  // namespace devmap
