#pragma once

#include <harness/bpf/reply.hpp>
#include <harness/net/netlink.hpp>

#include <netlink/attr.h>

#include <cstdint>
#include <functional>

namespace devmap {

/// One request to a family of generic netlink (net/netlink/genetlink.c), in the calling thread's namespace. `fill`
/// appends its attributes; each message that comes back before the acknowledgement goes to `on_answer`, which finds its
/// attributes behind sizeof(genlmsghdr). Refused with ENOENT where the kernel has no such family.
struct GenericRequest {
  const char* family = nullptr;
  std::uint8_t command = 0;
  std::function<void(nl_msg*)> fill = {};
  NetlinkSocket::OnAnswer on_answer = {};
};
[[nodiscard]] Reply<> request_generic(const Asked& asked, const GenericRequest& request);

}  // namespace devmap
