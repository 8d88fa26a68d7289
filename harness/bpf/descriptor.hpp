#pragma once

#include <harness/bpf/reply.hpp>

#include <cstddef>
#include <span>
#include <string>

// File operations on any descriptor, as calls that can be judged (the kernel's side for maps:
// kernel/bpf/syscall.c:bpf_map_fops).
namespace devmap {

/// read(2); the number of bytes read.
[[nodiscard]] Reply<std::size_t> read_descriptor(int fd, std::span<std::byte> into);
/// write(2); the number of bytes written.
[[nodiscard]] Reply<std::size_t> write_descriptor(int fd, std::span<const std::byte> from);
/// mmap(2) of the first page, shared and read-only; undone at once.
[[nodiscard]] Reply<> map_descriptor(int fd);
/// poll(2) for reading and writing, without waiting; the events it reports: "POLLIN|POLLERR", "none".
[[nodiscard]] Reply<std::string> poll_descriptor(int fd);

}  // namespace devmap
