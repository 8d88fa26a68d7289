#include <harness/net/generic_netlink.hpp>

#include <linux/genetlink.h>
#include <netlink/msg.h>
#include <harness/bpf/tests/support.hpp>

#include <array>
#include <cerrno>
#include <string>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;

const Asked kAsked("ask", {});

TEST(GenericNetlink, HandsOverTheAnswer) {
  std::string name;
  const auto answered =
      request_generic(kAsked, {.family = "nlctrl",
                               .command = CTRL_CMD_GETFAMILY,
                               .fill = [](nl_msg* message) { nla_put_u16(message, CTRL_ATTR_FAMILY_ID, GENL_ID_CTRL); },
                               .on_answer =
                                   [&name](nlmsghdr* answer) {
                                     std::array<nlattr*, CTRL_ATTR_MAX + 1> all{};
                                     nlmsg_parse(answer, sizeof(genlmsghdr), all.data(), CTRL_ATTR_MAX, nullptr);
                                     if (all[CTRL_ATTR_FAMILY_NAME] != nullptr)
                                       name = nla_get_string(all[CTRL_ATTR_FAMILY_NAME]);
                                   }});
  EXPECT_EQ(fault(answered), "");
  EXPECT_EQ(name, "nlctrl");
}

TEST(GenericNetlink, SaysWhatIsWrong) {
  EXPECT_THAT(request_generic(kAsked, {.family = "no-such-family"}), IsRefusedWith(ENOENT));
  EXPECT_THAT(request_generic(kAsked, {.family = "nlctrl", .command = 99}), IsRefusedWith(EOPNOTSUPP));
}

}  // namespace
}  // namespace devmap
