#include <harness/bpf/features.hpp>

#include <harness/base/capabilities.hpp>
#include <harness/base/kernel_version.hpp>
#include <harness/bpf/tests/kernel_fixture.hpp>

#include <vector>

namespace devmap {
namespace {

using testing_support::fault;

std::vector<Feature> all() {
  return {features::live_frames(),    features::test_run_context(),
          features::frags_programs(), features::restricted_unprivileged_bpf(),
          features::kernel_btf(),     features::jit()};
}

TEST(Features, AreNamedAndSayWhatHelps) {
  for (const auto& feature : all()) {
    EXPECT_FALSE(feature.name.empty());
    EXPECT_FALSE(feature.remedy.empty()) << feature.name;
    EXPECT_FALSE(feature.probe().text.empty()) << feature.name;
  }
}

using FeaturesTest = testing_support::BpfTest;

TEST_F(FeaturesTest, ArePresentFromTheVersionsTheyNameOn) {
  const struct {
    Feature feature;
    KernelVersion since;
  } kTable[] = {{features::live_frames(), {5, 18}},
                {features::test_run_context(), {5, 15}},
                {features::frags_programs(), {5, 18}}};
  for (const auto& row : kTable) {
    const Fact fact = row.feature.probe();
    const auto expected = KernelVersion::running() >= row.since ? Presence::present : Presence::absent;
    EXPECT_EQ(fact.presence, expected) << row.feature.name << ": " << fact.text;
  }
}

TEST(Features, AreNotPresentForWhoMayNotUseBpf) {
  for (const auto& feature : {features::live_frames(), features::test_run_context(), features::frags_programs()}) {
    Fact fact;
    ASSERT_EQ(fault(with_capabilities({}, [&] { fact = feature.probe(); })), "");
    EXPECT_NE(fact.presence, Presence::present) << feature.name;
    EXPECT_THAT(fact.text, testing::HasSubstr("EPERM")) << feature.name;
  }
}

}  // namespace
}  // namespace devmap
