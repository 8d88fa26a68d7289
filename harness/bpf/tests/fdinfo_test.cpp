#include <harness/bpf/fdinfo.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/tests/support.hpp>

#include <cerrno>

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;

constexpr const char* kText =
    "pos:\t0\n"
    "flags:\t02000002\n"
    "map_extra:\t0x1f\n"
    "memlock:\t4096\n"
    "frozen:\t0\n"
    "xfrozen:\t7\n"
    "empty:\t\n"
    "word:\tyes\n"
    "most:\t18446744073709551615\n"
    "too_much:\t18446744073709551616\n"
    "last: 5";

TEST(ParseFdinfo, FindsTheNumberOfAField) {
  const struct {
    const char* field;
    std::optional<std::uint64_t> expected;
  } kTable[] = {
      {"pos", 0},
      {"memlock", 4096},
      {"map_extra", 0x1f},
      {"frozen", 0},
      {"xfrozen", 7},
      {"most", UINT64_MAX},
      {"last", 5},
      {"mem", std::nullopt},
      {"lock", std::nullopt},
      {"empty", std::nullopt},
      {"word", std::nullopt},
      {"too_much", std::nullopt},
      {"absent", std::nullopt},
      {"memlock:", std::nullopt},
  };
  for (const auto& row : kTable) EXPECT_EQ(parse_fdinfo(kText, row.field), row.expected) << row.field;
}

TEST(ParseFdinfo, FindsNothingInNothing) {
  EXPECT_EQ(parse_fdinfo("", "pos"), std::nullopt);
  EXPECT_EQ(parse_fdinfo("\n\n", "pos"), std::nullopt);
  EXPECT_EQ(parse_fdinfo("pos", "pos"), std::nullopt);
}

TEST(ParseFdinfo, DoesNotRunOnIntoTheNextLine) {
  EXPECT_EQ(parse_fdinfo("empty:\n5\n", "empty"), std::nullopt);
}

TEST(ReadFdinfo, ReadsOwnDescriptors) {
  const UniqueFd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto position = read_fdinfo(null.get(), "pos");
  ASSERT_EQ(fault(position), "");
  EXPECT_EQ(*position, 0U);
  const auto absent = read_fdinfo(null.get(), "memlock");
  ASSERT_EQ(fault(absent), "");
  EXPECT_EQ(*absent, std::nullopt);
}

TEST(ReadFdinfo, FailsForADescriptorThatIsNotOpen) {
  EXPECT_THAT(read_fdinfo(-1, "pos"), FailsWith(ENOENT));
}

}  // namespace
}  // namespace devmap
