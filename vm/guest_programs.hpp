#pragma once

#include <harness/base/error.hpp>
#include <vm/architecture.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace devmap::vm {

/// What runs in a guest, for the architecture of both.
struct GuestPrograms {
  /// The guest's init, an executable.
  std::string init = {};
  /// The suite, a static executable without what is not loaded.
  std::string suite = {};
};

/// Where the programs for an architecture are looked for, best first, from the directory of this program:
///   as they were built      devmap-conformance or ../cases/devmap-conformance, for the architecture of this build;
///                           ../../cross-ARCHITECTURE/{cases/devmap-conformance,vm/devmap-vm-init}, by scripts/cross
///   as they were installed  ../libexec/devmap-conformance/ARCHITECTURE/{devmap-conformance,devmap-vm-init}
struct ProgramPlaces {
  std::vector<std::filesystem::path> suite = {};
  std::vector<std::filesystem::path> init = {};
};
[[nodiscard]] ProgramPlaces program_places(const std::filesystem::path& here, const Architecture& architecture);

/// The programs for a guest with a kernel of the one architecture and a suite of the other. The suite is the file that
/// is asked for, which then says itself what it is for, or else the one in its place. Fails where there is none, or it
/// is none that the kernel can run.
[[nodiscard]] Expected<GuestPrograms> read_guest_programs(const Architecture& kernel, const Architecture& suite,
                                                          const std::string& asked);

/// Where the benchmarks (devmap-bench) are, beside this program or where both were built; they too are a program that
/// read_guest_programs takes. Fails where there are none.
[[nodiscard]] Expected<std::string> find_benchmarks();

}  // namespace devmap::vm
