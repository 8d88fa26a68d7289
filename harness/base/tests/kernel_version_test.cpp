#include <harness/base/kernel_version.hpp>
#include <harness/base/version_code.hpp>

#include <gtest/gtest.h>

namespace devmap {

// Found by GoogleTest when it prints one.
void PrintTo(const KernelVersion& version, std::ostream* out) {
  *out << version.text();
}

namespace {

constexpr KernelVersion version(int major, int minor, int patch = 0) {
  return {major, minor, patch};
}

TEST(KernelVersion, IsReadFromReleases) {
  const struct {
    const char* release;
    KernelVersion expected;
  } kTable[] = {
      {"6.12", version(6, 12)},
      {"6.12.0", version(6, 12)},
      {"6.12.117", version(6, 12, 117)},
      {"6.12.117-cloud-amd64", version(6, 12, 117)},
      {"7.3-rc7", version(7, 3)},
      {"7.3.0-rc7+", version(7, 3)},
      {"5.10.0-33-amd64", version(5, 10)},
      {"6.18.44.1", version(6, 18, 44)},
      {"6.12.", version(6, 12)},
      {"6.12.x", version(6, 12)},
      {"0.0", version(0, 0)},
  };
  for (const auto& row : kTable) EXPECT_EQ(KernelVersion::parse(row.release), row.expected) << row.release;
}

TEST(KernelVersion, IsNotReadFromGarbage) {
  for (const char* garbage : {"", "6", "6.", "6-12", "v6.12", " 6.12", "six.twelve", ".12", "6..12", "-6.12", "6.-12",
                              "+6.12", "6.+12", "99999999999.1", "6.99999999999"}) {
    EXPECT_EQ(KernelVersion::parse(garbage), std::nullopt) << garbage;
  }
  EXPECT_EQ(KernelVersion::parse({}), std::nullopt);
}

TEST(KernelVersion, TakesNoSignForAPatchLevel) {
  EXPECT_EQ(KernelVersion::parse("6.12.-3"), version(6, 12));
}

TEST(KernelVersion, HasThePatchLevelThatItsReleaseLeavesOut) {
  constexpr std::uint32_t kCode = 6 << 16 | 1 << 8 | 192;
  EXPECT_EQ(with_patch_level(version(6, 1), kCode), version(6, 1, 192));
  EXPECT_EQ(with_patch_level(version(6, 1, 7), kCode), version(6, 1, 7)) << "the release says it";
  EXPECT_EQ(with_patch_level(version(6, 12), kCode), version(6, 12)) << "of another series";
  EXPECT_EQ(with_patch_level(version(6, 1), 0), version(6, 1)) << "there is no code";
}

TEST(KernelVersion, OfTheRunningKernelIsOfItsCode) {
  const auto running = KernelVersion::running();
  const auto series = static_cast<std::uint32_t>(running.major << 8 | running.minor);
  if (running_version_code() == 0) GTEST_SKIP() << "the vDSO is switched off";
  EXPECT_EQ(running_version_code() >> 8, series) << running.text();
}

TEST(KernelVersion, IsOrderedByItsNumbers) {
  const KernelVersion ascending[] = {version(4, 14),     version(5, 9, 99),  version(5, 10), version(5, 10, 9),
                                     version(5, 10, 10), version(6, 2),      version(6, 12), version(6, 12, 117),
                                     version(7, 0),      version(9999, 0, 0)};
  for (const auto* left = std::begin(ascending); left != std::end(ascending); ++left) {
    for (const auto* right = std::begin(ascending); right != std::end(ascending); ++right) {
      EXPECT_EQ(*left < *right, left < right) << left->text() << " " << right->text();
      EXPECT_EQ(*left == *right, left == right) << left->text() << " " << right->text();
    }
  }
}

TEST(KernelVersion, BelongsToASeries) {
  EXPECT_TRUE(version(6, 12, 1).same_series(version(6, 12, 77)));
  EXPECT_FALSE(version(6, 12, 1).same_series(version(6, 11, 1)));
  EXPECT_FALSE(version(6, 12, 1).same_series(version(5, 12, 1)));
}

TEST(KernelVersion, IsWordedWithoutAZeroPatchLevel) {
  EXPECT_EQ(version(6, 12).text(), "6.12");
  EXPECT_EQ(version(6, 12, 117).text(), "6.12.117");
  EXPECT_EQ(KernelVersion{}.text(), "0.0");
}

TEST(KernelVersion, OfTheRunningKernelIsKnown) {
  EXPECT_GE(KernelVersion::running(), version(4, 14));
}

}  // namespace
}  // namespace devmap
