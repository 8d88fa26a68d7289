#include <vm/embedded.hpp>

#include <harness/base/embedded_file.hpp>

DEVMAP_EMBED_FILE(devmap_vm_catalogue, DEVMAP_VM_CATALOGUE);
DEVMAP_EMBED_FILE(devmap_vm_known_issues, DEVMAP_VM_KNOWN_ISSUES);
DEVMAP_EMBED_FILE(devmap_vm_specification, DEVMAP_VM_SPECIFICATION);
DEVMAP_EMBED_FILE(devmap_vm_init, DEVMAP_VM_INIT);

namespace devmap::vm {

std::string_view embedded_catalogue() {
  return devmap_vm_catalogue();
}

std::string_view embedded_known_issues() {
  return devmap_vm_known_issues();
}

std::string_view embedded_specification() {
  return devmap_vm_specification();
}

std::string_view embedded_init() {
  return devmap_vm_init();
}

}  // namespace devmap::vm
