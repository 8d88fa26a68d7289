#include <bench/peer/side_facts.hpp>

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

namespace devmap::bench {
namespace {

TEST(SideFacts, KnowADeviceMapByItsDescriptor) {
  constexpr const char* kFdinfo =
      "pos:\t0\nflags:\t02000002\nmap_type:\t{}\nkey_size:\t4\nvalue_size:\t8\nmax_entries:\t{}\n";
  const auto fdinfo = [&](const char* type, const char* entries) {
    std::string text = kFdinfo;
    text.replace(text.find("{}"), 2, type);
    return text.replace(text.find("{}"), 2, entries);
  };
  EXPECT_EQ(device_map_in_words(fdinfo("14", "1")), "devmap, 1 entry, 8-byte values");
  EXPECT_EQ(device_map_in_words(fdinfo("25", "32")), "devmap_hash, 32 entries, 8-byte values");
  EXPECT_EQ(device_map_in_words(fdinfo("1", "32")), std::nullopt);
  EXPECT_EQ(device_map_in_words("pos:\t0\nflags:\t02\n"), std::nullopt);
  EXPECT_EQ(device_map_in_words(""), std::nullopt);
}

TEST(SideFacts, AreThoseOfAllTurns) {
  SideFacts all{.maps = {"a"}, .cpu_seconds = 1};
  all += {.maps = {"a", "b"}, .cpu_seconds = 3, .ksoftirqd_seconds = 1};
  EXPECT_EQ(all.maps, (std::set<std::string>{"a", "b"}));
  EXPECT_EQ(all.ksoftirqd_share(), 0.25);
  EXPECT_EQ(SideFacts{}.ksoftirqd_share(), std::nullopt);
}

TEST(SideFacts, SayWhereAProcessCannotBeLookedAt) {
  const auto own = device_maps_of(getpid());
  ASSERT_TRUE(own.has_value());
  EXPECT_TRUE(own->empty());
  // No process has a number above the kernel's limit, PID_MAX_LIMIT.
  const auto nobody = device_maps_of((1 << 22) + 1);
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, ENOENT);
}

TEST(SideFacts, HaveNoTimeOfAProcessorThatIsNotThere) {
  EXPECT_EQ(ksoftirqd_clock(1'000'000), std::nullopt);
  EXPECT_EQ(seconds_of(std::nullopt), 0);
}

TEST(SideFacts, ReadATimeThatOnlyGrows) {
  const double before = seconds_of(CLOCK_THREAD_CPUTIME_ID);
  EXPECT_GT(before, 0);
  EXPECT_GE(seconds_of(CLOCK_THREAD_CPUTIME_ID), before);
}

}  // namespace
}  // namespace devmap::bench
