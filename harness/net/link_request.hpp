#pragma once

#include <netlink/msg.h>
#include <netlink/route/link.h>
#include <harness/base/error.hpp>
#include <harness/bpf/reply.hpp>
#include <harness/net/netlink.hpp>

#include <cerrno>
#include <cstdint>
#include <memory>

// What requests about devices by rtnetlink (net/core/rtnetlink.c) have in common; for the files of this room.
namespace devmap {

struct PutLink {
  void operator()(rtnl_link* link) const noexcept { rtnl_link_put(link); }
};
/// A device as libnl-route describes it.
using LinkObject = std::unique_ptr<rtnl_link, PutLink>;

/// Builds a request with `build(message*)`, which returns a code of libnl, and has the kernel carry it out; what it
/// answers goes to `on_answer`.
template <class Build>
Reply<> carry_out(const Asked& asked, Build build, const NetlinkSocket::OnAnswer& on_answer = {}) {
  auto socket = NetlinkSocket::open(NETLINK_ROUTE);
  if (!socket) return Reply<>::refused(asked, socket.error().code, socket.error().text());
  nl_msg* raw = nullptr;
  const int code = build(&raw);
  const NetlinkMessage message(raw);
  if (code < 0) return Reply<>::refused(asked, EINVAL, nl_geterror(code));
  return socket->request(asked, message.get(), on_answer);
}

/// Changes properties of a device that exists: those that `apply(rtnl_link*)` sets.
template <class Change>
Reply<> change_link(const Asked& asked, std::uint32_t ifindex, Change apply) {
  const LinkObject which(rtnl_link_alloc());
  const LinkObject changes(rtnl_link_alloc());
  if (!which || !changes) return Reply<>::refused(asked, ENOMEM);
  rtnl_link_set_ifindex(which.get(), static_cast<int>(ifindex));
  apply(changes.get());
  return carry_out(
      asked, [&](nl_msg** message) { return rtnl_link_build_change_request(which.get(), changes.get(), 0, message); });
}

/// A message about the device, to append attributes to; null where there is no memory.
[[nodiscard]] nl_msg* link_message(int type, std::uint32_t ifindex, int flags = 0);

}  // namespace devmap
