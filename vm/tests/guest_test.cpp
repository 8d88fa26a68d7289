#include <vm/guest.hpp>

#include <vm/files.hpp>
#include <vm/tests/packages.hpp>

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// An executable with one part that is loaded, and then more.
std::string executable(std::uint32_t type_of_second_part = PT_NULL) {
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_phoff = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  header.e_shoff = 1000;
  header.e_shnum = 3;
  Elf64_Phdr parts[2] = {};
  parts[0].p_type = PT_LOAD;
  parts[0].p_filesz = 500;
  parts[1].p_type = type_of_second_part;
  std::string content(1200, 'd');
  std::memcpy(content.data(), &header, sizeof header);
  std::memcpy(content.data() + sizeof header, parts, sizeof parts);
  return content;
}

TEST(LoadedPart, IsWithoutWhatIsNotLoaded) {
  const auto part = loaded_part(executable(), "suite");
  ASSERT_TRUE(part) << part.error().text();
  EXPECT_EQ(part->size(), 500U);
  Elf64_Ehdr header{};
  std::memcpy(&header, part->data(), sizeof header);
  EXPECT_EQ(header.e_shoff, 0U);
  EXPECT_EQ(header.e_shnum, 0U);
}

TEST(LoadedPart, OfWhatNoGuestCanRunIsAnError) {
  const auto fault = [](std::string content) {
    const auto part = loaded_part(std::move(content), "the/suite");
    return part ? "none" : part.error().text();
  };
  EXPECT_THAT(fault("#!/bin/sh\n"), HasSubstr("the/suite is no 64-bit executable"));
  EXPECT_THAT(fault(""), HasSubstr("no 64-bit executable"));
  EXPECT_THAT(fault(executable(PT_INTERP)), HasSubstr("not linked statically"));
  EXPECT_THAT(fault(executable().substr(0, 400)), HasSubstr("cut short"));
  EXPECT_THAT(fault(executable().substr(0, 100)), HasSubstr("cut short"));
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
