#include <vm/kernel_source.hpp>

#include <vm/architecture.hpp>
#include <vm/debian.hpp>

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The first of these that is there; empty where none is.
fs::path first_of(const std::vector<fs::path>& candidates) {
  const auto found = std::ranges::find_if(candidates, is_there);
  return found == candidates.end() ? fs::path() : *found;
}

std::vector<fs::path> entries_of(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code failed;
  for (fs::directory_iterator files(directory, failed); !failed && files != fs::directory_iterator();
       files.increment(failed)) {
    entries.push_back(files->path());
  }
  return entries;
}

/// Where kernels' images are, below a directory of any of the three kinds. Links lead to one image only once.
std::set<std::string> images_below(const fs::path& directory) {
  std::set<std::string> images;
  const auto add = [&images](const fs::path& candidate) {
    std::error_code failed;
    const auto file = fs::canonical(candidate, failed);
    if (!failed && fs::is_regular_file(file, failed)) images.insert(file.string());
  };
  for (const auto& architecture : entries_of(directory / "arch")) {
    for (const auto* const name : {"bzImage", "Image.gz", "zImage"}) {
      if (is_there(architecture / "boot" / name)) {
        add(architecture / "boot" / name);
        break;
      }
    }
  }
  for (const auto* const name : {"bzImage", "vmlinuz"}) add(directory / name);
  for (const auto& file : entries_of(directory / "boot")) {
    const auto name = file.filename().string();
    if (name.starts_with("vmlinuz-") || name.starts_with("vmlinux-")) add(file);
  }
  for (const auto* const modules : {"usr/lib/modules", "lib/modules"}) {
    for (const auto& release : entries_of(directory / modules)) add(release / "vmlinuz");
  }
  return images;
}

std::string without_newline(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

/// The release of an image below a directory, by the path of either; empty where neither says.
std::string release_of(const fs::path& directory, const fs::path& image) {
  if (const auto built = read_file((directory / "include/config/kernel.release").string())) {
    return without_newline(*built);
  }
  const auto name = image.filename().string();
  if (const auto dash = name.find('-'); dash != std::string::npos) return name.substr(dash + 1);
  if (image.parent_path().parent_path().filename() == "modules") return image.parent_path().filename().string();
  return {};
}

Expected<void> check_image(const fs::path& image) {
  const UniqueFd opened(open(image.c_str(), O_RDONLY | O_CLOEXEC));
  if (!opened) return last_error("open", image.string());
  constexpr std::size_t kEnough = 0x10010;
  std::string content(kEnough, '\0');
  const auto got = pread(opened.get(), content.data(), content.size(), 0);
  if (got < 0) return last_error("read", image.string());
  content.resize(static_cast<std::size_t>(got));
  if (begins_as_kernel(content)) return {};
  return failure("kernel", 0, image.string() + " is no kernel image (bzImage)");
}

/// A kernel of the catalogue; nothing where it is not fetched.
std::optional<Kernel> fetched(const Cache& cache, const KernelEntry& entry) {
  auto kernel = cache.find(entry.kept_as);
  if (!kernel) return kernel;
  kernel->name = entry.label;
  kernel->architecture = architecture_named(entry.architecture);
  kernel->suite_architecture = architecture_named(entry.suite_architecture);
  return kernel;
}

/// The newest kernel that was fetched, one with modules before those without.
Expected<Kernel> newest_kernel(const Catalogue& catalogue, const Cache& cache) {
  std::optional<Kernel> newest;
  const auto as_offer = [](const Kernel& kernel) {
    return Offer{.version = kernel.version, .has_modules = !kernel.modules.empty()};
  };
  for (const auto& entry : catalogue.kernels) {
    auto kernel = entry.is_plain() ? fetched(cache, entry) : std::nullopt;
    if (kernel && (!newest || is_newer_choice(as_offer(*kernel), as_offer(*newest)))) newest = std::move(kernel);
  }
  if (!newest) return failure("kernel newest", 0, "none is fetched yet; add --fetch");
  return *newest;
}

Expected<Kernel> named_kernel(const Catalogue& catalogue, const std::string& name) {
  const auto cache = Cache::of_this_user();
  if (!cache) return std::unexpected(cache.error());
  if (name == kNewest) return newest_kernel(catalogue, *cache);
  if (auto kernel = fetched(*cache, *catalogue.find(name))) return *kernel;
  return failure("kernel " + name, 0, fmt::format("not fetched yet; run: devmap-vm fetch {}", name));
}

Expected<Kernel> kernel_at(const Catalogue& catalogue, const fs::path& path,
                           std::optional<TemporaryDirectory>& unpacked) {
  std::error_code failed;
  const auto status = fs::status(path, failed);
  if (!fs::exists(status)) {
    return failure("kernel " + path.string(), 0,
                   "neither a name of the catalogue (devmap-vm kernels) nor a file or directory");
  }
  if (fs::is_directory(status)) return kernel_in(path);
  if (path.extension() != ".deb") return Kernel{.name = path.filename().string(), .image = path};
  auto directory = TemporaryDirectory::create(fs::temp_directory_path());
  if (!directory) return std::unexpected(directory.error());
  unpacked.emplace(std::move(*directory));
  auto kernel = unpack_kernel({path}, catalogue.guest, unpacked->path());
  if (kernel) kernel->name = kernel->release;
  return kernel;
}

}  // namespace

bool begins_as_kernel(std::string_view content) {
  // x86 (Documentation/arch/x86/boot.rst), arm64, riscv64, arm, s390x, and then what is an ELF file or compressed.
  constexpr std::array<std::pair<std::size_t, std::string_view>, 7> kMarks = {{{0x202, "HdrS"},
                                                                               {0x38, "ARM\x64"},
                                                                               {0x30, "RISCV"},
                                                                               {0x24, "\x18\x28\x6f\x01"},
                                                                               {0x10008, "S390EP"},
                                                                               {0,
                                                                                "\x7f"
                                                                                "ELF"},
                                                                               {0, "\x1f\x8b"}}};
  return std::ranges::any_of(kMarks, [content](const auto& mark) {
    return content.size() > mark.first && content.substr(mark.first).starts_with(mark.second);
  });
}

Expected<Kernel> kernel_in(const fs::path& directory) {
  const auto images = images_below(directory);
  if (images.empty()) {
    return failure("kernel " + directory.string(), 0,
                   "no image in it: no arch/*/boot/bzImage, boot/vmlinuz-*, lib/modules/*/vmlinuz, bzImage or vmlinuz");
  }
  if (images.size() > 1) {
    return failure("kernel " + directory.string(), 0,
                   fmt::format("several images in it, name one: {}", fmt::join(images, ", ")));
  }
  Kernel kernel{.image = *images.begin()};
  kernel.release = release_of(directory, kernel.image);
  std::error_code failed;
  kernel.name =
      kernel.release.empty() ? fs::absolute(directory, failed).lexically_normal().filename().string() : kernel.release;
  kernel.configuration = first_of({directory / ".config", directory / "boot" / ("config-" + kernel.release),
                                   kernel.image.parent_path() / "config"});
  // A tree in which a kernel was built has modules everywhere.
  const bool was_built_in = is_there(directory / "arch") && is_there(directory / ".config");
  kernel.modules = was_built_in
                       ? directory
                       : first_of({directory / "usr/lib/modules" / kernel.release / "kernel",
                                   directory / "lib/modules" / kernel.release / "kernel", directory / "modules"});
  return kernel;
}

Expected<Kernel> host_kernel(const std::string& release, const fs::path& root) {
  const auto modules = root / "lib/modules" / release;
  const auto in_boot = root / "boot" / ("vmlinuz-" + release);
  const auto image = first_of({in_boot, modules / "vmlinuz"});
  if (image.empty()) {
    return failure("kernel host", 0,
                   fmt::format("this machine has no image of its kernel {}: neither {} nor {}", release,
                               in_boot.string(), (modules / "vmlinuz").string()));
  }
  return Kernel{.name = release,
                .release = release,
                .image = image,
                .configuration = first_of({root / "boot" / ("config-" + release), modules / "config"}),
                .modules = first_of({modules / "kernel"})};
}

Expected<Kernel> find_kernel(const Catalogue& catalogue, const std::string& asked,
                             std::optional<TemporaryDirectory>& unpacked) {
  const auto found = [&]() -> Expected<Kernel> {
    if (asked == kNewest || catalogue.find(asked) != nullptr) return named_kernel(catalogue, asked);
    if (asked != kHost) return kernel_at(catalogue, asked, unpacked);
    utsname here{};
    uname(&here);
    return host_kernel(here.release);
  };
  auto kernel = found();
  if (!kernel) return kernel;
  if (auto checked = check_image(kernel->image); !checked) return std::unexpected(checked.error());
  return kernel;
}

}  // namespace devmap::vm
