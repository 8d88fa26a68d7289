#pragma once

#include <harness/base/error.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// What differs by architecture.
struct Architecture {
  /// As Debian calls it: "amd64", "s390x".
  std::string_view name;
  /// QEMU's program, and the package it comes in.
  std::string_view qemu;
  std::string_view qemu_package;
  /// QEMU's -machine and -cpu.
  std::string_view machine;
  std::string_view cpu;
  /// QEMU's threads for a guest's processors: "single" for one for all of them, "multi" for one each. With one each,
  /// code that a kernel patches may be run as it was before, as seen on amd64 (Oops: int3). With one for all,
  /// processors of an armhf or a riscv64 guest wait for each other for ever, the one in WFI and the other spinning.
  std::string_view tcg_threads;
  /// The console's device in the guest.
  std::string_view console;
  /// How virtio devices are attached, as QEMU's devices end: "pci", "ccw".
  std::string_view virtio_bus;
  /// What a guest gets where nothing is said. One processor of an armhf guest does the work of two seven times as fast:
  /// they wait for each other for seconds.
  unsigned cpus = 2;
  unsigned memory_mib;
  /// How long a check may take in a guest. It takes several times as long as where there is KVM, and longer still with
  /// other guests beside; and when a program goes, an armhf kernel flushes every page between modules and vmalloc from
  /// the TLB (mm/vmalloc.c:_vm_unmap_aliases), which takes QEMU a second, one program after the other.
  unsigned check_limit_s = 60;
  /// EI_CLASS, EI_DATA and e_machine of its ELF files.
  std::uint8_t elf_class;
  std::uint8_t elf_data;
  std::uint16_t elf_machine;
  /// The architecture whose programs its kernels run besides their own; empty for none.
  std::string_view also_runs;

  /// Whether its kernels run programs of the other.
  [[nodiscard]] bool runs(const Architecture& programs) const {
    return programs.name == name || programs.name == also_runs;
  }
};

/// All that are known.
[[nodiscard]] std::span<const Architecture> architectures();

/// Null where there is none of this name.
[[nodiscard]] const Architecture* architecture_named(std::string_view name);

/// The names of all, for a person: "amd64, arm64, ...".
[[nodiscard]] std::string architecture_names();

/// The architecture of those whose packages and kernels are taken where nothing is said.
[[nodiscard]] const Architecture& usual_architecture();

/// What an ELF file is for; null where the content is none, or for another architecture.
[[nodiscard]] const Architecture* architecture_of(std::string_view elf);

}  // namespace devmap::vm
