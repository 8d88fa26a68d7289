#pragma once

#include <elf.h>
#include <vm/architecture.hpp>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace devmap::vm::test {

/// A Debian package with these files, by path and content.
[[nodiscard]] std::string deb_of(const std::vector<std::pair<std::string, std::string>>& files);

/// A kernel module that says it needs others: "depends=a,b".
[[nodiscard]] std::string module_needing(const std::string& names,
                                         const Architecture& architecture = usual_architecture());

/// How much of an executable_of() is loaded.
inline constexpr std::size_t kLoadedSize = 500;

/// An executable with one part that is loaded, then another, and then more.
[[nodiscard]] std::string executable_of(const Architecture& architecture, std::uint32_t type_of_second_part = PT_NULL);

/// The content, compressed with xz.
[[nodiscard]] std::string compressed(const std::string& content);

[[nodiscard]] std::string content_of(const std::filesystem::path& file);

}  // namespace devmap::vm::test
