#include <harness/base/detached_mount.hpp>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <harness/base/capabilities.hpp>
#include <harness/base/file.hpp>
#include <harness/base/tests/support.hpp>

#include <cerrno>
#include <filesystem>
#include <optional>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;

constexpr decltype(statfs::f_type) kBpfFsMagic = 0xcafe4a11;

class DetachedMountTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = DetachedMount::open("bpf");
    if (!opened && opened.error().code == EPERM) GTEST_SKIP() << "may not mount: " << opened.error().text();
    ASSERT_EQ(fault(opened), "");
    mount_.emplace(std::move(*opened));
  }
  std::optional<DetachedMount> mount_;
};

TEST_F(DetachedMountTest, LeadsToTheFileSystem) {
  struct statfs facts{};
  ASSERT_EQ(statfs(mount_->path("").c_str(), &facts), 0);
  EXPECT_EQ(facts.f_type, kBpfFsMagic);
}

TEST_F(DetachedMountTest, IsMountedNowhere) {
  struct stat root{};
  ASSERT_EQ(stat(mount_->path("").c_str(), &root), 0);
  const auto device = std::to_string(major(root.st_dev)) + ":" + std::to_string(minor(root.st_dev));
  EXPECT_THAT(read_file("/proc/self/mountinfo").value(), testing::Not(testing::HasSubstr(" " + device + " ")));
}

TEST_F(DetachedMountTest, EachIsAnInstanceOfItsOwn) {
  const auto other = DetachedMount::open("bpf");
  ASSERT_EQ(fault(other), "");
  ASSERT_EQ(mkdir(mount_->path("d").c_str(), 0700), 0);
  EXPECT_TRUE(std::filesystem::exists(mount_->path("d")));
  EXPECT_FALSE(std::filesystem::exists(other->path("d")));
}

TEST_F(DetachedMountTest, SaysWhichFileSystemThereIsNot) {
  const auto none = DetachedMount::open("nosuchfs");
  EXPECT_THAT(none, FailsWith(ENODEV));
  EXPECT_EQ(none.error().context, "nosuchfs");
}

TEST_F(DetachedMountTest, TakesAMountOption) {
  EXPECT_THAT(DetachedMount::open("tmpfs", "nosuchoption"), FailsWith(EINVAL));
  EXPECT_EQ(fault(DetachedMount::open("tmpfs")), "");
}

TEST(DetachedMount, NeedsACapability) {
  Expected<void> opened;
  EXPECT_EQ(fault(with_capabilities({},
                                    [&] {
                                      const auto mount = DetachedMount::open("bpf");
                                      if (!mount) opened = std::unexpected(mount.error());
                                    })),
            "");
  EXPECT_THAT(opened, FailsWith(EPERM));
}

}  // namespace
}  // namespace devmap
