#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace devmap::vm::test {

/// A Debian package with these files, by path and content.
[[nodiscard]] std::string deb_of(const std::vector<std::pair<std::string, std::string>>& files);

/// A kernel module that says it needs others: "depends=a,b".
[[nodiscard]] std::string module_needing(const std::string& names);

/// The content, compressed with xz.
[[nodiscard]] std::string compressed(const std::string& content);

[[nodiscard]] std::string content_of(const std::filesystem::path& file);

}  // namespace devmap::vm::test
