#include <vm/cache.hpp>

#include <vm/files.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <future>
#include <harness/base/scope_exit.hpp>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class CacheOfKernels : public testing::Test {
 protected:
  [[nodiscard]] fs::path deb(const std::vector<std::pair<std::string, std::string>>& files) const {
    const auto file = directory_.path() / "a.deb";
    EXPECT_TRUE(write_to(file, test::deb_of(files)));
    return file;
  }

  [[nodiscard]] std::vector<std::string> names_in(const fs::path& below) const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(cache_.root() / below)) names.push_back(entry.path().filename());
    return names;
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
  Cache cache_{directory_.path() / "cache"};
  GuestModules guest_ = {.transport = {"virtio_pci"}, .modules = {"bridge", "veth"}, .parameters = {}};
};

TEST_F(CacheOfKernels, KeepsOfAPackageWhatAGuestNeeds) {
  const auto file = deb({{"boot/vmlinuz-6.1.0-56-cloud-amd64", "KERNEL"},
                         {"boot/config-6.1.0-56-cloud-amd64", "CONFIG"},
                         {"boot/System.map-6.1.0-56-cloud-amd64", "MAP"},
                         {"lib/modules/6.1.0-56-cloud-amd64/kernel/net/bridge/bridge.ko", test::module_needing("stp")},
                         {"lib/modules/6.1.0-56-cloud-amd64/kernel/net/802/stp.ko", test::module_needing("")},
                         {"lib/modules/6.1.0-56-cloud-amd64/kernel/fs/ext4.ko", test::module_needing("")}});
  EXPECT_EQ(cache_.find("6.1"), std::nullopt);
  const auto placed = cache_.place("6.1", "6.1.192-2", {file}, guest_, [] {});
  ASSERT_TRUE(placed) << placed.error().text();
  const auto kernel = cache_.find("6.1");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->release, "6.1.0-56-cloud-amd64");
  EXPECT_EQ(kernel->version, "6.1.192-2");
  EXPECT_EQ(test::content_of(kernel->image), "KERNEL");
  EXPECT_EQ(test::content_of(kernel->configuration), "CONFIG");
  EXPECT_THAT(names_in("kernels/6.1/modules"), UnorderedElementsAre("bridge.ko", "stp.ko"));
  EXPECT_THAT(names_in("kernels"), UnorderedElementsAre("6.1")) << "and nothing temporary";
}

TEST_F(CacheOfKernels, TakesSplitPackagesAndCompressedModules) {
  const auto image = deb({{"usr/lib/modules/7.3.4+deb13-cloud-amd64/vmlinuz", "KERNEL"}});
  const auto modules = directory_.path() / "modules.deb";
  ASSERT_TRUE(write_to(modules, test::deb_of({{"usr/lib/modules/7.3.4+deb13-cloud-amd64/kernel/veth.ko.xz",
                                               test::compressed(test::module_needing(""))}})));
  ASSERT_TRUE(cache_.place("7.3", "7.3.4-1", {image, modules}, guest_, [] {}));
  const auto kernel = cache_.find("7.3");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->release, "7.3.4+deb13-cloud-amd64");
  EXPECT_EQ(kernel->configuration, fs::path());
  EXPECT_EQ(test::content_of(kernel->modules / "veth.ko"), test::module_needing(""));
}

TEST_F(CacheOfKernels, KnowsAKernelThatHasNoModules) {
  ASSERT_TRUE(cache_.place("7.1", "7.1.13-1", {deb({{"boot/vmlinuz-7.1.13", "KERNEL"}})}, guest_, [] {}));
  const auto kernel = cache_.find("7.1");
  ASSERT_TRUE(kernel);
  EXPECT_TRUE(kernel->modules.empty());
}

TEST_F(CacheOfKernels, ReplacesAKernelAsAWhole) {
  ASSERT_TRUE(cache_.place("6.1", "6.1.190-1",
                           {deb({{"boot/vmlinuz-6.1.0-55", "OLD"}, {"boot/config-6.1.0-55", "CONFIG"}})}, guest_,
                           [] {}));
  ASSERT_TRUE(cache_.place("6.1", "6.1.192-2", {deb({{"boot/vmlinuz-6.1.0-56", "NEW"}})}, guest_, [] {}));
  const auto kernel = cache_.find("6.1");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->version, "6.1.192-2");
  EXPECT_EQ(test::content_of(kernel->image), "NEW");
  EXPECT_TRUE(kernel->configuration.empty());
  EXPECT_THAT(names_in("kernels"), UnorderedElementsAre("6.1"));
}

TEST_F(CacheOfKernels, KeepsWhatWasThereWhereTheNewOneIsDamaged) {
  ASSERT_TRUE(cache_.place("6.1", "6.1.190-1", {deb({{"boot/vmlinuz-6.1.0-55", "OLD"}})}, guest_, [] {}));
  const auto no_kernel = cache_.place("6.1", "6.1.192-2", {deb({{"usr/share/doc/copyright", "x"}})}, guest_, [] {});
  ASSERT_FALSE(no_kernel);
  EXPECT_THAT(no_kernel.error().text(), HasSubstr("no vmlinuz"));
  const auto garbage = directory_.path() / "garbage.deb";
  ASSERT_TRUE(write_to(garbage, "garbage"));
  ASSERT_FALSE(cache_.place("6.1", "6.1.192-2", {garbage}, guest_, [] {}));
  const auto kernel = cache_.find("6.1");
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->version, "6.1.190-1");
  EXPECT_THAT(names_in("kernels"), UnorderedElementsAre("6.1"));
}

TEST_F(CacheOfKernels, DoesNotKnowAKernelOfAnotherLayout) {
  ASSERT_TRUE(make_directories(cache_.root() / "kernels/6.1"));
  ASSERT_TRUE(write_to(cache_.root() / "kernels/6.1/vmlinuz", "KERNEL"));
  for (const auto* const about : {"", "garbage", "[]", "{}", R"({"layout": 0})", R"({"layout": "x"})"}) {
    ASSERT_TRUE(write_to(cache_.root() / "kernels/6.1/kernel.json", about));
    EXPECT_EQ(cache_.find("6.1"), std::nullopt) << about;
  }
}

TEST_F(CacheOfKernels, IsForOneProcessAtATime) {
  bool waited = false;
  auto held = cache_.lock([&] { waited = true; });
  ASSERT_TRUE(held) << held.error().text();
  EXPECT_FALSE(waited);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    held->reset();  // its copy; the parent's holds the lock
    const auto lock = cache_.lock([&] { (void)!write(ends[1], "w", 1); });
    (void)!write(ends[1], lock ? "l" : "f", 1);
    _exit(0);
  }
  char heard = 0;
  ASSERT_EQ(read(ends[0], &heard, 1), 1);
  EXPECT_EQ(heard, 'w');
  held->reset();
  ASSERT_EQ(read(ends[0], &heard, 1), 1);
  EXPECT_EQ(heard, 'l');
  waitpid(child, nullptr, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(CacheOfKernels, IsClearedOfWhatWasLeft) {
  for (const auto* const left : {"devmap-vm-aaaaaa/x", "kernels/devmap-vm-bbbbbb/new", "downloads/devmap-vm-cccccc"}) {
    ASSERT_TRUE(make_directories(cache_.root() / left));
  }
  ASSERT_TRUE(write_to(cache_.downloads() / "a_1.deb", "A"));
  ASSERT_TRUE(write_to(cache_.downloads() / "b_1.deb", "B"));
  ASSERT_TRUE(cache_.lock([] {}));
  EXPECT_THAT(names_in("."), UnorderedElementsAre("kernels", "downloads", "lock"));
  EXPECT_THAT(names_in("kernels"), IsEmpty());
  EXPECT_THAT(names_in("downloads"), UnorderedElementsAre("a_1.deb", "b_1.deb"));
  cache_.keep_downloads({"b_1.deb"});
  EXPECT_THAT(names_in("downloads"), UnorderedElementsAre("b_1.deb"));
}

TEST_F(CacheOfKernels, DoesNotReplaceAKernelThatRuns) {
  const auto old = deb({{"boot/vmlinuz-1", "OLD"}});
  ASSERT_TRUE(cache_.place("6.1", "1", {old}, guest_, [] {}));
  auto running = cache_.find("6.1");
  auto also_running = running;
  ASSERT_TRUE(running);
  ASSERT_TRUE(write_to(directory_.path() / "new.deb", test::deb_of({{"boot/vmlinuz-2", "NEW"}})));
  std::promise<void> waits;
  auto replacing = std::async(std::launch::async, [&] {
    return cache_.place("6.1", "2", {directory_.path() / "new.deb"}, guest_, [&] { waits.set_value(); }).has_value();
  });
  waits.get_future().wait();
  running.reset();
  EXPECT_EQ(test::content_of(also_running->image), "OLD");
  also_running.reset();
  EXPECT_TRUE(replacing.get());
  EXPECT_EQ(test::content_of(cache_.find("6.1")->image), "NEW");
}

TEST_F(CacheOfKernels, CanBeReadWhereItCannotBeWritten) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write anywhere";
  ASSERT_TRUE(cache_.place("6.1", "1", {deb({{"boot/vmlinuz-1", "KERNEL"}})}, guest_, [] {}));
  fs::permissions(cache_.root() / "in-use", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_TRUE(cache_.find("6.1"));
  fs::permissions(cache_.root() / "in-use", fs::perms::owner_all);
}

TEST_F(CacheOfKernels, ThatCannotBeMadeIsNamed) {
  ASSERT_TRUE(write_to(directory_.path() / "cache", "a file"));
  const auto lock = cache_.lock([] {});
  ASSERT_FALSE(lock);
  EXPECT_THAT(lock.error().text(), HasSubstr(cache_.root().string()));
}

TEST(CacheOfThisUser, IsWhereTheUserSays) {
  const char* const before = std::getenv("XDG_CACHE_HOME");
  const std::string kept = before != nullptr ? before : "";
  setenv("XDG_CACHE_HOME", "/some/where", 1);
  EXPECT_EQ(Cache::of_this_user().value().root(), "/some/where/devmap-conformance");
  setenv("HOME", "/home/user", 1);
  setenv("XDG_CACHE_HOME", "relative", 1);
  EXPECT_EQ(Cache::of_this_user().value().root(), "/home/user/.cache/devmap-conformance");
  unsetenv("XDG_CACHE_HOME");
  unsetenv("HOME");
  EXPECT_FALSE(Cache::of_this_user());
  if (before != nullptr) setenv("XDG_CACHE_HOME", kept.c_str(), 1);
}

}  // namespace
}  // namespace devmap::vm
