#include <harness/bpf/devmap.hpp>

#include <harness/bpf/tests/kernel_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;
constexpr std::uint32_t kLoopback = 1;

TEST(DevMapType, HasAName) {
  EXPECT_EQ(name_of(DevMapType::devmap), "devmap");
  EXPECT_EQ(name_of(DevMapType::devmap_hash), "devmap_hash");
}

using DevMapTest = testing_support::BpfTest;

TEST_F(DevMapTest, IsMadeAsSpecified) {
  const auto map = make_map({.type = DevMapType::devmap_hash, .value_size = 8, .max_entries = 3, .name = "m"});
  const auto info = map.info();
  ASSERT_EQ(fault(info), "");
  EXPECT_EQ(info.value().type, 25U);
  EXPECT_EQ(info.value().key_size, 4U);
  EXPECT_EQ(info.value().value_size, 8U);
  EXPECT_EQ(info.value().max_entries, 3U);
  EXPECT_EQ(info.value().name, "m");
  EXPECT_EQ(map.value_size(), 8U);
}

TEST_F(DevMapTest, StoresAndGivesElements) {
  for (const std::uint32_t value_size : {4U, 8U}) {
    const auto map = make_map({.type = DevMapType::devmap_hash, .value_size = value_size});
    EXPECT_EQ(fault(map.update(7, {.ifindex = kLoopback})), "");
    const auto element = map.lookup(7);
    ASSERT_EQ(fault(element), "");
    EXPECT_EQ(element.value(), (Element{.ifindex = kLoopback}));
    EXPECT_THAT(map.lookup(8), IsRefusedWith(ENOENT));
  }
}

TEST_F(DevMapTest, StoresProgramsById) {
  const auto map = make_map({.value_size = 8});
  const auto program = make_program(Assembler().return_value(XDP_PASS), {.expected_attach_type = BPF_XDP_DEVMAP});
  ASSERT_EQ(fault(map.update(0, {.ifindex = kLoopback, .program_fd = program.fd()})), "");
  EXPECT_EQ(map.lookup(0).value(), (Element{.ifindex = kLoopback, .program_id = program.info().value().id}));
}

TEST_F(DevMapTest, IsOpenedByIdWithItsValueSize) {
  const auto map = make_map({.value_size = 8});
  ASSERT_EQ(fault(map.update(0, {.ifindex = kLoopback})), "");
  const auto again = DevMap::open_by_id(map.info().value().id, 8);
  ASSERT_EQ(fault(again), "");
  EXPECT_EQ(again.value().lookup(0).value().ifindex, kLoopback);
}

TEST_F(DevMapTest, WordsWhatItAsks) {
  const auto narrow = make_map({.value_size = 4});
  const auto wide = make_map({.value_size = 8});
  EXPECT_EQ(narrow.update(1, {.ifindex = 7}, BPF_EXIST).asked().text(), "update(key 1, ifindex 7, flags BPF_EXIST)");
  EXPECT_EQ(wide.update(1, {.ifindex = UINT32_MAX, .program_fd = -1}).asked().text(),
            "update(key 1, ifindex -1, program fd -1, flags 0)");
  EXPECT_EQ(wide.lookup(1).asked().text(), "lookup(key 1, flags 0)");
  EXPECT_EQ(wide.lookup_and_delete(1).asked().text(), "lookup and delete(key 1, flags 0)");
}

TEST_F(DevMapTest, IsNotMadeOfWhatTheKernelRefuses) {
  const auto refused = DevMap::create({.value_size = 5});
  EXPECT_THAT(refused, IsRefusedWith(EINVAL));
  EXPECT_EQ(refused.asked().text(), "map create(type 14, key_size 4, value_size 5, max_entries 4, map_flags 0)");
}

}  // namespace
}  // namespace devmap
