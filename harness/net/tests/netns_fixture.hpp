#pragma once

#include <harness/bpf/tests/support.hpp>
#include <harness/net/netns.hpp>

#include <cerrno>
#include <functional>
#include <optional>

namespace devmap::testing_support {

/// Tests with a network namespace of their own; skipped where the user may not make one.
class NetNsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = NetNs::create();
    if (!made && made.error().code == EPERM) GTEST_SKIP() << "may not make a namespace: " << made.error().text();
    ASSERT_EQ(fault(made), "");
    apart_.emplace(std::move(*made));
  }

  /// Runs a part of the test inside the namespace; it may use assertions.
  void inside(const std::function<void()>& part) const { ASSERT_EQ(fault(apart_->run(part)), ""); }

 private:
  std::optional<NetNs> apart_;
};

}  // namespace devmap::testing_support
