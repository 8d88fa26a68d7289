#pragma once

#include <harness/base/error.hpp>
#include <harness/bpf/map.hpp>
#include <harness/bpf/program.hpp>
#include <harness/bpf/reply.hpp>

#include <cstdint>
#include <string>

// The ways programs have of walking maps. The programs are in harness/bpf/programs.
namespace devmap {

/// A program that is run for each element of a map it is attached to (iter/bpf_map_elem, 5.9). Needs the kernel's own
/// type information.
class ElementIterator {
 public:
  [[nodiscard]] static Reply<ElementIterator> load();
  /// BPF_LINK_CREATE for this map (kernel/bpf/map_iter.c:bpf_iter_attach_map); the link is given up at once.
  [[nodiscard]] Reply<> attach(const Map& map) const;

 private:
  explicit ElementIterator(Program program) : program_(std::move(program)) {}
  Program program_;
};

/// An XDP program that calls bpf_for_each_map_elem (5.13) on this map. The explanation of a refusal is the verifier
/// log.
[[nodiscard]] Reply<Program> load_for_each_element(const Map& map);

/// What the walk over all maps of the system (iter/bpf_map, 5.8) finds of one of them.
struct ListedMap {
  /// How often the walk came by; the rest is of the last time.
  std::uint32_t times_found = 0;
  std::uint32_t type = 0;
  std::uint32_t key_size = 0;
  std::uint32_t value_size = 0;
  std::uint32_t max_entries = 0;
  std::uint32_t map_flags = 0;
  std::string name = {};
};

/// Walks over all maps and reports what was found of the map with this id. Needs the kernel's own type information.
[[nodiscard]] Reply<ListedMap> list_map(std::uint32_t id);

}  // namespace devmap
