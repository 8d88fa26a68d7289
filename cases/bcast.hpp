#pragma once

#include <linux/bpf.h>
#include <cases/traffic.hpp>

#include <cstdint>

// What the files of the chapter bcast share.
namespace devmap::cases {

inline constexpr std::uint64_t kToAll = BPF_F_BROADCAST;
inline constexpr std::uint64_t kToOthers = BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS;

/// Runs a main program that broadcasts every frame over the map.
struct Broadcast {
  std::uint64_t flags = kToAll;
  std::uint32_t key = 0;
  ProgramSpec program = {};
};
void broadcast(Traffic& t, const DevMap& map, const Broadcast& how = {});

}  // namespace devmap::cases
