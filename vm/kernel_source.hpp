#pragma once

#include <harness/base/error.hpp>
#include <vm/cache.hpp>
#include <vm/catalogue.hpp>
#include <vm/files.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace devmap::vm {

/// What is asked for where the newest kernel that was fetched is meant, and where this machine's own is.
inline constexpr std::string_view kNewest = "newest";
inline constexpr std::string_view kHost = "host";

/// The kernel that is asked for: a name of the catalogue, "newest" of those that were fetched, "host" for the one that
/// runs here, an image, a .deb, or a directory (kernel_in). `unpacked` keeps what was unpacked for as long as it lives.
[[nodiscard]] Expected<Kernel> find_kernel(const Catalogue& catalogue, const std::string& asked,
                                           std::optional<TemporaryDirectory>& unpacked);

/// The kernel in a directory: one in which a kernel was built, one into which a package was unpacked, or one with an
/// image, a configuration and modules side by side. Fails where there is no image, or more than one.
[[nodiscard]] Expected<Kernel> kernel_in(const std::filesystem::path& directory);

/// The kernel that runs, from /boot and /lib/modules below `root`.
[[nodiscard]] Expected<Kernel> host_kernel(const std::string& release, const std::filesystem::path& root = "/");

/// Whether a file's content begins as a kernel that QEMU can boot does.
[[nodiscard]] bool begins_as_kernel(std::string_view content);

}  // namespace devmap::vm
