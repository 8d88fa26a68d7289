#include <harness/bpf/features.hpp>

#include <harness/base/capabilities.hpp>
#include <harness/base/kernel_version.hpp>
#include <harness/bpf/tests/kernel_fixture.hpp>

#include <vector>

namespace devmap {
namespace {

using testing_support::fault;

std::vector<Feature> all() {
  return {features::live_frames(),
          features::test_run_context(),
          features::frags_programs(),
          features::syscall_programs(),
          features::restricted_unprivileged_bpf(),
          features::unrestricted_unprivileged_bpf(),
          features::memory_cgroup(),
          features::maps_in_memory_cgroup(),
          features::memory_below(1),
          features::kernel_btf(),
          features::element_iterators(),
          features::map_iterators(),
          features::tracing_programs(),
          features::visible_call_targets(),
          features::jit(),
          features::processor_number(),
          features::two_processors(),
          features::x86_64()};
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
                {features::frags_programs(), {5, 18}},
                {features::syscall_programs(), {5, 14}}};
  for (const auto& row : kTable) {
    const Fact fact = row.feature.probe();
    const auto expected = KernelVersion::running() >= row.since ? Presence::present : Presence::absent;
    EXPECT_EQ(fact.presence, expected) << row.feature.name << ": " << fact.text;
  }
}

TEST(Features, KnowMemoryByItsSize) {
  EXPECT_EQ(features::memory_below(1).probe().presence, Presence::absent);
  EXPECT_EQ(features::memory_below(UINT64_MAX).probe().presence, Presence::present);
}

TEST(Features, OfUnprivilegedBpfContradictEachOther) {
  const Fact restricted = features::restricted_unprivileged_bpf().probe();
  const Fact unrestricted = features::unrestricted_unprivileged_bpf().probe();
  if (restricted.presence == Presence::could_not_tell) GTEST_SKIP() << restricted.text;
  EXPECT_NE(restricted.presence, unrestricted.presence) << restricted.text << "; " << unrestricted.text;
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
