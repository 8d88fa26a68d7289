#include <harness/net/xdp_link.hpp>

#include <harness/bpf/syscall.hpp>

namespace devmap {

Reply<XdpLink> XdpLink::create(const Program& program, const Spec& spec) {
  bpf_attr attr{};
  attr.link_create.prog_fd = static_cast<std::uint32_t>(program.fd());
  attr.link_create.target_ifindex = spec.ifindex;
  attr.link_create.attach_type = spec.attach_type;
  attr.link_create.flags = spec.flags;
  const long result = sys_bpf(BPF_LINK_CREATE, attr);
  const Asked asked("create XDP link", {{"ifindex", spec.ifindex},
                                        {"attach_type", spec.attach_type, Notation::attach_type},
                                        {"flags", spec.flags, Notation::xdp_flags}});
  if (result < 0) return Reply<XdpLink>::refused(asked, static_cast<int>(-result));
  return Reply<XdpLink>::granted(asked, XdpLink(UniqueFd(static_cast<int>(result))));
}

Reply<> XdpLink::update(const Program& program) const {
  bpf_attr attr{};
  attr.link_update.link_fd = static_cast<std::uint32_t>(fd());
  attr.link_update.new_prog_fd = static_cast<std::uint32_t>(program.fd());
  const long result = sys_bpf(BPF_LINK_UPDATE, attr);
  const Asked asked("update XDP link", {{"program fd", static_cast<std::uint64_t>(program.fd())}});
  return result < 0 ? Reply<>::refused(asked, static_cast<int>(-result)) : Reply<>::granted(asked);
}

}  // namespace devmap
