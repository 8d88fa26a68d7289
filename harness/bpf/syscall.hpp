#pragma once

#include <linux/bpf.h>

#include <cstdint>

namespace devmap {

/// bpf(2) itself: the result, or -errno. `attr` is passed whole, as the installed kernel headers describe it; a kernel
/// that knows less of it refuses only what is not zero (kernel/bpf/syscall.c:bpf_check_uarg_tail_zero).
[[nodiscard]] long sys_bpf(bpf_cmd command, bpf_attr& attr) noexcept;

/// A pointer as bpf(2) takes it; one of 32 bits is followed by zeros, whatever its highest bit.
[[nodiscard]] inline std::uint64_t pointer_word(const void* pointer) noexcept {
  return reinterpret_cast<std::uintptr_t>(pointer);  // NOLINT(*-reinterpret-cast): the kernel's own convention
}

}  // namespace devmap
