#include <vm/cache.hpp>

#include <vm/archive.hpp>
#include <vm/boot_image.hpp>
#include <vm/files.hpp>
#include <vm/modules.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <nlohmann/json.hpp>

#include <cerrno>
#include <cstdlib>
#include <harness/base/file.hpp>
#include <set>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

/// Counts how often what is kept of a kernel has changed.
constexpr int kLayout = 2;

constexpr const char* kImage = "vmlinuz";
constexpr const char* kConfiguration = "config";
constexpr const char* kModules = "modules";
constexpr const char* kAbout = "kernel.json";

/// The kernel release in the path of an image: "boot/vmlinuz-6.1.0-cloud-amd64", "usr/lib/modules/7.3.4/vmlinuz".
std::string release_of_image(const fs::path& path) {
  const auto name = path.filename().string();
  const auto dash = name.find('-');
  return dash == std::string::npos ? path.parent_path().filename().string() : name.substr(dash + 1);
}

bool is_image(const fs::path& path) {
  const auto name = path.filename().string();
  return name == "vmlinuz" || name.starts_with("vmlinuz-") || name == "vmlinux" || name.starts_with("vmlinux-");
}

bool is_configuration(const fs::path& path) {
  const auto name = path.filename().string();
  const auto directory = path.parent_path();
  return (name.starts_with("config-") && directory.filename() == "boot") ||
         (name == "config" && directory.parent_path().filename() == "modules");
}

TakeFile into_file(const fs::path& file) {
  return [file](const std::string& content) { return write_to(file, content); };
}

/// Keeps a kernel as it boots soonest.
TakeFile into_image(const fs::path& file) {
  return [file](const std::string& content) {
    const auto unpacked = kernel_in_bzimage(content);
    return write_to(file, unpacked ? *unpacked : content);
  };
}

/// Whether the kernel is known to load modules that nobody has signed.
bool loads_unsigned_modules(const fs::path& configuration) {
  const auto options = read_file(configuration.string());
  return options && !options->contains("CONFIG_MODULE_SIG_FORCE=y");
}

/// Keeps of all modules those that a guest loads.
Expected<void> keep_wanted(const fs::path& all, const GuestModules& guest, bool with_signatures, const fs::path& kept) {
  const auto tree = ModuleTree::scan(all);
  if (!tree) return std::unexpected(tree.error());
  std::set<std::string> already;
  for (const auto* const wanted : {&guest.transport, &guest.modules}) {
    auto order = tree->load_order(*wanted, already);
    if (!order) return std::unexpected(order.error());
    for (auto& module : order->modules) {
      const auto content = with_signatures ? std::move(module.content) : without_signature(std::move(module.content));
      if (auto written = write_to(kept / (module.name + ".ko"), content); !written) return written;
    }
  }
  return {};
}

/// Opens a file that is there only to be locked. Where it is not there and cannot be made, nobody can change what it
/// guards either.
UniqueFd open_lock(const fs::path& file) {
  UniqueFd opened(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!opened) opened = UniqueFd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  return opened;
}

Expected<void> take_lock(const UniqueFd& opened, int how, const fs::path& file, const Cache::OnWait& on_wait) {
  if (flock(opened.get(), how | LOCK_NB) == 0) return {};
  if (errno != EWOULDBLOCK) return last_error("flock", file.string());
  on_wait();
  while (flock(opened.get(), how) != 0) {
    if (errno != EINTR) return last_error("flock", file.string());
  }
  return {};
}

constexpr const char* kInUse = "in-use";

}  // namespace

Expected<Kernel> unpack_kernel(const std::vector<fs::path>& debs, const GuestModules& guest, const fs::path& into) {
  Kernel kernel{.image = into / kImage};
  const auto all = into / "all-modules";
  const auto kept = into / kModules;
  for (const auto& directory : {all, kept}) {
    if (auto made = make_directories(directory); !made) return std::unexpected(made.error());
  }
  bool has_modules = false;
  for (const auto& deb : debs) {
    const auto read = read_deb(deb, [&](std::string_view path_text) -> TakeFile {
      const fs::path path(path_text);
      if (is_image(path) && kernel.release.empty()) {
        kernel.release = release_of_image(path);
        return into_image(kernel.image);
      }
      if (is_configuration(path)) {
        kernel.configuration = into / kConfiguration;
        return into_file(kernel.configuration);
      }
      if (module_name(path_text).empty()) return {};
      has_modules = true;
      return into_file(all / path.filename());
    });
    if (!read) return std::unexpected(read.error());
  }
  if (kernel.release.empty()) {
    return failure("unpacking a kernel", 0, "there is no vmlinuz in " + (debs.empty() ? "nothing" : debs[0].string()));
  }
  const bool with_signatures = kernel.configuration.empty() || !loads_unsigned_modules(kernel.configuration);
  if (auto done = keep_wanted(all, guest, with_signatures, kept); !done) return std::unexpected(done.error());
  std::error_code ignored;
  fs::remove_all(all, ignored);
  if (has_modules) kernel.modules = kept;
  return kernel;
}

Expected<Cache> Cache::of_this_user() {
  constexpr const char* kName = "devmap-conformance";
  const char* const cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return Cache(fs::path(cache) / kName);
  const char* const home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return Cache(fs::path(home) / ".cache" / kName);
  return failure("cache of kernels", 0, "neither XDG_CACHE_HOME nor HOME is set");
}

std::optional<Kernel> Cache::find(const std::string& name) const {
  const auto directory = root_ / "kernels" / name;
  auto in_use = std::make_shared<UniqueFd>(open_lock(root_ / kInUse / name));
  if (*in_use && !take_lock(*in_use, LOCK_SH, directory, [] {})) return std::nullopt;
  const auto about = read_file((directory / kAbout).string());
  if (!about) return std::nullopt;
  const auto fields = nlohmann::json::parse(*about, nullptr, false);
  if (!fields.is_object() || !fields.contains("layout") || fields["layout"] != kLayout) return std::nullopt;
  const auto present = [&directory](const char* file) {
    std::error_code ignored;
    return fs::exists(directory / file, ignored) ? directory / file : fs::path();
  };
  Kernel kernel{.name = name,
                .release = fields.value("release", ""),
                .version = fields.value("version", ""),
                .image = present(kImage),
                .configuration = present(kConfiguration),
                .modules = fields.value("has_modules", false) ? present(kModules) : fs::path(),
                .in_use = std::move(in_use)};
  if (kernel.image.empty()) return std::nullopt;
  return kernel;
}

Expected<UniqueFd> Cache::lock(const OnWait& on_wait) const {
  if (auto made = make_directories(root_); !made) return std::unexpected(made.error());
  const auto file = root_ / "lock";
  auto opened = open_lock(file);
  if (!opened) return last_error("open", file.string());
  if (auto taken = take_lock(opened, LOCK_EX, file, on_wait); !taken) return std::unexpected(taken.error());
  for (const auto& parent : {root_, root_ / "kernels", downloads()}) TemporaryDirectory::remove_left_behind(parent);
  return opened;
}

void Cache::keep_downloads(const std::set<std::string>& file_names) const {
  std::error_code failed;
  std::vector<fs::path> others;
  for (fs::directory_iterator entries(downloads(), failed); !failed && entries != fs::directory_iterator();
       entries.increment(failed)) {
    if (!file_names.contains(entries->path().filename().string())) others.push_back(entries->path());
  }
  std::error_code ignored;
  for (const auto& file : others) fs::remove_all(file, ignored);
}

Expected<Kernel> Cache::place(const std::string& name, const std::string& version, const std::vector<fs::path>& debs,
                              const GuestModules& guest, const OnWait& on_wait) const {
  const auto kernels = root_ / "kernels";
  for (const auto& directory : {kernels, root_ / kInUse}) {
    if (auto made = make_directories(directory); !made) return std::unexpected(made.error());
  }
  const auto scratch = TemporaryDirectory::create(kernels);
  if (!scratch) return std::unexpected(scratch.error());
  const auto fresh = scratch->path() / "new";
  if (auto made = make_directories(fresh); !made) return std::unexpected(made.error());
  const auto kernel = unpack_kernel(debs, guest, fresh);
  if (!kernel) return std::unexpected(kernel.error());
  const nlohmann::json about = {{"layout", kLayout},
                                {"release", kernel->release},
                                {"version", version},
                                {"has_modules", !kernel->modules.empty()}};
  if (auto written = write_to(fresh / kAbout, about.dump(2) + "\n"); !written) return std::unexpected(written.error());
  const auto target = kernels / name;
  const auto guard = root_ / kInUse / name;
  auto alone = open_lock(guard);
  if (!alone) return last_error("open", guard.string());
  if (auto taken = take_lock(alone, LOCK_EX, guard, on_wait); !taken) return std::unexpected(taken.error());
  std::error_code failed;
  if (fs::exists(target, failed)) fs::rename(target, scratch->path() / "old", failed);
  if (!failed) fs::rename(fresh, target, failed);
  if (failed) return failure("placing a kernel", failed.value(), target.string());
  alone.reset();
  auto placed = find(name);
  if (!placed) return failure("placing a kernel", 0, target.string() + " cannot be read back");
  return *placed;
}

}  // namespace devmap::vm
