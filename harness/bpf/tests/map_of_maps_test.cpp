#include <harness/bpf/map_of_maps.hpp>

#include <harness/bpf/tests/kernel_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;
using MapOfMapsTest = testing_support::BpfTest;

Map hash_with_values_of(std::uint32_t bytes) {
  return Map::create({.type = BPF_MAP_TYPE_HASH, .value_size = bytes}).expected().value();
}

TEST_F(MapOfMapsTest, HoldsMapsLikeTheFirst) {
  for (const auto type : {BPF_MAP_TYPE_ARRAY_OF_MAPS, BPF_MAP_TYPE_HASH_OF_MAPS}) {
    const auto outer = MapOfMaps::create(type, hash_with_values_of(4));
    ASSERT_EQ(fault(outer), "");
    const auto inner = hash_with_values_of(4);
    EXPECT_THAT(outer.value().lookup<std::uint32_t>(1), IsRefusedWith(ENOENT));
    EXPECT_EQ(fault(outer.value().put(1, inner)), "");
    EXPECT_EQ(outer.value().lookup<std::uint32_t>(1).value(), inner.info().value().id);
    EXPECT_THAT(outer.value().put(2, hash_with_values_of(8)), IsRefusedWith(EINVAL));
  }
}

TEST_F(MapOfMapsTest, SaysOfWhichKindItIs) {
  const auto inner = hash_with_values_of(4);
  const auto array = MapOfMaps::create(BPF_MAP_TYPE_ARRAY_OF_MAPS, inner);
  const auto hash = MapOfMaps::create(BPF_MAP_TYPE_HASH_OF_MAPS, inner, 7);
  ASSERT_EQ(fault(array) + fault(hash), "");
  EXPECT_EQ(array.asked().text(), "create array of maps(max_entries 4)");
  EXPECT_EQ(hash.asked().text(), "create hash of maps(max_entries 7)");
  EXPECT_EQ(array.value().put(0, inner).asked().text(), "put into array of maps(key 0)");
  EXPECT_EQ(hash.value().put(0, inner).asked().text(), "put into hash of maps(key 0)");
}

}  // namespace
}  // namespace devmap
