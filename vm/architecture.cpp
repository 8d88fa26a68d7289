#include <vm/architecture.hpp>

#include <elf.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>

namespace devmap::vm {
namespace {

// pseries as it comes asks for mitigations of the processor's flaws that QEMU's emulation does not have, and a firmware
// that x-vof does without.
constexpr std::string_view kPseries =
    "pseries,x-vof=on,cap-cfpc=broken,cap-sbbc=broken,cap-ibs=broken,cap-ccf-assist=off";

// Without what an emulator makes slow: string instructions that kernels prefer where they are said to be fast, a fifth
// level of page tables, and checks at every access to user space.
constexpr std::string_view kX86Processor = "max,-erms,-fsrm,-la57,-smap,-pku";

// Without what costs a call or a copy each: a signature in every function's frame, and vectors of 2048 bits.
constexpr std::string_view kArm64Processor = "max,pauth=off,sve=off,sme=off";

constexpr std::array kArchitectures = {
    Architecture{.name = "amd64",
                 .qemu = "qemu-system-x86_64",
                 .qemu_package = "qemu-system-x86",
                 .machine = "q35",
                 .cpu = kX86Processor,
                 .tcg_threads = "single",
                 .console = "ttyS0",
                 .virtio_bus = "pci",
                 .memory_mib = 512,
                 .elf_class = ELFCLASS64,
                 .elf_data = ELFDATA2LSB,
                 .elf_machine = EM_X86_64,
                 .also_runs = "i386"},
    Architecture{.name = "arm64",
                 .qemu = "qemu-system-aarch64",
                 .qemu_package = "qemu-system-arm",
                 .machine = "virt",
                 .cpu = kArm64Processor,
                 .tcg_threads = "single",
                 .console = "ttyAMA0",
                 .virtio_bus = "pci",
                 .memory_mib = 512,
                 .elf_class = ELFCLASS64,
                 .elf_data = ELFDATA2LSB,
                 .elf_machine = EM_AARCH64,
                 .also_runs = "armhf"},
    Architecture{.name = "armhf",
                 .qemu = "qemu-system-arm",
                 .qemu_package = "qemu-system-arm",
                 .machine = "virt,highmem=off",
                 .cpu = "max",
                 .tcg_threads = "multi",
                 .console = "ttyAMA0",
                 .virtio_bus = "pci",
                 .cpus = 1,
                 .memory_mib = 512,
                 .check_limit_s = 300,
                 .elf_class = ELFCLASS32,
                 .elf_data = ELFDATA2LSB,
                 .elf_machine = EM_ARM,
                 .also_runs = ""},
    Architecture{.name = "i386",
                 .qemu = "qemu-system-i386",
                 .qemu_package = "qemu-system-x86",
                 .machine = "q35",
                 .cpu = kX86Processor,
                 .tcg_threads = "single",
                 .console = "ttyS0",
                 .virtio_bus = "pci",
                 .memory_mib = 512,
                 .elf_class = ELFCLASS32,
                 .elf_data = ELFDATA2LSB,
                 .elf_machine = EM_386,
                 .also_runs = ""},
    Architecture{.name = "ppc64el",
                 .qemu = "qemu-system-ppc64",
                 .qemu_package = "qemu-system-ppc",
                 .machine = kPseries,
                 .cpu = "power9",
                 .tcg_threads = "single",
                 .console = "hvc0",
                 .virtio_bus = "pci",
                 .memory_mib = 1024,
                 .elf_class = ELFCLASS64,
                 .elf_data = ELFDATA2LSB,
                 .elf_machine = EM_PPC64,
                 .also_runs = ""},
    Architecture{.name = "riscv64",
                 .qemu = "qemu-system-riscv64",
                 .qemu_package = "qemu-system-misc",
                 .machine = "virt",
                 .cpu = "rv64",
                 .tcg_threads = "multi",
                 .console = "ttyS0",
                 .virtio_bus = "pci",
                 .memory_mib = 1024,
                 .elf_class = ELFCLASS64,
                 .elf_data = ELFDATA2LSB,
                 .elf_machine = EM_RISCV,
                 .also_runs = ""},
    Architecture{.name = "s390x",
                 .qemu = "qemu-system-s390x",
                 .qemu_package = "qemu-system-misc",
                 .machine = "s390-ccw-virtio",
                 .cpu = "max",
                 .tcg_threads = "single",
                 .console = "ttyS1",
                 .virtio_bus = "ccw",
                 .memory_mib = 512,
                 .elf_class = ELFCLASS64,
                 .elf_data = ELFDATA2MSB,
                 .elf_machine = EM_S390,
                 .also_runs = ""},
};

}  // namespace

std::span<const Architecture> architectures() {
  return kArchitectures;
}

const Architecture* architecture_named(std::string_view name) {
  const auto* const found = std::ranges::find(kArchitectures, name, &Architecture::name);
  return found == kArchitectures.end() ? nullptr : found;
}

std::string architecture_names() {
  std::vector<std::string_view> names;
  names.reserve(kArchitectures.size());
  for (const auto& architecture : kArchitectures) names.push_back(architecture.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

const Architecture& usual_architecture() {
  return kArchitectures.front();
}

const Architecture* architecture_of(std::string_view elf) {
  // Where e_machine lies is the same in files of 32 and of 64 bits.
  static_assert(offsetof(Elf32_Ehdr, e_machine) == offsetof(Elf64_Ehdr, e_machine));
  constexpr std::size_t kMachine = offsetof(Elf64_Ehdr, e_machine);
  if (!elf.starts_with(ELFMAG) || elf.size() < kMachine + 2) return nullptr;
  const auto byte = [elf](std::size_t at) { return static_cast<std::uint8_t>(elf[at]); };
  const bool is_big_endian = byte(EI_DATA) == ELFDATA2MSB;
  const auto machine =
      is_big_endian ? byte(kMachine) << 8 | byte(kMachine + 1) : byte(kMachine) | byte(kMachine + 1) << 8;
  const auto* const found = std::ranges::find_if(kArchitectures, [&](const Architecture& architecture) {
    return architecture.elf_machine == machine && architecture.elf_class == byte(EI_CLASS) &&
           architecture.elf_data == byte(EI_DATA);
  });
  return found == kArchitectures.end() ? nullptr : found;
}

}  // namespace devmap::vm
