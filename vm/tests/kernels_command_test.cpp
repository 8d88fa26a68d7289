#include <vm/kernels_command.hpp>

#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

TEST(KernelList, SaysWhatIsHereAndWhatIsNeeded) {
  const KernelEntry own{.name = "6.12",
                        .label = "6.12",
                        .series = "6.12",
                        .flavour = "cloud-amd64",
                        .suites = {"trixie-security", "trixie"},
                        .kept_as = "6.12"};
  auto variation = own;
  variation.name = "6.12-jit-off";
  variation.jit = "off";
  const KernelEntry foreign{.name = "s390x",
                            .label = "s390x",
                            .series = "6.1",
                            .flavour = "s390x",
                            .architecture = "s390x",
                            .suite_architecture = "s390x",
                            .suites = {"bookworm"},
                            .version = "6.1.170",
                            .kept_as = "s390x"};
  const Kernel cached{.version = "6.12.117-1", .modules = "/modules"};
  const Kernel without_modules{.version = "6.12.117-1"};
  EXPECT_EQ(
      render_kernel_list({{.entry = own, .cached = cached, .has_qemu = true},
                          {.entry = variation, .cached = without_modules, .has_qemu = true},
                          {.entry = foreign}},
                         {{.name = "quick", .kernels = {"6.12"}}, {.name = "all", .kernels = {"a", "b", "c"}}}),
      "name          series  flavour               architecture  from                     cached                  "
      "needs\n"
      "6.12          6.12    cloud-amd64           amd64         trixie-security, trixie  6.12.117-1              "
      "nothing\n"
      "6.12-jit-off  6.12    cloud-amd64, jit off  amd64         as 6.12                  6.12.117-1, no modules  "
      "nothing\n"
      "s390x         6.1     s390x                 s390x         bookworm, only 6.1.170   no                      "
      "to be fetched, QEMU\n"
      "\n"
      "set quick: 6.12\n"
      "set all: all of them\n");
}

}  // namespace
}  // namespace devmap::vm
