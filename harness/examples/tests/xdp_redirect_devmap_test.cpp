// The example as a user runs it:
//
//     test: in-wire <====> in --[xdp_redirect_devmap in out]--> out <====> out-wire :test
//
#include <bpf/libbpf.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/prctl.h>
#include <harness/base/wait.hpp>
#include <harness/examples/tests/wiring.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/process.hpp>
#include <boost/process/extend.hpp>
#include <iterator>
#include <set>

namespace devmap::examples {
namespace {

using testing::Eq;

namespace process = boost::process;

/// CAP_* of linux/capability.h.
using Capabilities = std::set<int>;

/// The example, running.
class Example {
 public:
  explicit Example(const std::vector<std::string>& arguments)
      : child_(process::exe = DEVMAP_EXAMPLE, process::args = arguments, process::std_out > out_,
               process::std_err > err_) {}

  /// Root with these capabilities only.
  Example(const std::vector<std::string>& arguments, const Capabilities& kept)
      : child_(
            process::exe = DEVMAP_EXAMPLE, process::args = arguments, process::std_out > out_, process::std_err > err_,
            process::extend::on_exec_setup = [&kept](auto&) {
              for (int capability = 0; capability <= CAP_LAST_CAP; ++capability) {
                if (!kept.contains(capability)) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
              }
            }) {}

  /// The next line of its output, waited for; empty where it has ended.
  std::string line() {
    std::string text;
    std::getline(out_, text);
    return text;
  }
  /// Reads until it says exactly this; false where it has ended before.
  bool says(const std::string& expected) {
    for (auto said = line(); !said.empty(); said = line()) {
      if (said == expected) return true;
    }
    return false;
  }
  /// The last line of its output, waited for.
  std::string last_line() {
    std::string last;
    for (auto said = line(); !said.empty(); said = line()) last = said;
    return last;
  }
  void signal(int number) { ASSERT_EQ(kill(child_.id(), number), 0); }
  /// Its exit code, waited for; minus the signal's number where one ended it.
  int exit_code() {
    child_.wait();
    const int status = child_.native_exit_code();
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  }
  std::string errors() { return {std::istreambuf_iterator<char>(err_), {}}; }

 private:
  process::ipstream out_;
  process::ipstream err_;
  process::child child_;
};

/// Whether any XDP program is on the device.
bool has_program(std::uint32_t ifindex) {
  std::uint32_t id = 0;
  if (const int error = bpf_xdp_query_id(static_cast<int>(ifindex), 0, &id); error != 0) {
    throw std::runtime_error("bpf_xdp_query_id: " + errno_name(-error));
  }
  return id != 0;
}

class Forwarding : public InOwnNamespace {
 protected:
  void SetUp() override {
    InOwnNamespace::SetUp();
    if (HasFatalFailure()) return;
    in_.emplace("in");
    out_.emplace("out");
  }

  /// Sends frames at `in` and finds each at `out`.
  void send_through(int frames) {
    for (int i = 0; i < frames; ++i) {
      const auto frame = make_frame(kShortestFrame, static_cast<std::uint8_t>(i));
      in_->send(frame);
      EXPECT_THAT(out_->receive(), Eq(frame)) << "frame " << i;
    }
  }

  [[nodiscard]] bool clean() const { return !has_program(in_->index()) && !has_program(out_->index()); }

  std::optional<Port> in_;
  std::optional<Port> out_;
};

TEST_F(Forwarding, DeliversFramesAndDetachesOnCtrlC) {
  Example example({"in", "out"});
  EXPECT_EQ(example.line(), "redirecting in -> out (native)");
  EXPECT_TRUE(has_program(in_->index()));
  send_through(10);
  EXPECT_TRUE(in_->silent()) << "nothing may go back";
  EXPECT_TRUE(example.says("so far: 10 frames, 600 bytes redirected, 0 missed"));
  example.signal(SIGINT);
  EXPECT_EQ(example.last_line(), "in all: 10 frames, 600 bytes redirected, 0 missed");
  EXPECT_EQ(example.exit_code(), 0);
  EXPECT_EQ(example.errors(), "");
  EXPECT_TRUE(clean());
}

TEST_F(Forwarding, WorksInGenericMode) {
  Example example({"--generic", "in", "out"});
  EXPECT_EQ(example.line(), "redirecting in -> out (generic)");
  send_through(10);
  example.signal(SIGTERM);
  EXPECT_EQ(example.last_line(), "in all: 10 frames, 600 bytes redirected, 0 missed");
  EXPECT_EQ(example.exit_code(), 0);
  EXPECT_TRUE(clean());
}

TEST_F(Forwarding, EndsByItselfAfterTheFramesAskedFor) {
  Example example({"--count", "3", "in", "out"});
  EXPECT_EQ(example.line(), "redirecting in -> out (native)");
  send_through(3);
  EXPECT_EQ(example.last_line(), "in all: 3 frames, 180 bytes redirected, 0 missed");
  EXPECT_EQ(example.exit_code(), 0);
  EXPECT_TRUE(clean());
}

TEST_F(Forwarding, CountsFramesWhoseTargetIsGone) {
  Example example({"in", "out"});
  EXPECT_EQ(example.line(), "redirecting in -> out (native)");
  must(delete_link(out_->index()));
  in_->send(make_frame());
  EXPECT_TRUE(example.says("so far: 0 frames, 0 bytes redirected, 1 missed"));
  example.signal(SIGINT);
  EXPECT_EQ(example.last_line(), "in all: 0 frames, 0 bytes redirected, 1 missed");
  EXPECT_EQ(example.exit_code(), 0);
  EXPECT_FALSE(has_program(in_->index()));
}

TEST_F(Forwarding, LeavesNothingBehindWhenKilled) {
  Example example({"in", "out"});
  EXPECT_EQ(example.line(), "redirecting in -> out (native)");
  example.signal(SIGKILL);
  EXPECT_EQ(example.exit_code(), -SIGKILL);
  EXPECT_TRUE(wait_until([this] { return clean(); }, kLongWait));
}

TEST_F(Forwarding, LeavesAnotherProgramInPlace) {
  const auto other = must(Program::load({}, must(Assembler().return_value(XDP_PASS).build())));
  const auto link = must(XdpLink::create(other, {.ifindex = in_->index(), .flags = XDP_FLAGS_DRV_MODE}));
  Example example({"in", "out"});
  EXPECT_EQ(example.exit_code(), 70);
  EXPECT_EQ(example.errors(),
            "xdp_redirect_devmap: cannot attach to in, which has another XDP program: Device or resource busy\n");
  EXPECT_TRUE(has_program(in_->index()));
  EXPECT_FALSE(has_program(out_->index()));
}

TEST_F(Forwarding, NeedsTheCapabilitiesItNames) {
  Example without({"in", "out"}, Capabilities{});
  EXPECT_EQ(without.exit_code(), 70);
  EXPECT_EQ(without.errors(),
            "xdp_redirect_devmap: cannot load the BPF programs: Operation not permitted; it takes CAP_BPF, "
            "CAP_NET_ADMIN and CAP_PERFMON, or root\n");
  EXPECT_TRUE(clean());

  Example with({"in", "out"}, Capabilities{CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON});
  EXPECT_EQ(with.line(), "redirecting in -> out (native)");
  with.signal(SIGINT);
  EXPECT_EQ(with.exit_code(), 0);
}

struct Refused {
  std::string name;
  std::vector<std::string> arguments;
  int exit_code;
  std::string saying;
};

void PrintTo(const Refused& refused, std::ostream* out) {
  *out << refused.name;
}

class BadInput : public InOwnNamespace, public testing::WithParamInterface<Refused> {};

TEST_P(BadInput, IsOneLineAndAnExitCode) {
  Example example(GetParam().arguments);
  EXPECT_EQ(example.exit_code(), GetParam().exit_code);
  EXPECT_EQ(example.line(), "");
  EXPECT_EQ(example.errors(), "xdp_redirect_devmap: " + GetParam().saying + "\n");
}

INSTANTIATE_TEST_SUITE_P(
    Arguments, BadInput,
    testing::Values(
        Refused{"Nothing", {}, 64, "IN is required; see --help"},
        Refused{"NoOut", {"lo"}, 64, "OUT is required; see --help"},
        Refused{"TooMany", {"lo", "lo", "lo"}, 64, "The following argument was not expected: lo; see --help"},
        Refused{"UnknownIn", {"nosuch", "lo"}, 64, "there is no network device \"nosuch\""},
        Refused{"UnknownOut", {"lo", "nosuch"}, 64, "there is no network device \"nosuch\""},
        Refused{"CountOfNothing",
                {"--count", "0", "lo", "lo"},
                64,
                "--count: \"0\" is not a whole number above 0; see --help"},
        Refused{
            "NoCount", {"--count", "x", "lo", "lo"}, 64, "--count: \"x\" is not a whole number above 0; see --help"},
        Refused{"NoNativeMode",
                {"lo", "lo"},
                70,
                "cannot attach to lo in native mode (try --generic): Operation not supported"}),
    [](const auto& tested) { return tested.param.name; });

}  // namespace
}  // namespace devmap::examples
