#include <harness/bpf/btf.hpp>

#include <harness/bpf/tests/kernel_fixture.hpp>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;
using BtfTest = testing_support::BpfTest;

Reply<Map> array_of(const Btf& types, std::uint32_t value_type) {
  return Map::create({.type = BPF_MAP_TYPE_ARRAY,
                      .value_size = 8,
                      .btf_fd = static_cast<std::uint32_t>(types.fd()),
                      .btf_key_type_id = 1,
                      .btf_value_type_id = value_type});
}

TEST_F(BtfTest, NumbersItsTypesFromOne) {
  const auto types = Btf::load({{"key", 4}, {"value", 8}, {"wrong", 2}});
  ASSERT_EQ(fault(types), "");
  const auto map = array_of(*types, 2);
  ASSERT_EQ(fault(map), "");
  EXPECT_EQ(map.value().info().value().btf_key_type_id, 1U);
  EXPECT_EQ(map.value().info().value().btf_value_type_id, 2U);
  EXPECT_THAT(array_of(*types, 3), IsRefusedWith(EINVAL)) << "of another size";
}

TEST_F(BtfTest, TakesNoSizeThatIntegersDoNotHave) {
  EXPECT_NE(fault(Btf::load({{"odd", 3}})), "");
}

}  // namespace
}  // namespace devmap
