#pragma once

#include <harness/base/tests/support.hpp>
#include <harness/spec/case.hpp>
#include <harness/spec/registry.hpp>

#include <functional>
#include <string>
#include <utility>

// Rules to try the machinery on.
namespace devmap::testing_support {

inline void hold(Case& c) {
  c.holds("what always holds", true);
}
inline void not_hold(Case& c) {
  c.equals("one and one", 1 + 1, 3);
}

/// A sound rule with a single check.
inline Rule make_rule(std::string id, std::function<void(Case&)> check = hold) {
  return {.id = std::move(id),
          .states = "A sentence about device maps.",
          .source = {"kernel/bpf/devmap.c:function"},
          .variants = once(),
          .check = std::move(check)};
}

}  // namespace devmap::testing_support
