#pragma once

#include <linux/bpf.h>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/reply.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace devmap {

/// BPF_F_XDP_DEV_BOUND_ONLY of include/uapi/linux/bpf.h, which the headers of Linux 6.1 lack.
inline constexpr std::uint32_t kXdpDevBoundOnly = 1U << 6;

/// The attributes of BPF_PROG_LOAD that the rules vary.
struct ProgramSpec {
  std::uint32_t type = BPF_PROG_TYPE_XDP;
  std::uint32_t expected_attach_type = 0;
  /// BPF_F_* of program loading: BPF_F_XDP_HAS_FRAGS, BPF_F_SLEEPABLE, BPF_F_XDP_DEV_BOUND_ONLY.
  std::uint32_t flags = 0;
  /// The device a device-bound program belongs to.
  std::uint32_t ifindex = 0;
  std::uint32_t attach_btf_id = 0;
  std::string name = {};
  std::string license = "GPL";
  std::uint32_t btf_fd = 0;
  std::span<const bpf_func_info> function_info = {};
  /// What the program does, in words for the evidence; the kernel does not see it.
  std::string purpose = {};
};

/// BPF_PROG_TEST_RUN, word by word. A size of 0 with an empty span sends no buffer at all.
struct TestRun {
  std::uint32_t repeat = 0;
  std::uint32_t flags = 0;
  std::uint32_t cpu = 0;
  std::uint32_t batch_size = 0;
  std::span<const std::byte> data_in = {};
  /// Room for the frame the program leaves; 0 asks for none.
  std::size_t data_out_room = 0;
  std::span<const std::byte> context_in = {};
  /// Room for the context the program leaves; 0 asks for none.
  std::size_t context_out_room = 0;
};

struct TestRunResult {
  std::uint32_t return_value = 0;
  std::uint32_t duration_ns = 0;
  /// The frame as far as there was room for it, and its whole size in bytes.
  std::vector<std::byte> data_out;
  std::uint32_t data_out_size = 0;
  std::vector<std::byte> context_out;
  std::uint32_t context_out_size = 0;
};

/// BPF_OBJ_GET_INFO_BY_FD of a program, as far as rules look at it.
struct ProgramInfo {
  std::uint32_t id, type, ifindex;
  std::string name;
  std::uint32_t jited_length;
  /// How often it was run while the kernel counted (BPF_ENABLE_STATS, kernel.bpf_stats_enabled).
  std::uint64_t run_count;
  /// The instructions after the verifier's rewriting; empty where the caller may not see them.
  std::vector<bpf_insn> translated;
};

/// A loaded program.
class Program {
 public:
  /// Where the kernel refuses, the program is offered once more for the verifier log, which is then the explanation;
  /// the errno is that of the first attempt.
  [[nodiscard]] static Reply<Program> load(const ProgramSpec& spec, std::span<const bpf_insn> instructions);
  /// Takes over the descriptor of a program loaded elsewhere (a libbpf skeleton).
  [[nodiscard]] static Program adopt(UniqueFd fd) { return Program(std::move(fd)); }

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  void close() noexcept { fd_.reset(); }

  [[nodiscard]] Reply<ProgramInfo> info() const;
  /// How often the kernel has not run the program because another one, or a bpf(2) call about a map, was at work on the
  /// same CPU (recursion_misses of bpf_prog_info, 5.12).
  [[nodiscard]] Reply<std::uint64_t> recursion_misses() const;
  /// BPF_PROG_BIND_MAP (5.10): the program holds the map from now on, without using it.
  [[nodiscard]] Reply<> bind(const Map& map) const;
  /// BPF_PROG_ATTACH; what `target` is (a descriptor, an ifindex) depends on the attach type.
  [[nodiscard]] Reply<> attach(std::uint32_t target, std::uint32_t attach_type) const;
  /// `written_back`, where given, receives what the kernel wrote also when it refused (ENOSPC).
  [[nodiscard]] Reply<TestRunResult> test_run(const TestRun& run, TestRunResult* written_back = nullptr) const;

 private:
  explicit Program(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// BPF_PROG_GET_FD_BY_ID, the descriptor closed again: whether anything still holds the program.
[[nodiscard]] Reply<> program_held(std::uint32_t id);
/// The same of a map.
[[nodiscard]] Reply<> map_held(std::uint32_t id);

}  // namespace devmap
