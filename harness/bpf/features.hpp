#pragma once

#include <harness/bpf/feature.hpp>

// What rules may need, each probed by what the kernel does.
namespace devmap::features {

/// BPF_PROG_TEST_RUN sends frames (BPF_F_TEST_XDP_LIVE_FRAMES, 5.18). Kernels without it ignore the flag, so success
/// says nothing: a live run writes 0 back as the program's result, a plain run the program's own.
[[nodiscard]] Feature live_frames();
/// BPF_PROG_TEST_RUN takes a context for XDP programs (5.15).
[[nodiscard]] Feature test_run_context();
/// Programs for frames in several buffers can be loaded (BPF_F_XDP_HAS_FRAGS, 5.18).
[[nodiscard]] Feature frags_programs();
/// Programs that user space runs by a system call can be loaded (BPF_PROG_TYPE_SYSCALL, 5.14); they may always sleep.
[[nodiscard]] Feature syscall_programs();
/// kernel.unprivileged_bpf_disabled is not 0.
[[nodiscard]] Feature restricted_unprivileged_bpf();
/// kernel.unprivileged_bpf_disabled is 0.
[[nodiscard]] Feature unrestricted_unprivileged_bpf();
/// A control group that counts memory can be made.
[[nodiscard]] Feature memory_cgroup();
/// The memory of maps is counted in such a group, so that the group's limit bounds it.
[[nodiscard]] Feature maps_in_memory_cgroup();
/// The machine has less memory than this many bytes, so that a request for as many fails at once.
[[nodiscard]] Feature memory_below(std::uint64_t bytes);
/// The kernel describes its own types (/sys/kernel/btf/vmlinux).
[[nodiscard]] Feature kernel_btf();
/// Programs can walk the elements of maps (iter/bpf_map_elem, 5.9).
[[nodiscard]] Feature element_iterators();
/// Programs can walk all maps (iter/bpf_map, 5.8).
[[nodiscard]] Feature map_iterators();
/// Tracing programs can be loaded (CONFIG_BPF_EVENTS).
[[nodiscard]] Feature tracing_programs();
/// Calls in the instructions that the kernel gives back show where they go. Without CAP_SYSLOG, or with
/// kernel.kptr_restrict 2, their distances are blanked (kernel/bpf/syscall.c:bpf_insn_prepare_dump).
[[nodiscard]] Feature visible_call_targets();
/// Programs can have the kernel call functions of theirs (bpf_for_each_map_elem, 5.13). Where a JIT compiler does not
/// know such functions, the verifier refuses them.
[[nodiscard]] Feature callbacks();
/// Programs are compiled, not interpreted.
[[nodiscard]] Feature jit();
/// The helper bpf_get_smp_processor_id. Where the JIT compiler has its own for it and is off, as on riscv64, kernels
/// refuse the call (kernel/bpf/verifier.c:bpf_jit_inlines_helper_call).
[[nodiscard]] Feature processor_number();

/// This process may run on two processors at once.
[[nodiscard]] Feature two_processors();
/// A pointer of the running kernel has so many bits, whatever this program's have (uname(2)).
[[nodiscard]] Feature kernel_of_64_bits();
[[nodiscard]] Feature kernel_of_32_bits();
/// The machine is an x86-64 (uname(2)).
[[nodiscard]] Feature x86_64();

}  // namespace devmap::features
