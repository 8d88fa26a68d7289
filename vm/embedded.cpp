#include <vm/embedded.hpp>

#include <cstddef>

// The assembler puts the files between two labels each.
#define EMBED(label, file)                                                                                 \
  asm(".section .rodata\n" #label "_begin:\n.incbin \"" file "\"\n" #label "_end:\n.byte 0\n.previous\n"); \
  extern "C" const char label##_begin[];                                                                   \
  extern "C" const char label##_end[]

EMBED(devmap_vm_catalogue, DEVMAP_VM_CATALOGUE);
EMBED(devmap_vm_known_issues, DEVMAP_VM_KNOWN_ISSUES);
EMBED(devmap_vm_specification, DEVMAP_VM_SPECIFICATION);
EMBED(devmap_vm_init, DEVMAP_VM_INIT);

namespace devmap::vm {

std::string_view embedded_catalogue() {
  return {devmap_vm_catalogue_begin, static_cast<std::size_t>(devmap_vm_catalogue_end - devmap_vm_catalogue_begin)};
}

std::string_view embedded_known_issues() {
  return {devmap_vm_known_issues_begin,
          static_cast<std::size_t>(devmap_vm_known_issues_end - devmap_vm_known_issues_begin)};
}

std::string_view embedded_specification() {
  return {devmap_vm_specification_begin,
          static_cast<std::size_t>(devmap_vm_specification_end - devmap_vm_specification_begin)};
}

std::string_view embedded_init() {
  return {devmap_vm_init_begin, static_cast<std::size_t>(devmap_vm_init_end - devmap_vm_init_begin)};
}

}  // namespace devmap::vm
