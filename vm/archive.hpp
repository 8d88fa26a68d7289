#pragma once

#include <harness/base/error.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// What is to be done with a file of an archive once its path is known: nothing where the answer is empty, and else its
/// content is handed over.
using TakeFile = std::function<Expected<void>(std::string content)>;
using ChooseFile = std::function<TakeFile(std::string_view path)>;

/// Goes through the regular files that a Debian package installs, in the order of the package. Paths begin with neither
/// "/" nor "./".
[[nodiscard]] Expected<void> read_deb(const std::filesystem::path& deb, const ChooseFile& choose);

/// The content of a file, decompressed if it is compressed (xz, gzip, zstd, ...).
[[nodiscard]] Expected<std::string> read_decompressed(const std::filesystem::path& file);
[[nodiscard]] Expected<std::string> decompressed(const std::string& content, const std::string& name);

/// A file, directory or character device of a root file system.
struct RootEntry {
  enum class Type : std::uint8_t { file, directory, character_device };

  std::string path = {};
  std::string content = {};
  Type type = Type::file;
  unsigned permissions = 0644;
  unsigned major = 0;
  unsigned minor = 0;
};

/// A root file system as the kernel unpacks it at boot (cpio, form "newc"), uncompressed.
[[nodiscard]] Expected<std::string> make_initramfs(const std::vector<RootEntry>& entries);

}  // namespace devmap::vm
