// Runs what README.md shows.
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <harness/examples/snippets/egress.skel.h>
#include <harness/examples/snippets/forward.skel.h>
#include <harness/examples/snippets/redirect.skel.h>
#include <harness/examples/snippets/ports.hpp>
#include <harness/examples/tests/wiring.hpp>
#include <harness/net/frame.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace devmap::examples {
namespace {

using Address = std::array<std::uint8_t, 6>;

/// A libbpf skeleton, opened at first.
template <class Object, Object* (*Open)(), int (*Load)(Object*), void (*Destroy)(Object*)>
class Skeleton {
 public:
  Skeleton() : object_(Open()) {
    if (object_ == nullptr) throw std::runtime_error("the object cannot be opened");
  }
  Skeleton(const Skeleton&) = delete;
  Skeleton& operator=(const Skeleton&) = delete;
  ~Skeleton() { Destroy(object_); }
  void load() {
    if (const int error = Load(object_); error != 0) throw std::runtime_error("load: " + errno_name(-error));
  }
  Object* operator->() const { return object_; }

 private:
  Object* object_;
};
using Redirect = Skeleton<redirect, redirect__open, redirect__load, redirect__destroy>;
using Forward = Skeleton<forward, forward__open, forward__load, forward__destroy>;
using Egress = Skeleton<egress, egress__open, egress__load, egress__destroy>;

/// A second handle of the skeleton's program, for the harness.
Program program_of(const bpf_program* program) {
  return Program::adopt(UniqueFd(fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0)));
}

XdpLink attach(const bpf_program* program, const Port& port) {
  return must(XdpLink::create(program_of(program), {.ifindex = port.index(), .flags = XDP_FLAGS_DRV_MODE}));
}

std::uint32_t verdict(const bpf_program* program) {
  return must(program_of(program).test_run({.repeat = 1, .data_in = make_frame()})).return_value;
}

void write_address(std::vector<std::byte>& frame, std::size_t offset, const Address& address) {
  std::ranges::transform(address, frame.begin() + static_cast<std::ptrdiff_t>(offset),
                         [](std::uint8_t part) { return std::byte{part}; });
}

std::vector<std::byte> frame_between(const Address& to, const Address& from) {
  auto frame = make_frame();
  write_address(frame, 0, to);
  write_address(frame, to.size(), from);
  return frame;
}

class Snippets : public InOwnNamespace {};

TEST_F(Snippets, RedirectByIndexAndByMapReachTheSameDevice) {
  const Port in("in");
  const Port out("out");
  Redirect snippet;
  snippet->rodata->out_ifindex = out.index();
  snippet.load();
  const int tx_port = bpf_map__fd(snippet->maps.tx_port);
  EXPECT_EQ(verdict(snippet->progs.by_map), XDP_PASS) << "the slot is empty";
  ASSERT_EQ(set_port(tx_port, 0, "out"), 0);
  for (const auto* program : {snippet->progs.by_index, snippet->progs.by_map}) {
    EXPECT_EQ(verdict(program), XDP_REDIRECT);
    const auto attached = attach(program, in);
    in.send(make_frame());
    EXPECT_EQ(out.receive(), make_frame());
  }
}

TEST_F(Snippets, SetPortRefusesAnUnknownName) {
  Redirect snippet;
  snippet.load();
  const int tx_port = bpf_map__fd(snippet->maps.tx_port);
  ASSERT_EQ(set_port(tx_port, 0, "lo"), 0);
  EXPECT_EQ(set_port(tx_port, 0, "nosuch"), -ENODEV);
  EXPECT_EQ(verdict(snippet->progs.by_map), XDP_REDIRECT) << "the entry is still there";
  EXPECT_EQ(set_port(tx_port, 64, "lo"), -E2BIG);
}

//     station a --- port a --.
//     station b --- port b --+-- forward
//     station c --- port c --'
TEST_F(Snippets, ForwardFloodsWhatItDoesNotKnowAndLearns) {
  const Address station_a{0x02, 0, 0, 0, 0, 0x0a};
  const Address station_b{0x02, 0, 0, 0, 0, 0x0b};
  const Port a("a");
  const Port b("b");
  const Port c("c");
  Forward snippet;
  snippet.load();
  const int ports = bpf_map__fd(snippet->maps.ports);
  ASSERT_EQ(set_port(ports, a.index(), "a"), 0);
  ASSERT_EQ(set_port(ports, b.index(), "b"), 0);
  ASSERT_EQ(set_port(ports, c.index(), "c"), 0);
  const std::array attached{attach(snippet->progs.forward, a), attach(snippet->progs.forward, b),
                            attach(snippet->progs.forward, c)};

  const auto question = frame_between(station_b, station_a);
  a.send(question);
  EXPECT_EQ(b.receive(), question);
  EXPECT_EQ(c.receive(), question);
  EXPECT_TRUE(a.silent()) << "not back to where it came from";

  const auto answer = frame_between(station_a, station_b);
  b.send(answer);
  EXPECT_EQ(a.receive(), answer);
  EXPECT_TRUE(c.silent()) << "the place of station a is known";

  const auto behind_the_same_port = frame_between(station_a, station_a);
  a.send(behind_the_same_port);
  a.send(question);
  EXPECT_EQ(b.receive(), question);
  EXPECT_TRUE(a.silent());
  EXPECT_TRUE(c.silent());
}

TEST_F(Snippets, EgressProgramFinishesTheFrame) {
  const Address own{0x02, 0, 0, 0, 0, 0x77};
  const Port in("in");
  const Port out("out");
  Egress snippet;
  snippet.load();
  const int ports = bpf_map__fd(snippet->maps.ports);
  ASSERT_EQ(set_port_with_program(ports, 0, out.index(), bpf_program__fd(snippet->progs.finish)), 0);
  const auto ifindex = out.index();
  ASSERT_EQ(bpf_map_update_elem(bpf_map__fd(snippet->maps.own_address), &ifindex, own.data(), BPF_ANY), 0);
  const auto attached = attach(snippet->progs.choose, in);
  auto finished = make_frame();
  write_address(finished, own.size(), own);
  in.send(make_frame());
  EXPECT_EQ(out.receive(), finished);

  ASSERT_EQ(replace_program(ports, 0, 0), 0);  // none
  in.send(make_frame());
  EXPECT_EQ(out.receive(), make_frame());
  EXPECT_EQ(replace_program(ports, 1, 0), -ENOENT);
}

}  // namespace
}  // namespace devmap::examples
