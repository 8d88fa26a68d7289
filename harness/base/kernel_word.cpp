#include <harness/base/kernel_word.hpp>

#include <sys/utsname.h>

namespace devmap {

std::size_t pointer_size_on(std::string_view machine) {
  constexpr std::size_t kOf32Bits = 4;
  constexpr std::size_t kOf64Bits = 8;
  // x86_64, aarch64, ppc64le, riscv64, loongarch64; the one without the number is s390x.
  return machine.contains("64") || machine == "s390x" ? kOf64Bits : kOf32Bits;
}

std::size_t kernel_pointer_size() {
  utsname names{};
  uname(&names);
  return pointer_size_on(names.machine);
}

}  // namespace devmap
