#include <vm/guest.hpp>

#include <vm/files.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(LoadedPart, IsWithoutWhatIsNotLoaded) {
  for (const auto& architecture : architectures()) {
    const auto part = loaded_part(test::executable_of(architecture), "suite");
    ASSERT_TRUE(part) << architecture.name << ": " << part.error().text();
    EXPECT_EQ(part->size(), test::kLoadedSize) << architecture.name;
    EXPECT_EQ(architecture_of(*part), &architecture);
    std::string expected = test::executable_of(architecture).substr(0, test::kLoadedSize);
    const bool is_64_bit = architecture.elf_class == ELFCLASS64;
    const auto sections_at = is_64_bit ? offsetof(Elf64_Ehdr, e_shoff) : offsetof(Elf32_Ehdr, e_shoff);
    expected.replace(sections_at, is_64_bit ? 8 : 4, is_64_bit ? 8 : 4, '\0');
    const auto count_at = is_64_bit ? offsetof(Elf64_Ehdr, e_shnum) : offsetof(Elf32_Ehdr, e_shnum);
    expected.replace(count_at, 2, 2, '\0');
    EXPECT_EQ(*part, expected) << architecture.name << ": but for where the sections are, it is as it was";
  }
}

TEST(LoadedPart, OfWhatNoGuestCanRunIsAnError) {
  const auto fault = [](std::string content) {
    const auto part = loaded_part(std::move(content), "the/suite");
    return part ? "none" : part.error().text();
  };
  EXPECT_THAT(fault("#!/bin/sh\n"), HasSubstr("the/suite is no executable"));
  EXPECT_THAT(fault(""), HasSubstr("no executable"));
  EXPECT_THAT(fault(ELFMAG), HasSubstr("no executable"));
  for (const auto& architecture : architectures()) {
    EXPECT_THAT(fault(test::executable_of(architecture, PT_INTERP)), HasSubstr("not linked statically"));
    EXPECT_THAT(fault(test::executable_of(architecture).substr(0, 400)), HasSubstr("cut short"));
    EXPECT_THAT(fault(test::executable_of(architecture).substr(0, 100)), HasSubstr("cut short"));
  }
}

class GuestImage : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(write_to(directory_.path() / "virtio_pci.ko", test::module_needing("virtio")));
    ASSERT_TRUE(write_to(directory_.path() / "virtio.ko", test::module_needing("")));
    ASSERT_TRUE(write_to(directory_.path() / "bonding.ko", test::module_needing("")));
    ASSERT_TRUE(write_to(directory_.path() / "config", "CONFIG_BPF=y\n"));
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  Kernel kernel_ = {
      .name = "k", .release = "6.1.0-x", .configuration = directory_.path() / "config", .modules = directory_.path()};
  GuestModules wanted_ = {.transport = {"virtio_pci", "virtio_console"},
                          .modules = {"bonding", "veth"},
                          .parameters = {{"bonding", "max_bonds=0"}}};
};

TEST_F(GuestImage, HoldsAllThatItsInitNeeds) {
  const auto guest =
      make_guest(kernel_, wanted_, {.init = "INIT", .suite = "SUITE", .arguments = {"--chapter", "update"}});
  ASSERT_TRUE(guest) << guest.error().text();
  for (const auto* const path :
       {"dev/console", "modules/virtio.ko", "modules/virtio_pci.ko", "modules/bonding.ko", "boot/config-6.1.0-x",
        "init", "devmap-conformance", "plan", "INIT", "SUITE", "max_bonds=0", "--chapter", "stream:/dev/vport0p2"}) {
    EXPECT_THAT(guest->root_image, HasSubstr(path));
  }
  EXPECT_THAT(guest->missing_modules, ElementsAre("veth")) << "the console's driver may be built in";
}

TEST_F(GuestImage, NeedsNeitherModulesNorConfiguration) {
  kernel_.modules.clear();
  kernel_.configuration.clear();
  const auto guest = make_guest(kernel_, wanted_, {.init = "INIT", .suite = "SUITE"});
  ASSERT_TRUE(guest) << guest.error().text();
  EXPECT_THAT(guest->missing_modules, ElementsAre("bonding", "veth"));
}

TEST_F(GuestImage, OfADamagedModuleIsAnError) {
  ASSERT_TRUE(write_to(directory_.path() / "veth.ko", "garbage"));
  const auto guest = make_guest(kernel_, wanted_, {});
  ASSERT_FALSE(guest);
  EXPECT_THAT(guest.error().text(), HasSubstr("veth.ko"));
}

}  // namespace
}  // namespace devmap::vm
