#include <vm/console.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

using testing::ElementsAre;

constexpr const char* kPanic =
    "[    1.000000] Run /init as init process\r\n"
    "[    9.113000] BUG: kernel NULL pointer dereference, address: 0000000000000008\r\n"
    "[    9.113500] Oops: 0000 [#1] PREEMPT SMP NOPTI\r\n"
    "\r\n"
    "[    9.120000] Kernel panic - not syncing: Fatal exception in interrupt\r\n"
    "[    9.121000] Rebooting in -1 seconds..\r\n";

TEST(Console, SaysWhyTheKernelGaveUp) {
  EXPECT_EQ(panic_in(kPanic),
            "BUG: kernel NULL pointer dereference, address: 0000000000000008; "
            "Kernel panic - not syncing: Fatal exception in interrupt");
  EXPECT_EQ(panic_in("[    0.5] Kernel panic - not syncing: No working init found.\n"),
            "Kernel panic - not syncing: No working init found.");
}

TEST(Console, OfAKernelThatGoesOnHasNoPanic) {
  EXPECT_EQ(panic_in(""), std::nullopt);
  EXPECT_EQ(panic_in("[    9.1] BUG: something that was survived\n[    9.2] reboot: Restarting system\n"),
            std::nullopt);
  EXPECT_EQ(panic_in("a program writes: Kernel panic\n"), std::nullopt);
}

TEST(Console, EndsWithItsLastLinesThatSaySomething) {
  EXPECT_EQ(last_lines("a\r\nb \n\n\nc", 2), (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(last_lines("a\n", 5), std::vector<std::string>{"a"});
  EXPECT_TRUE(last_lines("\n\r\n", 5).empty());
}

TEST(Console, ShowsWhetherTheKernelSpoke) {
  EXPECT_TRUE(kernel_spoke(kPanic));
  EXPECT_FALSE(kernel_spoke("SeaBIOS (version 1.16.2)\r\nBooting from ROM...\r\n"));
}

TEST(Console, GivesTheLinesFromTheFaultOn) {
  const auto* const text = "[    0.1] booting\n[    1.0] BUG: a bug\r\n[    1.1] trace\n[    1.2] Kernel panic - x\n";
  EXPECT_THAT(fault_lines(text, 2), ElementsAre("[    1.0] BUG: a bug", "[    1.1] trace"));
  EXPECT_THAT(fault_lines("a\nb\nc\n", 2), ElementsAre("b", "c"));
}

TEST(Console, TellsOfWantOfMemory) {
  EXPECT_EQ(out_of_memory_in("x\n[    6.4] Out of memory: Killed process 86 (suite) total-vm:1kB\n"),
            "Out of memory: Killed process 86 (suite) total-vm:1kB");
  EXPECT_EQ(out_of_memory_in("nothing of memory\n"), std::nullopt);
}

}  // namespace
}  // namespace devmap::vm
