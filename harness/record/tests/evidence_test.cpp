#include <harness/record/evidence.hpp>

#include <gtest/gtest.h>

namespace devmap {
namespace {

TEST(Evidence, IsWordedInOneLine) {
  const struct {
    Evidence evidence;
    const char* text;
  } kTable[] = {
      {{.did = "update(key 0)", .expected = "EEXIST", .observed = "EEXIST"}, "update(key 0) -> EEXIST"},
      {{.did = "update(key 0)", .expected = "EEXIST", .observed = "success", .as_expected = false},
       "update(key 0) -> success, expected EEXIST"},
      {{.role = Role::control, .did = "update(key 1)", .expected = "success", .observed = "success"},
       "control: update(key 1) -> success"},
      {{.role = Role::control,
        .did = "update(key 1)",
        .expected = "success",
        .observed = "EINVAL",
        .as_expected = false},
       "control: update(key 1) -> EINVAL, expected success"},
      {{.role = Role::note, .did = "the device has 2 queues"}, "the device has 2 queues"},
  };
  for (const auto& row : kTable) EXPECT_EQ(row.evidence.text(), row.text);
}

}  // namespace
}  // namespace devmap
