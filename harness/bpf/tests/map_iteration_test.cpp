#include <harness/bpf/map_iteration.hpp>

#include <harness/base/kernel_version.hpp>
#include <harness/bpf/features.hpp>
#include <harness/bpf/tests/kernel_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;

class MapIterationTest : public testing_support::BpfTest {
 protected:
  static Map make_hash() {
    return Map::create({.type = BPF_MAP_TYPE_HASH, .value_size = 8, .max_entries = 3, .name = "walked"})
        .expected()
        .value();
  }
};

TEST_F(MapIterationTest, ListsAMapAsItIs) {
  if (const Fact fact = features::map_iterators().probe(); fact.presence != Presence::present) {
    GTEST_SKIP() << fact.text;
  }
  const auto map = make_hash();
  const auto listed = list_map(map.info().value().id);
  ASSERT_EQ(fault(listed), "");
  EXPECT_EQ(listed.value().times_found, 1U);
  EXPECT_EQ(listed.value().type, BPF_MAP_TYPE_HASH);
  EXPECT_EQ(listed.value().key_size, 4U);
  EXPECT_EQ(listed.value().value_size, 8U);
  EXPECT_EQ(listed.value().max_entries, 3U);
  EXPECT_EQ(listed.value().name, "walked");
}

TEST_F(MapIterationTest, DoesNotFindAMapThatThereIsNot) {
  if (const Fact fact = features::map_iterators().probe(); fact.presence != Presence::present) {
    GTEST_SKIP() << fact.text;
  }
  const auto listed = list_map(UINT32_MAX);
  ASSERT_EQ(fault(listed), "");
  EXPECT_EQ(listed.value().times_found, 0U);
}

TEST_F(MapIterationTest, WalksElementsOfAMapThatAllowsIt) {
  if (const Fact fact = features::element_iterators().probe(); fact.presence != Presence::present) {
    GTEST_SKIP() << fact.text;
  }
  const auto iterator = ElementIterator::load();
  ASSERT_EQ(fault(iterator), "");
  EXPECT_EQ(fault(iterator.value().attach(make_hash())), "");
  const auto stack = Map::create({.type = BPF_MAP_TYPE_STACK, .key_size = 0}).expected();
  ASSERT_EQ(fault(stack), "");
  EXPECT_THAT(iterator.value().attach(*stack), IsRefusedWith(EINVAL));
}

TEST_F(MapIterationTest, LoadsAProgramThatWalksAMap) {
  if (KernelVersion::running() < KernelVersion{5, 13}) GTEST_SKIP() << "the helper came with Linux 5.13";
  EXPECT_EQ(fault(load_for_each_element(make_hash())), "");
  const auto stack = Map::create({.type = BPF_MAP_TYPE_STACK, .key_size = 0}).expected();
  ASSERT_EQ(fault(stack), "");
  const auto refused = load_for_each_element(*stack);
  EXPECT_FALSE(refused);
  EXPECT_THAT(refused.explanation(), testing::HasSubstr("bpf_for_each_map_elem"));
}

}  // namespace
}  // namespace devmap
