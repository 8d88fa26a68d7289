#pragma once

#include <harness/bpf/devmap.hpp>
#include <harness/bpf/program.hpp>
#include <harness/bpf/tests/support.hpp>

#include <cerrno>

namespace devmap::testing_support {

/// Tests that make BPF objects; skipped where the user may not.
class BpfTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto map = DevMap::create({});
    if (map.error() == EPERM) GTEST_SKIP() << "may not use BPF: " << fault(map);
    ASSERT_EQ(fault(map), "");
  }

  /// A map of the kernel's defaults; the test ends where there is none.
  static DevMap make_map(const DevMap::Spec& spec = {}) { return DevMap::create(spec).expected().value(); }
  static Program make_program(const Assembler& instructions, const ProgramSpec& spec = {}) {
    return Program::load(spec, instructions.build().value()).expected().value();
  }
};

}  // namespace devmap::testing_support
