#pragma once

#include <sched.h>

#include <gtest/gtest.h>
#include <harness/base/error.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/link.hpp>
#include <harness/net/packet_socket.hpp>
#include <harness/net/xdp_link.hpp>

#include <linux/if_link.h>

#include <chrono>
#include <cstddef>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace devmap::examples {

/// How long a frame may take before it counts as lost.
inline constexpr std::chrono::seconds kLongWait{5};

/// The value of a set-up step; one that fails ends the test.
template <class T>
T must(Expected<T> step) {
  if (!step) throw std::runtime_error(step.error().text());
  if constexpr (!std::is_void_v<T>) return std::move(*step);
}
template <class T>
T must(Reply<T> reply) {
  return must(std::move(reply).expected());
}

/// A test in a network namespace of its own, which the programs it starts share. Namespaces of earlier tests go when
/// nothing is left in them.
class InOwnNamespace : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(unshare(CLONE_NEWNET), 0) << last_error("unshare", "needs root").error().text(); }
};

/// A veth pair: `port` is what the program under test works with, `wire` the far end, where the test sends and hears.
/// A program that passes everything sits on the wire's end, without which the kernel would lose redirected frames (see
/// "Common traps" in README.md).
///
///     test: wire <====> port
class Port {
 public:
  explicit Port(const std::string& name)
      : pair_(must(create_veth({.first_name = name, .second_name = name + "-wire"}))),
        pass_(must(Program::load({}, must(Assembler().return_value(XDP_PASS).build())))),
        link_(must(XdpLink::create(pass_, {.ifindex = pair_.second, .flags = XDP_FLAGS_DRV_MODE}))),
        wire_(must(PacketSocket::open(pair_.second))) {}

  [[nodiscard]] std::uint32_t index() const { return pair_.first; }
  void send(const std::vector<std::byte>& frame) const { must(wire_.send(frame)); }
  [[nodiscard]] std::optional<std::vector<std::byte>> receive() const { return must(wire_.receive(kLongWait)); }
  /// Whether nothing more has come out here so far.
  [[nodiscard]] bool silent() const { return !must(wire_.receive(std::chrono::milliseconds(0))); }

 private:
  VethPair pair_;
  Program pass_;
  XdpLink link_;
  PacketSocket wire_;
};

}  // namespace devmap::examples
