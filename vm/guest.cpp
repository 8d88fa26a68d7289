#include <vm/guest.hpp>

#include <vm/archive.hpp>
#include <vm/guest/plan.hpp>
#include <vm/modules.hpp>

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <harness/base/file.hpp>
#include <set>

namespace devmap::vm {
namespace {

constexpr const char* kSuite = "/devmap-conformance";
/// The port of its own that the suite tells the host by what it does.
constexpr const char* kStream = "stream:/dev/vport0p2";

RootEntry directory(std::string path) {
  return {.path = std::move(path), .type = RootEntry::Type::directory, .permissions = 0755};
}

Expected<std::vector<Plan::Module>> add_modules(const ModuleTree& tree, const std::vector<std::string>& names,
                                                const GuestModules& wanted, std::set<std::string>& already,
                                                std::vector<RootEntry>& entries, std::vector<std::string>& missing) {
  auto order = tree.load_order(names, already);
  if (!order) return std::unexpected(order.error());
  std::ranges::move(order->missing, std::back_inserter(missing));
  std::vector<Plan::Module> modules;
  modules.reserve(order->modules.size());
  for (auto& module : order->modules) {
    const auto parameters = wanted.parameters.find(module.name);
    const std::string path = "modules/" + module.name + ".ko";
    modules.emplace_back("/" + path, parameters == wanted.parameters.end() ? std::string() : parameters->second);
    entries.push_back({.path = path, .content = std::move(module.content)});
  }
  return modules;
}

}  // namespace

Expected<Guest> make_guest(const Kernel& kernel, const GuestModules& wanted, const GuestParts& parts) {
  const auto tree = ModuleTree::scan(kernel.modules);
  if (!tree) return std::unexpected(tree.error());
  Guest guest;
  Plan plan;
  std::vector<RootEntry> entries;
  for (const auto* const path : {"bin", "boot", "dev", "modules", "proc", "sys", "tmp"})
    entries.push_back(directory(path));
  // Without it the guest's first process has no standard output.
  entries.push_back(
      {.path = "dev/console", .type = RootEntry::Type::character_device, .permissions = 0600, .major = 5, .minor = 1});
  std::set<std::string> already;
  auto transport = add_modules(*tree, wanted.transport, wanted, already, entries, guest.missing_modules);
  if (!transport) return std::unexpected(transport.error());
  // Kernels of late have these built in, and no file of them.
  guest.missing_modules.clear();
  auto modules = add_modules(*tree, wanted.modules, wanted, already, entries, guest.missing_modules);
  if (!modules) return std::unexpected(modules.error());
  plan.transport_modules = std::move(*transport);
  plan.modules = std::move(*modules);
  plan.limit_s = parts.limit_s;
  plan.on_console = !parts.on_console.empty();
  plan.command = plan.on_console ? parts.on_console : std::vector<std::string>{kSuite};
  if (!plan.on_console) std::ranges::copy(parts.arguments, std::back_inserter(plan.command));
  if (parts.streams && !plan.on_console) plan.command.insert(plan.command.end(), {"-o", kStream});
  for (const auto& [path, content] : parts.files) {
    entries.push_back({.path = path, .content = content, .permissions = 0755});
  }
  plan.settings = parts.settings;

  if (!kernel.configuration.empty() && !kernel.release.empty()) {
    auto configuration = read_file(kernel.configuration.string());
    if (!configuration) return std::unexpected(configuration.error());
    entries.push_back({.path = "boot/config-" + kernel.release, .content = std::move(*configuration)});
  }
  entries.push_back({.path = "plan", .content = render_plan(plan)});
  entries.push_back({.path = "init", .content = std::string(parts.init), .permissions = 0755});
  entries.push_back({.path = kSuite + 1, .content = std::string(parts.suite), .permissions = 0755});
  auto image = make_initramfs(entries);
  if (!image) return std::unexpected(image.error());
  guest.root_image = std::move(*image);
  return guest;
}

Expected<std::string> loaded_part(std::string executable, const std::string& name) {
  Elf64_Ehdr header{};
  if (executable.size() < sizeof header || !executable.starts_with(ELFMAG) || executable.at(EI_CLASS) != ELFCLASS64) {
    return failure("the suite", 0, name + " is no 64-bit executable");
  }
  std::memcpy(&header, executable.data(), sizeof header);
  std::size_t end = header.e_phoff + std::size_t{header.e_phnum} * header.e_phentsize;
  if (header.e_phentsize != sizeof(Elf64_Phdr) || end > executable.size()) {
    return failure("the suite", 0, name + " is cut short");
  }
  for (std::size_t i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part{};
    std::memcpy(&part, executable.data() + header.e_phoff + i * sizeof part, sizeof part);
    if (part.p_type == PT_INTERP) {
      return failure("the suite", 0, name + " is not linked statically, and a guest has no libraries");
    }
    end = std::max(end, static_cast<std::size_t>(part.p_offset + part.p_filesz));
  }
  if (end > executable.size()) return failure("the suite", 0, name + " is cut short");
  header.e_shoff = 0;
  header.e_shnum = 0;
  header.e_shstrndx = SHN_UNDEF;
  std::memcpy(executable.data(), &header, sizeof header);
  executable.resize(end);
  return executable;
}

}  // namespace devmap::vm
