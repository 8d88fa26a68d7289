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

std::string module_needing(const std::string& names, const Architecture& architecture) {
  using std::string_literals::operator""s;
  std::string info = "license=GPL\0depends="s + names + "\0name=x\0"s;
  std::string strings = "\0.modinfo\0.shstrtab\0"s;
  constexpr GElf_Word kInfoName = 1;
  constexpr GElf_Word kStringsName = 10;
  const int file = memfd_create("module", MFD_CLOEXEC);
  if (file < 0) throw std::runtime_error("memfd_create");
  elf_version(EV_CURRENT);
  Elf* const elf = elf_begin(file, ELF_C_WRITE, nullptr);
  gelf_newehdr(elf, architecture.elf_class);
  const auto section = [elf](std::string& content, GElf_Word name, GElf_Word type) {
    Elf_Scn* const made = elf_newscn(elf);
    Elf_Data* const data = elf_newdata(made);
    data->d_buf = content.data();
    data->d_size = content.size();
    data->d_align = 1;
    GElf_Shdr described{};
    described.sh_name = name;
    described.sh_type = type;
    gelf_update_shdr(made, &described);
    return elf_ndxscn(made);
  };
  section(info, kInfoName, SHT_PROGBITS);
  GElf_Ehdr header{};
  gelf_getehdr(elf, &header);
  header.e_ident[EI_DATA] = architecture.elf_data;
  header.e_type = ET_REL;
  header.e_machine = architecture.elf_machine;
  header.e_version = EV_CURRENT;
  header.e_shstrndx = static_cast<GElf_Half>(section(strings, kStringsName, SHT_STRTAB));
  gelf_update_ehdr(elf, &header);
  const auto size = elf_update(elf, ELF_C_WRITE);
  elf_end(elf);
  std::string content(static_cast<std::size_t>(size), '\0');
  const auto got = pread(file, content.data(), content.size(), 0);
  close(file);
  if (got != size) throw std::runtime_error("reading a module back");
  return content;
}

namespace {

/// Appends a number of `size` bytes in the architecture's byte order.
void append_number(std::string& text, std::uint64_t number, std::size_t size, const Architecture& architecture) {
  for (std::size_t i = 0; i < size; ++i) {
    const auto place = architecture.elf_data == ELFDATA2MSB ? size - 1 - i : i;
    text.push_back(static_cast<char>(number >> (8 * place) & 0xff));
  }
}

/// Header fields in their order, those of addresses as wide as the class has them.
class Fields {
 public:
  Fields(std::string& text, const Architecture& architecture) : text_(text), architecture_(architecture) {}
  Fields& half(std::uint16_t number) { return add(number, 2); }
  Fields& word(std::uint32_t number) { return add(number, 4); }
  Fields& address(std::uint64_t number) { return add(number, is_64_bit() ? 8 : 4); }
  [[nodiscard]] bool is_64_bit() const { return architecture_.elf_class == ELFCLASS64; }

 private:
  Fields& add(std::uint64_t number, std::size_t size) {
    append_number(text_, number, size, architecture_);
    return *this;
  }
  std::string& text_;
  const Architecture& architecture_;
};

void add_program_header(Fields& fields, std::uint32_t type, std::uint64_t size_in_file) {
  fields.word(type);
  if (fields.is_64_bit()) fields.word(0);                                               // flags
  fields.address(0).address(0).address(0).address(size_in_file).address(size_in_file);  // offset, addresses, sizes
  if (!fields.is_64_bit()) fields.word(0);                                              // flags
  fields.address(0);                                                                    // alignment
}

}  // namespace

std::string executable_of(const Architecture& architecture, std::uint32_t type_of_second_part) {
  std::string text = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3};
  text.push_back(static_cast<char>(architecture.elf_class));
  text.push_back(static_cast<char>(architecture.elf_data));
  text.push_back(EV_CURRENT);
  text.resize(EI_NIDENT);
  Fields fields(text, architecture);
  const bool is_64_bit = fields.is_64_bit();
  const auto header_size = static_cast<std::uint16_t>(is_64_bit ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr));
  const auto part_size = static_cast<std::uint16_t>(is_64_bit ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr));
  const auto section_size = static_cast<std::uint16_t>(is_64_bit ? sizeof(Elf64_Shdr) : sizeof(Elf32_Shdr));
  constexpr std::uint64_t kSections = 1000;
  fields.half(ET_EXEC).half(architecture.elf_machine).word(EV_CURRENT);
  fields.address(0).address(header_size).address(kSections).word(0);
  fields.half(header_size).half(part_size).half(2).half(section_size).half(3).half(0);
  add_program_header(fields, PT_LOAD, kLoadedSize);
  add_program_header(fields, type_of_second_part, 0);
  text.resize(kSections + 200, 'd');
  return text;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace devmap::vm::test
