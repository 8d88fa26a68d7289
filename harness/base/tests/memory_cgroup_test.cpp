#include <harness/base/memory_cgroup.hpp>

#include <sys/mman.h>
#include <unistd.h>
#include <harness/base/file.hpp>
#include <harness/base/resources.hpp>
#include <harness/base/tests/support.hpp>

#include <cstring>
#include <memory>
#include <optional>
#include <stdexcept>

namespace devmap {
namespace {

using testing_support::fault;

class MemoryCgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = MemoryCgroup::create();
    if (!made) GTEST_SKIP() << "no control group can be made: " << made.error().text();
    group_.emplace(std::move(*made));
  }
  /// Memory that is written to inside, and so counted there; null where it cannot be had.
  [[nodiscard]] std::shared_ptr<void> written_inside(std::size_t size) const {
    void* memory = MAP_FAILED;
    EXPECT_EQ(fault(group_->run([&] {
                memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
                if (memory != MAP_FAILED) std::memset(memory, 1, size);
              })),
              "");
    if (memory == MAP_FAILED) return nullptr;
    return {memory, [size](void* all) { munmap(all, size); }};
  }
  static std::string where_this_process_is() { return read_file("/proc/self/cgroup").value(); }
  std::optional<MemoryCgroup> group_;
};

TEST_F(MemoryCgroupTest, CountsWhatIsAllocatedInside) {
  constexpr std::size_t kSize = 8 * 1024 * 1024;
  const auto before = group_->usage();
  ASSERT_EQ(fault(before), "");
  const auto memory = written_inside(kSize);
  ASSERT_NE(memory, nullptr);
  EXPECT_GE(group_->usage().value_or(0), *before + kSize);
}

TEST_F(MemoryCgroupTest, CountsLittleInAdvanceOnceItIsDrained) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  ASSERT_EQ(fault(stay_on_this_cpu()), "");  // what it has in advance is given back at once
  const auto memory = written_inside(page);
  ASSERT_NE(memory, nullptr);
  const auto before = group_->usage();
  ASSERT_EQ(fault(group_->drain()), "");
  const auto after = group_->usage();
  ASSERT_EQ(fault(after), "");
  EXPECT_LT(*after, *before);
}

TEST_F(MemoryCgroupTest, IsLeftAgain) {
  const auto before = where_this_process_is();
  std::string inside;
  EXPECT_EQ(fault(group_->run([&] { inside = where_this_process_is(); })), "");
  EXPECT_NE(inside, before);
  EXPECT_EQ(where_this_process_is(), before);
  EXPECT_THROW((void)group_->run([] { throw std::runtime_error("out"); }), std::runtime_error);
  EXPECT_EQ(where_this_process_is(), before);
}

TEST_F(MemoryCgroupTest, TakesALimitAndGivesItUp) {
  EXPECT_EQ(fault(group_->limit(64 * 1024 * 1024)), "");
  EXPECT_EQ(fault(group_->lift_limit()), "");
}

TEST_F(MemoryCgroupTest, IsGoneWithItsObject) {
  group_.reset();
  auto again = MemoryCgroup::create();  // of the same name
  EXPECT_EQ(fault(again), "");
}

}  // namespace
}  // namespace devmap
