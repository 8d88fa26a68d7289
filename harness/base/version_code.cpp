#include <harness/base/version_code.hpp>

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <array>
#include <cstddef>
#include <cstring>
#include <string_view>

namespace devmap {
namespace {

/// A copy of what lies at an offset of the vDSO, which is in memory as it would be in a file.
template <class T>
T at(unsigned long vdso, std::size_t offset) {
  T value{};
  std::memcpy(&value, reinterpret_cast<const void*>(vdso + offset), sizeof value);
  return value;
}

constexpr std::size_t padded(std::size_t size) {
  return (size + 3) / 4 * 4;
}

}  // namespace

std::uint32_t running_version_code() {
  constexpr std::string_view kName("Linux\0\0\0", 8);
  const unsigned long vdso = getauxval(AT_SYSINFO_EHDR);
  if (vdso == 0) return 0;
  const auto header = at<ElfW(Ehdr)>(vdso, 0);
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    const auto part = at<ElfW(Phdr)>(vdso, header.e_phoff + i * sizeof(ElfW(Phdr)));
    if (part.p_type != PT_NOTE) continue;
    const std::size_t end = part.p_offset + part.p_filesz;
    for (std::size_t offset = part.p_offset; offset + sizeof(ElfW(Nhdr)) < end;) {
      const auto note = at<ElfW(Nhdr)>(vdso, offset);
      const auto name = at<std::array<char, kName.size()>>(vdso, offset + sizeof note);
      const auto content = offset + sizeof note + padded(note.n_namesz);
      if (note.n_type == 0 && note.n_descsz == sizeof(std::uint32_t) && padded(note.n_namesz) == kName.size() &&
          std::string_view(name.data(), name.size()) == kName) {
        return at<std::uint32_t>(vdso, content);
      }
      offset = content + padded(note.n_descsz);
    }
  }
  return 0;
}

KernelVersion with_patch_level(const KernelVersion& named, std::uint32_t code) {
  constexpr std::uint32_t kByte = 0xff;
  const KernelVersion built{static_cast<int>(code >> 16), static_cast<int>(code >> 8 & kByte),
                            static_cast<int>(code & kByte)};
  return named.patch == 0 && built.same_series(named) ? built : named;
}

}  // namespace devmap
