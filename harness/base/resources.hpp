#pragma once

#include <harness/base/error.hpp>

#include <cstdint>

namespace devmap {

/// The machine's memory in bytes, used or not.
[[nodiscard]] std::uint64_t total_memory() noexcept;

/// Sets how much memory this process may lock (RLIMIT_MEMLOCK), in bytes.
[[nodiscard]] Expected<void> limit_locked_memory(std::uint64_t bytes);

/// Makes sure that this process may use descriptors of this number (RLIMIT_NOFILE), as far as the machine allows.
[[nodiscard]] Expected<void> allow_descriptor(int fd);

/// Keeps the calling thread on the CPU it runs on.
[[nodiscard]] Expected<void> stay_on_this_cpu();

}  // namespace devmap
