#pragma once

#include <cstdint>

// How a loader fills device maps. Each function returns 0 or -errno.
namespace devmap::examples {

/// Puts a device, given by name, into a map with 4-byte values.
int set_port(int map, std::uint32_t key, const char* name);

/// Puts a device and a program of attach type BPF_XDP_DEVMAP into a map with 8-byte values.
int set_port_with_program(int map, std::uint32_t key, std::uint32_t ifindex, int program_fd);

/// Replaces the program of an entry and keeps its device.
int replace_program(int map, std::uint32_t key, int program_fd);

}  // namespace devmap::examples
