#include <vm/boot_image.hpp>

#include <vm/tests/packages.hpp>

#include <elf.h>
#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace devmap::vm {
namespace {

using std::string_literals::operator""s;

constexpr Elf64_Word kPvhEntry = 18;

template <class T>
void append(std::string& text, const T& value) {
  std::array<char, sizeof(T)> bytes{};
  std::memcpy(bytes.data(), &value, sizeof value);
  text.append(bytes.data(), bytes.size());
}

/// A kernel with one note of Xen's.
std::string kernel_with_note(Elf64_Word type) {
  const std::string owner = "Xen\0"s;
  std::string note;
  append(note, Elf64_Nhdr{.n_namesz = 4, .n_descsz = 4, .n_type = type});
  note += owner + std::string(4, '\1');
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  Elf64_Phdr part{};
  part.p_type = PT_NOTE;
  part.p_offset = sizeof header + sizeof part;
  part.p_filesz = note.size();
  std::string kernel;
  append(kernel, header);
  append(kernel, part);
  return kernel + note + std::string(10'000, 'k');
}

/// A bzImage with this payload behind two sectors of set-up.
std::string bzimage_of(std::string payload, std::uint16_t version = 0x20f) {
  append(payload, std::uint32_t{0});
  constexpr std::size_t kSetup = 3 * 512;
  constexpr std::uint32_t kBeforePayload = 64;
  std::string image(kSetup + kBeforePayload, '\0');
  image.at(0x1f1) = 2;
  image.replace(0x202, 4, "HdrS");
  const auto put = [&image](std::size_t at, const auto& value) {
    std::memcpy(image.data() + at, &value, sizeof value);
  };
  put(0x206, version);
  put(0x248, kBeforePayload);
  put(0x24c, static_cast<std::uint32_t>(payload.size()));
  return image + payload + "what follows";
}

TEST(KernelInBzImage, IsUnpacked) {
  const auto kernel = kernel_with_note(kPvhEntry);
  EXPECT_EQ(kernel_in_bzimage(bzimage_of(test::compressed(kernel))), kernel);
}

TEST(KernelInBzImage, IsLeftWhereItCannotBeEntered) {
  EXPECT_EQ(kernel_in_bzimage(bzimage_of(test::compressed(kernel_with_note(kPvhEntry + 1)))), std::nullopt);
  EXPECT_EQ(kernel_in_bzimage(bzimage_of(test::compressed("no ELF file"))), std::nullopt);
}

TEST(KernelInBzImage, IsNotThereInOtherFiles) {
  const auto payload = test::compressed(kernel_with_note(kPvhEntry));
  const auto image = bzimage_of(payload);
  EXPECT_EQ(kernel_in_bzimage({}), std::nullopt);
  EXPECT_EQ(kernel_in_bzimage(payload), std::nullopt);
  EXPECT_EQ(kernel_in_bzimage(bzimage_of(payload, 0x207)), std::nullopt) << "the boot protocol knows no payload yet";
  EXPECT_EQ(kernel_in_bzimage(bzimage_of("compressed in a way of its own")), std::nullopt);
  for (const std::size_t size : {0x1f1U, 0x206U, 0x24aU, 0x24fU, 1700U}) {
    EXPECT_EQ(kernel_in_bzimage(std::string_view(image).substr(0, size)), std::nullopt) << size;
  }
}

std::string signature_of(std::size_t bytes, unsigned char said) {
  return std::string(bytes, 's') + std::string(8, '\0') + "\0\0\0"s + static_cast<char>(said) +
         "~Module signature appended~\n";
}

TEST(WithoutSignature, TakesItOff) {
  EXPECT_EQ(without_signature("module" + signature_of(200, 200)), "module");
  EXPECT_EQ(without_signature("module"), "module") << "there is none";
}

TEST(WithoutSignature, LeavesWhatMakesNoSense) {
  const auto longer_than_all = signature_of(20, 200);
  EXPECT_EQ(without_signature(longer_than_all), longer_than_all);
  const std::string mark = "~Module signature appended~\n";
  EXPECT_EQ(without_signature(mark), mark);
}

}  // namespace
}  // namespace devmap::vm
