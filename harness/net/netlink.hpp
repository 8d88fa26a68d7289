#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/reply.hpp>

#include <netlink/netlink.h>

#include <functional>
#include <memory>
#include <string>

namespace devmap {

/// A netlink socket of the calling thread's namespace that keeps what the kernel answers a request with: the exact
/// errno (the library's own codes fold several into one) and the text of the extended acknowledgement.
class NetlinkSocket {
 public:
  [[nodiscard]] static Expected<NetlinkSocket> open(int protocol);

  [[nodiscard]] nl_sock* get() const noexcept { return socket_.get(); }

  /// Looks at one message the kernel answers with. Its attributes are valid only while it runs.
  using OnAnswer = std::function<void(nlmsghdr*)>;

  /// Sends a request and waits for the acknowledgement; what the kernel answers before it goes to `on_answer`. The
  /// message stays the caller's.
  [[nodiscard]] Reply<> request(const Asked& asked, nl_msg* message, const OnAnswer& on_answer = {}) const;

 private:
  struct Free {
    void operator()(nl_sock* socket) const noexcept { nl_socket_free(socket); }
  };
  explicit NetlinkSocket(nl_sock* socket) : socket_(socket) {}
  std::unique_ptr<nl_sock, Free> socket_;
};

struct FreeMessage {
  void operator()(nl_msg* message) const noexcept;
};
using NetlinkMessage = std::unique_ptr<nl_msg, FreeMessage>;

}  // namespace devmap
