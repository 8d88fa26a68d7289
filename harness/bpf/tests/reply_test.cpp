#include <harness/bpf/reply.hpp>

#include <gtest/gtest.h>
#include <linux/bpf.h>

#include <cerrno>
#include <memory>

namespace devmap {
namespace {

TEST(Worded, SaysNumbersAndFlags) {
  const struct {
    std::uint64_t number;
    Notation notation;
    const char* text;
  } kTable[] = {
      {7, Notation::decimal, "7"},
      {UINT64_MAX, Notation::decimal, "18446744073709551615"},
      {UINT64_MAX, Notation::signed_decimal, "-1"},
      {7, Notation::signed_decimal, "7"},
      {0, Notation::hexadecimal, "0x0"},
      {0x10, Notation::hexadecimal, "0x10"},
      {0, Notation::update_flags, "0"},
      {1, Notation::update_flags, "BPF_NOEXIST"},
      {2, Notation::update_flags, "BPF_EXIST"},
      {3, Notation::update_flags, "BPF_NOEXIST|BPF_EXIST"},
      {4, Notation::update_flags, "BPF_F_LOCK"},
      {8, Notation::update_flags, "0x8"},
      {1ULL << 63 | 1, Notation::update_flags, "BPF_NOEXIST|0x8000000000000000"},
      {1U << 3 | 0x800000, Notation::map_flags, "BPF_F_RDONLY|0x800000"},
      {1U << 3 | 1U << 4, Notation::map_flags, "BPF_F_RDONLY|BPF_F_WRONLY"},
      {1U << 7, Notation::map_flags, "BPF_F_RDONLY_PROG"},
      {6, Notation::program_type, "XDP"},
      {3, Notation::program_type, "SCHED_CLS"},
      {31, Notation::program_type, "SYSCALL"},
      {999, Notation::program_type, "999"},
      {0, Notation::attach_type, "0"},
      {33, Notation::attach_type, "BPF_XDP_DEVMAP"},
      {35, Notation::attach_type, "BPF_XDP_CPUMAP"},
      {36, Notation::attach_type, "36"},
      {37, Notation::attach_type, "BPF_XDP"},
      {1U << 4 | 1U << 5 | 1U << 6, Notation::program_flags,
       "BPF_F_SLEEPABLE|BPF_F_XDP_HAS_FRAGS|BPF_F_XDP_DEV_BOUND_ONLY"},
      {1U << 1, Notation::xdp_flags, "XDP_FLAGS_SKB_MODE"},
      {1U << 2 | 1U << 0 | 1U << 9, Notation::xdp_flags, "XDP_FLAGS_UPDATE_IF_NOEXIST|XDP_FLAGS_DRV_MODE|0x200"},
      {8, Notation::redirect_flags, "BPF_F_BROADCAST"},
      {8 | 16 | 2, Notation::redirect_flags, "BPF_F_BROADCAST|BPF_F_EXCLUDE_INGRESS|0x2"},
  };
  for (const auto& row : kTable) EXPECT_EQ(worded(row.number, row.notation), row.text) << row.number;
}

TEST(Asked, IsWordedAsACall) {
  EXPECT_EQ(Asked("freeze", {}).text(), "freeze()");
  EXPECT_EQ(Asked("update", {{"key", 0}, {"ifindex", 1}, {"flags", BPF_NOEXIST, Notation::update_flags}}).text(),
            "update(key 0, ifindex 1, flags BPF_NOEXIST)");
}

TEST(Asked, OfAFormIsWordedLikeAnyOther) {
  static constexpr CallForm kUpdate = {
      "update", {{{"key"}, {"ifindex", Notation::signed_decimal}, {"flags", Notation::update_flags}}}};
  const Asked asked(kUpdate, 0U, -1, std::uint64_t{BPF_NOEXIST});
  EXPECT_EQ(asked.text(), "update(key 0, ifindex -1, flags BPF_NOEXIST)");
  EXPECT_EQ(asked.about("a slot").text(), "update \"a slot\" (key 0, ifindex -1, flags BPF_NOEXIST)");
  EXPECT_EQ(asked.explanation(), "");
  EXPECT_EQ(asked.explained("no such device").explanation(), "no such device");
  EXPECT_EQ(asked.explained("no such device").text(), asked.text());
  EXPECT_EQ(asked.unless_zero({"more", 2}).text(), "update(key 0, ifindex -1, flags BPF_NOEXIST, more 2)");
}

TEST(Asked, OfAFormLeavesOutNumbersWithoutAnArgument) {
  static constexpr CallForm kFirst = {"first key"};
  static constexpr CallForm kFull = {"f", {{{"a"}, {"b"}, {"c"}, {"d"}}}};
  EXPECT_EQ(Asked(kFirst, 7U).text(), "first key()");
  EXPECT_EQ(Asked(kFull, 1U, 2U, 3U, 4U).text(), "f(a 1, b 2, c 3, d 4)");
}

TEST(Asked, LeavesOutWhatIsZeroWhereToldTo) {
  const Asked asked = Asked("create", {{"type", 14}}).unless_zero({"ifindex", 0}).unless_zero({"node", 3});
  EXPECT_EQ(asked.text(), "create(type 14, node 3)");
}

TEST(Asked, SaysWhatItIsAbout) {
  const Asked plain("load program", {{"type", 6}});
  EXPECT_EQ(plain.about("returns 0").text(), "load program \"returns 0\" (type 6)");
  EXPECT_EQ(plain.text(), "load program(type 6)");
}

TEST(Reply, OfARefusedCallHoldsItsErrnoAndExplanation) {
  const auto reply = Reply<int>::refused(Asked("load", {}), EACCES, "R1 is wrong");
  EXPECT_FALSE(reply);
  EXPECT_EQ(reply.error(), EACCES);
  EXPECT_EQ(reply.explanation(), "R1 is wrong");
  EXPECT_EQ(reply.asked().text(), "load()");
}

TEST(Reply, OfAGrantedCallHoldsItsValue) {
  const auto reply = Reply<int>::granted(Asked("load", {}), 7, "a warning");
  EXPECT_TRUE(reply);
  EXPECT_EQ(reply.error(), 0);
  EXPECT_EQ(reply.value(), 7);
  EXPECT_EQ(reply.explanation(), "a warning");
}

TEST(Reply, OfAFormHoldsWhatItsResultSays) {
  static constexpr CallForm kLookup = {"lookup", {{{"key"}}}};
  const auto found = Reply<int>::ended(0, 7, kLookup, 3U);
  EXPECT_TRUE(found);
  EXPECT_EQ(found.value(), 7);
  EXPECT_EQ(found.explanation(), "");
  EXPECT_EQ(found.asked().text(), "lookup(key 3)");
  const auto missing = Reply<int>::ended(-ENOENT, 7, kLookup, 3U);
  EXPECT_FALSE(missing);
  EXPECT_EQ(missing.error(), ENOENT);
}

TEST(Reply, GivesItsValueAway) {
  auto reply = Reply<std::unique_ptr<int>>::granted(Asked("load", {}), std::make_unique<int>(7));
  const std::unique_ptr<int> taken = std::move(reply).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Reply, IsASetUpStepToo) {
  const auto failed = Reply<int>::refused(Asked("load", {{"type", 6}}), EACCES, "R1 is wrong").expected();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().text(), "load(type 6): EACCES (Permission denied): R1 is wrong");
  EXPECT_EQ(Reply<int>::granted(Asked("load", {}), 7).expected(), 7);
  EXPECT_TRUE(Reply<>::granted(Asked("load", {})).expected().has_value());
  EXPECT_EQ(Reply<>::refused(Asked("load", {}), EIO).expected().error().code, EIO);
}

}  // namespace
}  // namespace devmap
