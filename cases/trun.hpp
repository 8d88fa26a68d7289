#pragma once

#include <harness/spec/case.hpp>
#include <harness/spec/registry.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace devmap::cases {

// Parts of the chapter TRUN that are in files of their own, in the order in which the kernel checks.
void add_trun_live_batch_size(Registry& rules);
void add_trun_context_rules(Registry& rules);
void add_trun_live_refused_outputs(Registry& rules);
void add_trun_live_frame_size(Registry& rules);
void add_trun_device_rules(Registry& rules);
void add_trun_live_rules(Registry& rules);

inline const std::string kTestRunXdp = "net/bpf/test_run.c:bpf_prog_test_run_xdp";
inline constexpr KernelVersion kTestRunContextSince{.major = 5, .minor = 15};
inline constexpr KernelVersion kLiveFramesSince{.major = 5, .minor = 18};
/// The release whose test runs take data_end for the size of the linear part of the frame, and the stable releases
/// that do so as well.
inline constexpr KernelVersion kLinearSizeSince{.major = 6, .minor = 18};
inline const std::vector<KernelVersion> kLinearSizeBackports = {{.major = 6, .minor = 1, .patch = 161},
                                                                {.major = 6, .minor = 6, .patch = 121},
                                                                {.major = 6, .minor = 12, .patch = 66}};
inline const std::string kLinearSizeCommit = "fe9544ed1a2e";

enum class RunKind : std::uint8_t { plain, live };

/// The flags of that kind of test run.
[[nodiscard]] constexpr std::uint32_t flags_of(RunKind kind) {
  return kind == RunKind::live ? BPF_F_TEST_XDP_LIVE_FRAMES : 0;
}

/// The context of a frame of this many bytes, as BPF_PROG_TEST_RUN wants it: data is the length of the metadata that
/// the frame begins with, data_end the length of both.
[[nodiscard]] inline xdp_md context_of(std::span<const std::byte> frame) {
  xdp_md context{};
  context.data_end = static_cast<std::uint32_t>(frame.size());
  return context;
}

/// A test run of one frame with this context; the reply is worded by the context.
[[nodiscard]] Reply<TestRunResult> run_with_context(const Program& program, std::span<const std::byte> frame,
                                                    const xdp_md& context, RunKind kind = RunKind::plain);

/// The same reply, worded so.
template <class T>
[[nodiscard]] Reply<T> worded_as(const Asked& asked, Reply<T> reply) {
  if (!reply) return Reply<T>::refused(asked, reply.error(), reply.explanation());
  return Reply<T>::granted(asked, std::move(reply).value());
}

}  // namespace devmap::cases
