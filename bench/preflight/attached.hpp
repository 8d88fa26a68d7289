#pragma once

#include <harness/base/error.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace devmap::bench {

/// What BPF programs are attached to: "tracepoint xdp_redirect", with by what means.
struct AttachedTo {
  std::string name = {};
  std::string means = {};
};

/// What perf events and raw tracepoints with BPF programs listen to, of all processes seen in /proc
/// (BPF_TASK_FD_QUERY, kernel/bpf/syscall.c:bpf_task_fd_query). Needs CAP_SYS_ADMIN.
[[nodiscard]] Expected<std::vector<AttachedTo>> attached_by_descriptors();

/// What BPF links to raw tracepoints are about, on the whole machine (BPF_LINK_GET_NEXT_ID). Needs CAP_SYS_ADMIN.
[[nodiscard]] Expected<std::vector<AttachedTo>> attached_by_links();

/// How many XDP programs are loaded on the whole machine. Needs CAP_SYS_ADMIN.
[[nodiscard]] Expected<std::size_t> loaded_xdp_programs();

}  // namespace devmap::bench
