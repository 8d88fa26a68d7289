#include <harness/net/netlink.hpp>

#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cerrno>

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

namespace devmap {
namespace {

struct Answer {
  int error = 0;
  std::string explanation = {};
};

/// The text of NLMSGERR_ATTR_MSG behind an error message, if there is one.
std::string extended_text(nlmsghdr* header, const nlmsgerr* error) {
  if ((header->nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  // Behind the error word stands the request: its header alone where the kernel capped it.
  std::size_t before = sizeof(nlmsgerr);
  if ((header->nlmsg_flags & NLM_F_CAPPED) == 0) before += error->msg.nlmsg_len - sizeof(nlmsghdr);
  nlattr* const text = nlmsg_find_attr(header, static_cast<int>(NLMSG_ALIGN(before)), NLMSGERR_ATTR_MSG);
  return text == nullptr ? std::string() : std::string(nla_get_string(text));
}

int on_error(sockaddr_nl* /*from*/, nlmsgerr* error, void* answer) {
  // The library hands over the payload; the header it needs for the attributes stands directly before it.
  auto* header = reinterpret_cast<nlmsghdr*>(reinterpret_cast<char*>(error) - NLMSG_HDRLEN);  // NOLINT
  *static_cast<Answer*>(answer) = {.error = -error->error, .explanation = extended_text(header, error)};
  return NL_STOP;
}

int on_valid(nl_msg* message, void* on_answer) {
  (*static_cast<const NetlinkSocket::OnAnswer*>(on_answer))(nlmsg_hdr(message));
  return NL_OK;
}

}  // namespace

void FreeMessage::operator()(nl_msg* message) const noexcept {
  nlmsg_free(message);
}

Expected<NetlinkSocket> NetlinkSocket::open(int protocol) {
  NetlinkSocket socket(nl_socket_alloc());
  if (!socket.socket_) return failure("nl_socket_alloc", ENOMEM);
  if (const int code = nl_connect(socket.get(), protocol); code < 0) {
    return failure("nl_connect", 0, nl_geterror(code));
  }
  const int on = 1;
  if (setsockopt(nl_socket_get_fd(socket.get()), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on) != 0) {
    return last_error("setsockopt", "NETLINK_EXT_ACK");
  }
  return socket;
}

Reply<> NetlinkSocket::request(const Asked& asked, nl_msg* message, const OnAnswer& on_answer) const {
  Answer answer;
  if (on_answer) {
    auto* const argument = const_cast<OnAnswer*>(&on_answer);  // NOLINT(*-const-cast): it comes back as const
    nl_socket_modify_cb(get(), NL_CB_VALID, NL_CB_CUSTOM, on_valid, argument);
  }
  nl_socket_modify_err_cb(get(), NL_CB_CUSTOM, on_error, &answer);
  int code = nl_send_auto(get(), message);
  if (code >= 0) code = nl_wait_for_ack(get());
  if (answer.error != 0) return Reply<>::refused(asked, answer.error, std::move(answer.explanation));
  if (code < 0) return Reply<>::refused(asked, EIO, nl_geterror(code));
  return Reply<>::granted(asked);
}

}  // namespace devmap
