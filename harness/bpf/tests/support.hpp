#pragma once

#include <harness/base/tests/support.hpp>
#include <harness/bpf/reply.hpp>

#include <string>

// What the tests of everything that talks to the kernel share.
namespace devmap::testing_support {

/// The refusal of a call in words; empty where it was granted.
template <class T>
std::string fault(const Reply<T>& reply) {
  return reply ? "" : reply.asked().text() + " -> " + errno_name(reply.error()) + " " + reply.explanation();
}

/// A Reply that holds this errno.
MATCHER_P(IsRefusedWith, code, (negation ? "is not refused with " : "is refused with ") + errno_name(code)) {
  *result_listener << "which is " << (arg ? "granted" : errno_name(arg.error())) << " " << arg.explanation();
  return arg.error() == code;
}

}  // namespace devmap::testing_support
