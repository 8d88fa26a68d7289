#include <harness/bpf/map.hpp>

#include <fcntl.h>
#include <harness/base/detached_mount.hpp>
#include <harness/bpf/tests/kernel_fixture.hpp>

#include <array>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;
constexpr std::uint32_t kLoopback = 1;

class MapTest : public testing_support::BpfTest {
 protected:
  static Map make_array(std::uint32_t entries) {
    return Map::create({.type = BPF_MAP_TYPE_ARRAY, .value_size = 8, .max_entries = entries}).expected().value();
  }
};

TEST_F(MapTest, HoldsValuesOfAnyType) {
  const auto map = make_array(2);
  ASSERT_EQ(fault(map.update(1, std::uint64_t{0x1122334455667788})), "");
  EXPECT_EQ(map.lookup<std::uint64_t>(1).value(), 0x1122334455667788U);
  EXPECT_EQ(map.lookup<std::uint64_t>(0).value(), 0U);
  EXPECT_THAT(map.lookup<std::uint64_t>(2), IsRefusedWith(ENOENT));
}

TEST_F(MapTest, WalksItsKeys) {
  const auto map = make_array(2);
  EXPECT_EQ(map.next_key(std::nullopt).value(), 0U);
  EXPECT_EQ(map.next_key(0).value(), 1U);
  const auto last = map.next_key(1);
  EXPECT_THAT(last, IsRefusedWith(ENOENT));
  EXPECT_EQ(last.asked().text(), "next key(key 1)");
}

TEST_F(MapTest, DeletesElements) {
  const auto map = make_map({.type = DevMapType::devmap_hash});
  ASSERT_EQ(fault(map.update(3, {.ifindex = kLoopback})), "");
  EXPECT_EQ(fault(map.erase(3)), "");
  EXPECT_THAT(map.erase(3), IsRefusedWith(ENOENT));
}

TEST_F(MapTest, OffersBadAddressesToTheKernel) {
  const auto map = make_array(1);
  const std::uint32_t key = 0;
  std::uint64_t value = 0;
  EXPECT_THAT(map.update_raw(nullptr, &value), IsRefusedWith(EFAULT));
  EXPECT_THAT(map.update_raw(&key, nullptr), IsRefusedWith(EFAULT));
  EXPECT_THAT(map.lookup_raw(&key, nullptr), IsRefusedWith(EFAULT));
  EXPECT_EQ(fault(map.lookup_raw(&key, &value)), "");
  std::uint32_t next = 9;
  EXPECT_EQ(fault(map.next_key_raw(nullptr, &next)), "");
  EXPECT_EQ(next, 0U);
}

TEST_F(MapTest, BatchesWriteTheCountBack) {
  const auto map = make_array(3);
  std::array<std::uint32_t, 4> keys{};
  std::array<std::uint64_t, 4> values{};
  std::uint32_t position = 0;
  Map::BatchSpec spec{.out_batch = &position, .keys = keys.data(), .values = values.data(), .count = 4};
  EXPECT_THAT(map.batch(BPF_MAP_LOOKUP_BATCH, spec), IsRefusedWith(ENOENT));  // the end was reached
  EXPECT_EQ(spec.count, 3U);
  EXPECT_EQ(keys[2], 2U);
}

TEST_F(MapTest, IsFrozen) {
  const auto map = make_array(1);
  EXPECT_EQ(map.fdinfo("frozen").value(), 0U);
  EXPECT_EQ(fault(map.freeze()), "");
  EXPECT_EQ(map.fdinfo("frozen").value(), 1U);
  EXPECT_THAT(map.update(0, std::uint64_t{1}), IsRefusedWith(EPERM));
}

TEST_F(MapTest, IsPinnedAndOpenedAgain) {
  const auto mount = DetachedMount::open("bpf");
  ASSERT_EQ(fault(mount), "");
  const auto map = make_array(1);
  ASSERT_EQ(fault(map.pin(mount->path("m"))), "");
  const auto again = Map::open_pinned(mount->path("m"), BPF_F_RDONLY);
  ASSERT_EQ(fault(again), "");
  EXPECT_EQ(again.value().info().value().id, map.info().value().id);
  EXPECT_THAT(again.value().update(0, std::uint64_t{1}), IsRefusedWith(EPERM));
  EXPECT_THAT(Map::open_pinned(mount->path("none")), IsRefusedWith(ENOENT));
}

TEST_F(MapTest, ClosesItsDescriptor) {
  auto map = make_array(1);
  const int fd = map.fd();
  EXPECT_NE(fcntl(fd, F_GETFD), -1);
  map.close();
  EXPECT_EQ(fcntl(fd, F_GETFD), -1);
}

TEST_F(MapTest, TriesTheLimitOfNames) {
  EXPECT_EQ(fault(Map::create({.type = BPF_MAP_TYPE_ARRAY, .name = std::string(15, 'n')})), "");
  EXPECT_THAT(Map::create({.type = BPF_MAP_TYPE_ARRAY, .name = std::string(16, 'n')}), IsRefusedWith(EINVAL));
}

TEST_F(MapTest, IsGoneWhenItsLastHolderIs) {
  std::uint32_t id = 0;
  {
    const auto map = make_array(1);
    id = map.info().value().id;
    EXPECT_EQ(fault(map_held(id)), "");
  }
  EXPECT_THAT(map_held(id), IsRefusedWith(ENOENT));
}

}  // namespace
}  // namespace devmap
