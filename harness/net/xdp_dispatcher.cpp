#include <harness/net/xdp_dispatcher.hpp>

#include <linux/if_link.h>

#include <cstddef>
#include <harness/bpf/assembler.hpp>
#include <harness/net/link.hpp>
#include <utility>

namespace devmap {
namespace {

Expected<std::vector<bpf_insn>> dispatching_program(const Map& slot_of_device, const Map& programs) {
  using enum Register;
  constexpr std::int16_t kKeyOffset = -4;
  Assembler code;
  const auto none_installed = code.label();
  code.move(r6, r1)
      .load(Width::word, r2, r1, offsetof(xdp_md, ingress_ifindex))
      .store(Width::word, r10, kKeyOffset, r2)
      .move(r2, r10)
      .compute(Arithmetic::add, r2, kKeyOffset)
      .load_map(r1, slot_of_device)
      .call(BPF_FUNC_map_lookup_elem)
      .jump_if(Condition::equal, r0, 0, none_installed)
      .load(Width::word, r3, r0, 0)
      .move(r1, r6)
      .load_map(r2, programs)
      .call(BPF_FUNC_tail_call)
      .place(none_installed)
      .return_value(XDP_PASS);
  return code.build();
}

Expected<XdpLink> attach_to_own_loopback(const NetNs& home, const Program& program) {
  std::optional<Expected<XdpLink>> link;
  const auto entered = home.run(
      [&] { link = XdpLink::create(program, {.ifindex = kLoopback, .flags = XDP_FLAGS_SKB_MODE}).expected(); });
  if (!entered) return std::unexpected(entered.error());
  return std::move(*link);
}

}  // namespace

Expected<XdpDispatcher> XdpDispatcher::create(std::uint32_t slots, std::uint32_t program_flags) {
  auto slot_of_device =
      Map::create({.type = BPF_MAP_TYPE_HASH, .value_size = sizeof(std::uint32_t), .max_entries = slots}).expected();
  if (!slot_of_device) return std::unexpected(slot_of_device.error());
  auto programs = Map::create({.type = BPF_MAP_TYPE_PROG_ARRAY, .max_entries = slots}).expected();
  if (!programs) return std::unexpected(programs.error());
  const auto instructions = dispatching_program(*slot_of_device, *programs);
  if (!instructions) return std::unexpected(instructions.error());
  auto program = Program::load({.flags = program_flags, .name = "dispatcher"}, *instructions).expected();
  if (!program) return std::unexpected(program.error());
  auto home = NetNs::create();
  if (!home) return std::unexpected(home.error());
  auto link = attach_to_own_loopback(*home, *program);
  if (!link) return std::unexpected(link.error());
  return XdpDispatcher(slots, std::move(*slot_of_device), std::move(*programs), std::move(*program), std::move(*home),
                       std::move(*link));
}

Expected<void> XdpDispatcher::install(std::uint32_t slot, std::uint32_t ifindex, const Program& program) const {
  if (auto put = programs_.update(slot, program.fd()).expected(); !put) return put;
  return slot_of_device_.update(ifindex, slot).expected();
}

void XdpDispatcher::remove(std::uint32_t slot, std::uint32_t ifindex) const {
  (void)slot_of_device_.erase(ifindex);
  (void)programs_.erase(slot);
}

Expected<XdpAttachment> XdpAttachment::directly(const Program& program, const Spec& spec) {
  auto link = XdpLink::create(program, {.ifindex = spec.ifindex, .flags = spec.flags}).expected();
  if (!link) return std::unexpected(link.error());
  return XdpAttachment(std::move(*link), std::nullopt);
}

Expected<XdpAttachment> XdpAttachment::behind(const XdpDispatcher& dispatcher, std::uint32_t slot,
                                              const Program& program, const Spec& spec) {
  if (auto installed = dispatcher.install(slot, spec.ifindex, program); !installed) {
    dispatcher.remove(slot, spec.ifindex);
    return std::unexpected(installed.error());
  }
  auto link = XdpLink::create(dispatcher.program_, {.ifindex = spec.ifindex, .flags = spec.flags}).expected();
  if (!link) {
    dispatcher.remove(slot, spec.ifindex);
    return std::unexpected(link.error());
  }
  return XdpAttachment(std::move(*link), Installed{.dispatcher = &dispatcher, .slot = slot, .ifindex = spec.ifindex});
}

XdpAttachment::XdpAttachment(XdpAttachment&& other) noexcept
    : link_(std::move(other.link_)), installed_(std::exchange(other.installed_, std::nullopt)) {}

const Program* XdpAttachment::dispatching() const noexcept {
  return installed_ ? &installed_->dispatcher->program_ : nullptr;
}

XdpAttachment::~XdpAttachment() {
  if (!installed_) return;
  link_.detach();
  installed_->dispatcher->remove(installed_->slot, installed_->ifindex);
}

}  // namespace devmap
