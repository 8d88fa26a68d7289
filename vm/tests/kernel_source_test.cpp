#include <vm/kernel_source.hpp>

#include <vm/files.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class KernelSource : public testing::Test {
 protected:
  void put(const std::string& file, const std::string& content = "x") {
    const auto path = directory_.path() / file;
    ASSERT_TRUE(make_directories(path.parent_path()));
    ASSERT_TRUE(write_to(path, content));
  }
  [[nodiscard]] std::string fault() const {
    const auto kernel = kernel_in(directory_.path());
    return kernel ? "none" : kernel.error().text();
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
};

TEST_F(KernelSource, IsATreeInWhichAKernelWasBuilt) {
  put("arch/x86/boot/bzImage");
  put("arch/x86/Kconfig");
  put(".config");
  put("include/config/kernel.release", "6.18.0-mine+\n");
  fs::create_directories(directory_.path() / "arch/x86_64/boot");
  fs::create_symlink("../../x86/boot/bzImage", directory_.path() / "arch/x86_64/boot/bzImage");
  const auto kernel = kernel_in(directory_.path());
  ASSERT_TRUE(kernel) << kernel.error().text();
  EXPECT_EQ(kernel->name, "6.18.0-mine+");
  EXPECT_EQ(kernel->image.filename(), "bzImage");
  EXPECT_EQ(kernel->configuration, directory_.path() / ".config");
  EXPECT_EQ(kernel->modules, directory_.path());
}

TEST_F(KernelSource, IsAnUnpackedPackage) {
  put("boot/vmlinuz-6.1.0-x");
  put("boot/config-6.1.0-x");
  put("lib/modules/6.1.0-x/kernel/net/veth.ko");
  const auto kernel = kernel_in(directory_.path());
  ASSERT_TRUE(kernel) << kernel.error().text();
  EXPECT_EQ(kernel->release, "6.1.0-x");
  EXPECT_EQ(kernel->configuration, directory_.path() / "boot/config-6.1.0-x");
  EXPECT_EQ(kernel->modules, directory_.path() / "lib/modules/6.1.0-x/kernel");
}

TEST_F(KernelSource, IsAPackageOfTheLaterKind) {
  put("usr/lib/modules/7.3.4/vmlinuz");
  put("usr/lib/modules/7.3.4/config");
  put("usr/lib/modules/7.3.4/kernel/veth.ko.xz");
  const auto kernel = kernel_in(directory_.path());
  ASSERT_TRUE(kernel) << kernel.error().text();
  EXPECT_EQ(kernel->release, "7.3.4");
  EXPECT_EQ(kernel->configuration.filename(), "config");
  EXPECT_EQ(kernel->modules, directory_.path() / "usr/lib/modules/7.3.4/kernel");
}

TEST_F(KernelSource, IsNotChosenAmongSeveral) {
  EXPECT_THAT(fault(), HasSubstr("no image in it"));
  put("boot/vmlinuz-6.1.0-x");
  put("boot/vmlinuz-6.1.0-y");
  EXPECT_THAT(fault(), HasSubstr("several images"));
  EXPECT_THAT(fault(), HasSubstr("vmlinuz-6.1.0-y"));
}

TEST_F(KernelSource, IsThatOfTheHost) {
  const auto missing = host_kernel("6.1.0-x", directory_.path());
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().text(), HasSubstr("no image of its kernel 6.1.0-x"));
  EXPECT_THAT(missing.error().text(), HasSubstr("boot/vmlinuz-6.1.0-x"));
  put("boot/vmlinuz-6.1.0-x");
  put("lib/modules/6.1.0-x/kernel/veth.ko");
  const auto kernel = host_kernel("6.1.0-x", directory_.path());
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->image, directory_.path() / "boot/vmlinuz-6.1.0-x");
  EXPECT_EQ(kernel->modules, directory_.path() / "lib/modules/6.1.0-x/kernel");
  EXPECT_EQ(kernel->configuration, "");
}

TEST_F(KernelSource, IsNoGarbage) {
  std::optional<TemporaryDirectory> unpacked;
  put("bzImage", "garbage");
  const auto garbage = find_kernel({}, (directory_.path() / "bzImage").string(), unpacked);
  ASSERT_FALSE(garbage);
  EXPECT_THAT(garbage.error().text(), HasSubstr("is no kernel image"));
  put("bzImage", std::string(0x202, '\0') + "HdrS");
  EXPECT_TRUE(find_kernel({}, (directory_.path() / "bzImage").string(), unpacked));
  EXPECT_TRUE(find_kernel({}, directory_.path().string(), unpacked));
}

TEST(KernelImages, AreKnownByTheirMarks) {
  EXPECT_TRUE(begins_as_kernel(std::string(0x202, '\0') + "HdrS"));
  EXPECT_TRUE(
      begins_as_kernel(std::string("\x7f"
                                   "ELF")));
  EXPECT_TRUE(begins_as_kernel(std::string(0x38, '\0') + "ARM\x64"));
  EXPECT_FALSE(begins_as_kernel(""));
  EXPECT_FALSE(begins_as_kernel(std::string(0x20000, 'x')));
}

}  // namespace
}  // namespace devmap::vm
