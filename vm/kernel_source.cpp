#include <vm/kernel_source.hpp>

#include <fmt/format.h>
#include <filesystem>
#include <system_error>

namespace devmap::vm {

namespace fs = std::filesystem;

Expected<Kernel> find_kernel(const Catalogue& catalogue, const std::string& asked,
                             std::optional<TemporaryDirectory>& unpacked) {
  if (const auto* const entry = catalogue.find(asked)) {
    const auto cache = Cache::of_this_user();
    if (!cache) return std::unexpected(cache.error());
    if (auto kernel = cache->find(entry->kept_as)) {
      kernel->name = entry->label;
      kernel->architecture = architecture_named(entry->architecture);
      kernel->suite_architecture = architecture_named(entry->suite_architecture);
      return *kernel;
    }
    return failure("kernel " + asked, 0, fmt::format("not fetched yet; run: devmap-vm fetch {}", asked));
  }
  std::error_code failed;
  const fs::path path(asked);
  const auto status = fs::status(path, failed);
  if (!fs::exists(status)) {
    return failure("kernel " + asked, 0, "neither a name of the catalogue (devmap-vm kernels) nor a file");
  }
  if (!fs::is_regular_file(status)) return failure("kernel " + asked, 0, "no file");
  if (path.extension() == ".deb") {
    auto directory = TemporaryDirectory::create(fs::temp_directory_path());
    if (!directory) return std::unexpected(directory.error());
    unpacked.emplace(std::move(*directory));
    auto kernel = unpack_kernel({path}, catalogue.guest, unpacked->path());
    if (kernel) kernel->name = kernel->release;
    return kernel;
  }
  return Kernel{.name = path.filename().string(), .image = path};
}

}  // namespace devmap::vm
