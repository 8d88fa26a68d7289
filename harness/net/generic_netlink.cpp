#include <harness/net/generic_netlink.hpp>

#include <linux/genetlink.h>
#include <netlink/errno.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include <fmt/format.h>
#include <cerrno>

namespace devmap {

Reply<> request_generic(const Asked& asked, const GenericRequest& request) {
  const auto socket = NetlinkSocket::open(NETLINK_GENERIC);
  if (!socket) return Reply<>::refused(asked, socket.error().code, socket.error().text());
  const int family = genl_ctrl_resolve(socket->get(), request.family);
  if (family < 0) {
    return Reply<>::refused(asked, family == -NLE_OBJ_NOTFOUND ? ENOENT : EIO,
                            fmt::format("the family {} of generic netlink: {}", request.family, nl_geterror(family)));
  }
  const NetlinkMessage message(nlmsg_alloc());
  if (!message) return Reply<>::refused(asked, ENOMEM);
  genlmsg_put(message.get(), NL_AUTO_PORT, NL_AUTO_SEQ, family, 0, 0, request.command, 1);
  if (request.fill) request.fill(message.get());
  return socket->request(asked, message.get(), request.on_answer);
}

}  // namespace devmap
