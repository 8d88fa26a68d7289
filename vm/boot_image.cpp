#include <vm/boot_image.hpp>

#include <vm/archive.hpp>

#include <gelf.h>
#include <libelf.h>

#include <bit>
#include <cstdint>
#include <memory>

namespace devmap::vm {
namespace {

/// The number of type T at an offset, in the byte order given; nothing where the text ends before.
template <class T>
std::optional<T> number_at(std::string_view text, std::size_t offset, std::endian order) {
  if (offset > text.size() || text.size() - offset < sizeof(T)) return std::nullopt;
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    const auto at = order == std::endian::little ? sizeof(T) - 1 - i : i;
    value = static_cast<T>((std::uint64_t{value} << 8U) | static_cast<unsigned char>(text[offset + at]));
  }
  return value;
}

/// What is compressed in a bzImage (Documentation/arch/x86/boot.rst): it lies behind the sectors that run in real mode.
std::optional<std::string_view> payload_of(std::string_view image) {
  constexpr std::size_t kSetupSectors = 0x1f1;
  constexpr std::size_t kMagic = 0x202;
  constexpr std::size_t kVersion = 0x206;
  constexpr std::size_t kPayloadOffset = 0x248;
  constexpr std::size_t kPayloadLength = 0x24c;
  constexpr std::uint16_t kFirstVersionWithPayload = 0x208;
  constexpr std::size_t kSector = 512;
  constexpr auto kLittle = std::endian::little;
  if (image.size() < kMagic + 4 || image.substr(kMagic, 4) != "HdrS") return std::nullopt;
  if (number_at<std::uint16_t>(image, kVersion, kLittle).value_or(0) < kFirstVersionWithPayload) return std::nullopt;
  const std::size_t sectors = number_at<std::uint8_t>(image, kSetupSectors, kLittle).value_or(0);
  const auto offset = number_at<std::uint32_t>(image, kPayloadOffset, kLittle);
  const auto length = number_at<std::uint32_t>(image, kPayloadLength, kLittle);
  if (!offset || !length) return std::nullopt;
  const std::size_t begin = ((sectors == 0 ? 4 : sectors) + 1) * kSector + *offset;
  // The last four bytes of the payload are the size of what it unpacks to.
  if (*length < 4 || begin > image.size() || image.size() - begin < *length) return std::nullopt;
  return image.substr(begin, *length - 4);
}

struct EndElf {
  void operator()(Elf* elf) const { elf_end(elf); }
};

/// Whether a note says where a virtual machine may enter the kernel in 32-bit mode (arch/x86/platform/pvh/head.S).
bool has_pvh_entry(std::string& kernel) {
  constexpr GElf_Word kPhysicalEntry = 18;  // XEN_ELFNOTE_PHYS32_ENTRY
  elf_version(EV_CURRENT);
  const std::unique_ptr<Elf, EndElf> elf(elf_memory(kernel.data(), kernel.size()));
  std::size_t headers = 0;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || elf_getphdrnum(elf.get(), &headers) != 0) return false;
  for (std::size_t i = 0; i < headers; ++i) {
    GElf_Phdr header;
    if (gelf_getphdr(elf.get(), static_cast<int>(i), &header) == nullptr || header.p_type != PT_NOTE) continue;
    Elf_Data* const notes =
        elf_getdata_rawchunk(elf.get(), static_cast<std::int64_t>(header.p_offset), header.p_filesz, ELF_T_NHDR);
    if (notes == nullptr) continue;
    GElf_Nhdr note;
    std::size_t name = 0;
    std::size_t content = 0;
    for (std::size_t at = 0; (at = gelf_getnote(notes, at, &note, &name, &content)) > 0;) {
      const std::string_view owner(static_cast<const char*>(notes->d_buf) + name, note.n_namesz);
      if (note.n_type == kPhysicalEntry && owner == std::string_view("Xen\0", 4)) return true;
    }
  }
  return false;
}

}  // namespace

std::optional<std::string> kernel_in_bzimage(std::string_view image) {
  const auto payload = payload_of(image);
  if (!payload) return std::nullopt;
  auto kernel = decompressed(std::string(*payload), "kernel");
  if (!kernel || !has_pvh_entry(*kernel)) return std::nullopt;
  return std::move(*kernel);
}

std::string without_signature(std::string module) {
  // At the very end, behind a signature and what include/linux/module_signature.h says about it, whose last member is
  // the signature's length.
  constexpr std::string_view kMark = "~Module signature appended~\n";
  constexpr std::size_t kAbout = 12;
  if (!module.ends_with(kMark) || module.size() < kMark.size() + kAbout) return module;
  const auto end_of_about = module.size() - kMark.size();
  const auto length = number_at<std::uint32_t>(module, end_of_about - sizeof(std::uint32_t), std::endian::big);
  if (!length || *length > end_of_about - kAbout) return module;
  module.resize(end_of_about - kAbout - *length);
  return module;
}

}  // namespace devmap::vm
