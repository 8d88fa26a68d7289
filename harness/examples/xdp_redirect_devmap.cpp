// Forwards every frame that one device receives to another, by XDP and a device map.
//
//     xdp_redirect_devmap [--generic] [--count N] IN OUT
//
//     wire --> IN --[redirect: tx_port[OUT_PORT]]--> OUT --> wire
//
// It stands alone: README.md says how to build a copy of this folder.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <exception>
#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "xdp_redirect_devmap.h"
#include "xdp_redirect_devmap.skel.h"

namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""s;

// Of sysexits.h.
constexpr int kUsage = 64;
constexpr int kFailed = 70;

/// Ends the program with a line for a person and an exit code.
struct Failure : std::runtime_error {
  Failure(int code, const std::string& line) : std::runtime_error(line), exit_code(code) {}
  int exit_code;
};

struct Options {
  bool generic = false;
  std::optional<std::uint64_t> count;
  std::string in;
  std::string out;
};

struct Device {
  std::string name;
  std::uint32_t index;
};

/// What is wrong with a number of frames; empty where nothing is.
std::string check_count(const std::string& text) {
  const bool digits_only = text.find_first_not_of("0123456789") == std::string::npos;
  const bool above_zero = text.find_first_not_of('0') != std::string::npos;
  return digits_only && above_zero ? "" : '"' + text + "\" is not a whole number above 0";
}

/// Nothing where the command line has been answered (--help).
std::optional<Options> parse(int argc, char** argv) {
  Options options;
  CLI::App app("Forwards every frame that IN receives to OUT, by XDP and a device map, until Ctrl-C.",
               "xdp_redirect_devmap");
  app.add_flag("--generic", options.generic, "SKB mode: slower, with any device");
  app.add_option("--count", options.count, "End when this many frames have been redirected")
      ->type_name("N")
      ->check(check_count);
  app.add_option("IN", options.in, "The device whose frames are redirected")->type_name("")->required();
  app.add_option("OUT", options.out, "The device they leave through")->type_name("")->required();
  app.footer("Exit codes: 0 ended as asked, 64 wrong arguments, 70 the kernel refused.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    throw Failure(kUsage, std::string(error.what()) + "; see --help");
  }
  return options;
}

Device find_device(const std::string& name) {
  const unsigned index = if_nametoindex(name.c_str());
  if (index == 0) throw Failure(kUsage, "there is no network device \"" + name + "\"");
  return {.name = name, .index = index};
}

[[noreturn]] void fail(const std::string& what, int code) {
  std::string line = what + ": " + std::strerror(code);
  if (code == EPERM) line += "; it takes CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON, or root";
  throw Failure(kFailed, line);
}

struct Destroy {
  void operator()(xdp_redirect_devmap* skeleton) const noexcept { xdp_redirect_devmap__destroy(skeleton); }
};
using Skeleton = std::unique_ptr<xdp_redirect_devmap, Destroy>;

Skeleton load() {
  libbpf_set_print(nullptr);  // what went wrong is said in one line, below
  Skeleton skeleton(xdp_redirect_devmap__open());
  if (!skeleton) fail("cannot open the BPF object", errno);
  if (const int error = xdp_redirect_devmap__load(skeleton.get()); error != 0) {
    fail("cannot load the BPF programs", -error);
  }
  return skeleton;
}

/// A program on a device. The kernel takes it off again when the descriptor is closed, however this process ends.
class Attachment {
 public:
  Attachment(const bpf_program* program, const Device& device, bool generic) {
    bpf_link_create_opts options{};
    options.sz = sizeof options;
    options.flags = generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE;
    fd_ = bpf_link_create(bpf_program__fd(program), static_cast<int>(device.index), BPF_XDP, &options);
    if (fd_ >= 0) return;
    std::string what = "cannot attach to " + device.name;
    if (-fd_ == EBUSY || -fd_ == EEXIST) what += ", which has another XDP program";
    if (-fd_ == EOPNOTSUPP && !generic) what += " in native mode (try --generic)";
    fail(what, -fd_);
  }
  Attachment(Attachment&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Attachment& operator=(Attachment&&) = delete;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
  ~Attachment() {
    if (fd_ >= 0) close(fd_);
  }

 private:
  int fd_;
};

bool has_native_program(const Device& device) {
  bpf_xdp_query_opts query{};
  query.sz = sizeof query;
  return bpf_xdp_query(static_cast<int>(device.index), 0, &query) == 0 && query.drv_prog_id != 0;
}

statistics sum_over_cpus(const bpf_map* counters) {
  const std::uint32_t first = 0;
  std::vector<statistics> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  const int error =
      bpf_map__lookup_elem(counters, &first, sizeof first, per_cpu.data(), per_cpu.size() * sizeof(statistics), 0);
  if (error != 0) fail("cannot read the statistics", -error);
  statistics sum{};
  for (const auto& own : per_cpu) {
    sum.frames += own.frames;
    sum.bytes += own.bytes;
    sum.missed += own.missed;
  }
  return sum;
}

void print(const char* when, const statistics& now) {
  std::cout << when << ": " << now.frames << " frames, " << now.bytes << " bytes redirected, " << now.missed
            << " missed" << std::endl;
}

/// SIGINT and SIGTERM, held back from now on so that none is lost: they are waited for.
sigset_t hold_back_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  return signals;
}

/// Waits for a signal, at most this long; says whether one came.
bool asked_to_end(const sigset_t& signals, std::chrono::milliseconds limit) {
  const timespec wait{.tv_sec = limit / 1s, .tv_nsec = std::chrono::nanoseconds(limit % 1s).count()};
  return sigtimedwait(&signals, nullptr, &wait) > 0;
}

void run(const Options& options) {
  const auto signals = hold_back_signals();
  const auto in = find_device(options.in);
  const auto out = find_device(options.out);
  const auto skeleton = load();

  const std::uint32_t key = OUT_PORT;
  if (const int error =
          bpf_map__update_elem(skeleton->maps.tx_port, &key, sizeof key, &out.index, sizeof out.index, BPF_ANY);
      error != 0) {
    fail("cannot put " + out.name + " into tx_port", -error);
  }
  std::vector<Attachment> attached;
  if (!options.generic && in.index != out.index && !has_native_program(out)) {
    attached.emplace_back(skeleton->progs.pass, out, options.generic);
  }
  attached.emplace_back(skeleton->progs.redirect, in, options.generic);
  std::cout << "redirecting " << in.name << " -> " << out.name << (options.generic ? " (generic)" : " (native)")
            << std::endl;

  constexpr auto kLook = 100ms;
  constexpr int kLooksPerLine = 10;
  for (int look = 1; !asked_to_end(signals, kLook); ++look) {
    const auto now = sum_over_cpus(skeleton->maps.counters);
    if (options.count && now.frames >= *options.count) break;
    if (look % kLooksPerLine == 0) print("so far", now);
  }
  attached.clear();
  print("in all", sum_over_cpus(skeleton->maps.counters));
}

}  // namespace

int main(int argc, char** argv) {
  int exit_code = kFailed;
  try {
    if (const auto options = parse(argc, argv)) run(*options);
    return 0;
  } catch (const Failure& failure) {
    exit_code = failure.exit_code;
    std::cerr << "xdp_redirect_devmap: " << failure.what() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "xdp_redirect_devmap: " << error.what() << std::endl;
  }
  return exit_code;
}
