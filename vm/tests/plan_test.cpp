#include <vm/guest/plan.hpp>

#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

TEST(Plan, SurvivesTheFileWhateverTheArguments) {
  const Plan plan{.transport_modules = {{"/modules/virtio.ko", ""}},
                  .modules = {{"/modules/bonding.ko", "max_bonds=0 miimon=1"}, {"/modules/veth.ko", ""}},
                  .settings = {{"/proc/sys/net/core/bpf_jit_enable", "0"}},
                  .limit_s = 100,
                  .on_console = true,
                  .command = {"/devmap-conformance", "--filter", "a b\n'\"*", "", "--"}};
  EXPECT_EQ(parse_plan(render_plan(plan)), plan);
}

TEST(Plan, OfNothingIsEmpty) {
  EXPECT_EQ(render_plan({}), "");
  EXPECT_EQ(parse_plan(""), Plan{});
}

TEST(Plan, PassesOverWhatItDoesNotKnow) {
  using std::string_literals::operator""s;
  EXPECT_EQ(parse_plan("later\0x\0y\0word\0/suite\0\0"s).command, std::vector<std::string>{"/suite"});
}

}  // namespace
}  // namespace devmap::vm
