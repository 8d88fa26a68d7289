#include <harness/spec/variant.hpp>

#include <gmock/gmock.h>

namespace devmap {
namespace {

using testing::ElementsAre;

std::vector<std::string> names(const Variants& variants) {
  std::vector<std::string> names;
  for (const auto& variant : variants.all()) names.push_back(variant.name());
  return names;
}

TEST(Variant, IsNamedByThePartsItHas) {
  EXPECT_EQ(Variant{}.name(), "once");
  EXPECT_EQ((Variant{.type = DevMapType::devmap}).name(), "devmap");
  EXPECT_EQ((Variant{.value_size = 8}).name(), "v8");
  EXPECT_EQ((Variant{.mode = Mode::generic}).name(), "generic");
  EXPECT_EQ((Variant{DevMapType::devmap_hash, 4, Mode::native}).name(), "devmap_hash/v4/native");
}

TEST(Variants, AreTheCrossProductOfTheirParts) {
  EXPECT_THAT(names(any_map()), ElementsAre("devmap/v4", "devmap/v8", "devmap_hash/v4", "devmap_hash/v8"));
  EXPECT_THAT(names(any_map(8)), ElementsAre("devmap/v8", "devmap_hash/v8"));
  EXPECT_THAT(names(devmap_only()), ElementsAre("devmap/v4", "devmap/v8"));
  EXPECT_THAT(names(devmap_hash_only({8})), ElementsAre("devmap_hash/v8"));
  EXPECT_THAT(names(once()), ElementsAre("once"));
  EXPECT_THAT(names(once().in({Mode::native, Mode::generic})), ElementsAre("native", "generic"));
  EXPECT_THAT(names(any_map(4).in({Mode::native, Mode::generic})),
              ElementsAre("devmap/v4/native", "devmap/v4/generic", "devmap_hash/v4/native", "devmap_hash/v4/generic"));
}

TEST(Variants, InLeavesTheOriginalAlone) {
  const Variants original = any_map(4);
  EXPECT_EQ(original.in({Mode::native, Mode::generic}).all().size(), 4U);
  EXPECT_EQ(original.all().size(), 2U);
}

}  // namespace
}  // namespace devmap
