#include <vm/archive.hpp>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/types.h>

#include <array>
#include <harness/base/file.hpp>
#include <memory>

namespace devmap::vm {
namespace {

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
  void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

std::unexpected<Error> archive_error(archive* handle, const std::string& what) {
  const char* const text = archive_error_string(handle);
  return failure("reading " + what, 0, text != nullptr ? text : "the archive is damaged");
}

Expected<std::string> rest_of_entry(archive* reader, const std::string& what) {
  std::string content;
  std::array<char, 65536> block;
  la_ssize_t got = 0;
  while ((got = archive_read_data(reader, block.data(), block.size())) > 0) {
    content.append(block.data(), static_cast<std::size_t>(got));
  }
  if (got < 0) return archive_error(reader, what);
  return content;
}

bool is_data(const char* name) {
  return name != nullptr && std::string_view(name).starts_with("data.tar");
}

/// What an inner archive reads from: the current entry of the outer one.
struct Inner {
  archive* outer = nullptr;
  std::array<char, 65536> block = {};
};

la_ssize_t read_inner(archive* reader, void* context, const void** bytes) {
  auto& inner = *static_cast<Inner*>(context);
  *bytes = inner.block.data();
  const auto got = archive_read_data(inner.outer, inner.block.data(), inner.block.size());
  if (got < 0) archive_set_error(reader, archive_errno(inner.outer), "%s", archive_error_string(inner.outer));
  return got;
}

Expected<void> read_data_member(archive* outer, const std::string& deb, const ChooseFile& choose) {
  const Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_tar(reader.get());
  Inner inner{.outer = outer};
  if (archive_read_open(reader.get(), &inner, nullptr, read_inner, nullptr) != ARCHIVE_OK) {
    return archive_error(reader.get(), deb);
  }
  archive_entry* entry = nullptr;
  int got = ARCHIVE_OK;
  while ((got = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK) {
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    std::string path = archive_entry_pathname(entry);
    path.erase(0, path.find_first_not_of("./"));
    const auto take = choose(path);
    if (!take) continue;
    auto content = rest_of_entry(reader.get(), deb);
    if (!content) return std::unexpected(content.error());
    if (auto taken = take(std::move(*content)); !taken) return taken;
  }
  if (got != ARCHIVE_EOF) return archive_error(reader.get(), deb);
  return {};
}

Expected<std::string> raw_content(archive* reader, const std::string& what) {
  archive_entry* entry = nullptr;
  const int got = archive_read_next_header(reader, &entry);
  if (got == ARCHIVE_EOF) return std::string();
  if (got != ARCHIVE_OK) return archive_error(reader, what);
  return rest_of_entry(reader, what);
}

Reader raw_reader() {
  Reader reader(archive_read_new());
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_raw(reader.get());
  archive_read_support_format_empty(reader.get());
  return reader;
}

__LA_MODE_T file_type(RootEntry::Type type) {
  switch (type) {
    case RootEntry::Type::directory:
      return AE_IFDIR;
    case RootEntry::Type::character_device:
      return AE_IFCHR;
    case RootEntry::Type::file:
      break;
  }
  return AE_IFREG;
}

la_ssize_t append(archive* /*writer*/, void* context, const void* bytes, size_t length) {
  static_cast<std::string*>(context)->append(static_cast<const char*>(bytes), length);
  return static_cast<la_ssize_t>(length);
}

}  // namespace

Expected<void> read_deb(const std::filesystem::path& deb, const ChooseFile& choose) {
  const Reader reader(archive_read_new());
  archive_read_support_format_ar(reader.get());
  constexpr std::size_t kBlock = 65536;
  if (archive_read_open_filename(reader.get(), deb.c_str(), kBlock) != ARCHIVE_OK) {
    return archive_error(reader.get(), deb.string());
  }
  archive_entry* entry = nullptr;
  int got = ARCHIVE_OK;
  while ((got = archive_read_next_header(reader.get(), &entry)) == ARCHIVE_OK) {
    if (is_data(archive_entry_pathname(entry))) return read_data_member(reader.get(), deb.string(), choose);
  }
  if (got != ARCHIVE_EOF) return archive_error(reader.get(), deb.string());
  return failure("reading " + deb.string(), 0, "no Debian package: it has no member data.tar");
}

Expected<std::string> read_decompressed(const std::filesystem::path& file) {
  const auto content = read_file(file.string());
  if (!content) return std::unexpected(content.error());
  return decompressed(*content, file.string());
}

Expected<std::string> decompressed(const std::string& content, const std::string& name) {
  const auto reader = raw_reader();
  if (archive_read_open_memory(reader.get(), content.data(), content.size()) != ARCHIVE_OK) {
    return archive_error(reader.get(), name);
  }
  return raw_content(reader.get(), name);
}

Expected<std::string> make_initramfs(const std::vector<RootEntry>& entries) {
  std::string image;
  const std::unique_ptr<archive, FreeWriter> writer(archive_write_new());
  archive_write_set_format_cpio_newc(writer.get());
  archive_write_set_bytes_in_last_block(writer.get(), 1);
  archive_write_open(writer.get(), &image, nullptr, append, nullptr);
  const std::unique_ptr<archive_entry, FreeEntry> header(archive_entry_new());
  la_int64_t inode = 0;
  for (const auto& entry : entries) {
    archive_entry_clear(header.get());
    archive_entry_set_pathname(header.get(), entry.path.c_str());
    archive_entry_set_filetype(header.get(), file_type(entry.type));
    archive_entry_set_perm(header.get(), entry.permissions);
    archive_entry_set_ino64(header.get(), ++inode);
    archive_entry_set_nlink(header.get(), 1);
    archive_entry_set_rdev(header.get(), makedev(entry.major, entry.minor));
    archive_entry_set_size(header.get(), static_cast<la_int64_t>(entry.content.size()));
    if (archive_write_header(writer.get(), header.get()) != ARCHIVE_OK) {
      return failure("root file system", 0, archive_error_string(writer.get()));
    }
    if (archive_write_data(writer.get(), entry.content.data(), entry.content.size()) < 0) {
      return failure("root file system", 0, archive_error_string(writer.get()));
    }
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK) {
    return failure("root file system", 0, archive_error_string(writer.get()));
  }
  return image;
}

}  // namespace devmap::vm
