#include <vm/tests/packages.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>

namespace devmap::vm::test {
namespace {

struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Writer = std::unique_ptr<archive, FreeWriter>;

la_ssize_t append(archive* /*writer*/, void* context, const void* bytes, size_t length) {
  static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), length);
  return static_cast<la_ssize_t>(length);
}

void add(archive* writer, const std::string& path, const std::string& content) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), path.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  archive_write_header(writer, entry.get());
  archive_write_data(writer, content.data(), content.size());
}

}  // namespace

std::string deb_of(const std::vector<std::pair<std::string, std::string>>& files) {
  std::string data;
  const Writer tar(archive_write_new());
  archive_write_set_format_gnutar(tar.get());
  archive_write_add_filter_xz(tar.get());
  archive_write_open(tar.get(), &data, nullptr, append, nullptr);
  for (const auto& [path, content] : files) add(tar.get(), "./" + path, content);
  archive_write_close(tar.get());

  std::string deb;
  const Writer ar(archive_write_new());
  archive_write_set_format_ar_svr4(ar.get());
  archive_write_open(ar.get(), &deb, nullptr, append, nullptr);
  add(ar.get(), "debian-binary", "2.0\n");
  add(ar.get(), "control.tar.xz", "not looked at");
  add(ar.get(), "data.tar.xz", data);
  archive_write_close(ar.get());
  return deb;
}

std::string compressed(const std::string& content) {
  std::string bytes;
  const Writer writer(archive_write_new());
  archive_write_set_format_raw(writer.get());
  archive_write_add_filter_xz(writer.get());
  archive_write_open(writer.get(), &bytes, nullptr, append, nullptr);
  add(writer.get(), "content", content);
  archive_write_close(writer.get());
  return bytes;
}

std::string module_needing(const std::string& names) {
  using std::string_literals::operator""s;
  std::string info = "license=GPL\0depends="s + names + "\0name=x\0"s;
  std::string strings = "\0.modinfo\0.shstrtab\0"s;
  constexpr Elf64_Word kInfoName = 1;
  constexpr Elf64_Word kStringsName = 10;
  const int file = memfd_create("module", MFD_CLOEXEC);
  if (file < 0) throw std::runtime_error("memfd_create");
  elf_version(EV_CURRENT);
  Elf* const elf = elf_begin(file, ELF_C_WRITE, nullptr);
  auto* const header = elf64_newehdr(elf);
  header->e_ident[EI_DATA] = ELFDATA2LSB;
  header->e_type = ET_REL;
  header->e_machine = EM_X86_64;
  const auto section = [elf](std::string& content, Elf64_Word name, Elf64_Word type) {
    Elf_Scn* const made = elf_newscn(elf);
    Elf_Data* const data = elf_newdata(made);
    data->d_buf = content.data();
    data->d_size = content.size();
    data->d_align = 1;
    auto* const described = elf64_getshdr(made);
    described->sh_name = name;
    described->sh_type = type;
    return elf_ndxscn(made);
  };
  section(info, kInfoName, SHT_PROGBITS);
  header->e_shstrndx = static_cast<Elf64_Half>(section(strings, kStringsName, SHT_STRTAB));
  const auto size = elf_update(elf, ELF_C_WRITE);
  elf_end(elf);
  std::string content(static_cast<std::size_t>(size), '\0');
  const auto got = pread(file, content.data(), content.size(), 0);
  close(file);
  if (got != size) throw std::runtime_error("reading a module back");
  return content;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace devmap::vm::test
