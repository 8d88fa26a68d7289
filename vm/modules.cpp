#include <vm/modules.hpp>

#include <vm/archive.hpp>
#include <vm/elf_file.hpp>

#include <gelf.h>
#include <libelf.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace devmap::vm {
namespace {

/// The .modinfo section: "key=value" texts, each with a NUL at its end.
Expected<std::string> modinfo(std::string content, const std::string& name) {
  elf_version(EV_CURRENT);
  const ElfFile elf(elf_memory(content.data(), content.size()));
  std::size_t names = 0;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || elf_getshdrstrndx(elf.get(), &names) != 0) {
    return failure("module " + name, 0, "no ELF file");
  }
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(elf.get(), section)) != nullptr) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr) continue;
    const char* const section_name = elf_strptr(elf.get(), names, header.sh_name);
    if (section_name == nullptr || std::string_view(section_name) != ".modinfo") continue;
    const Elf_Data* const data = elf_rawdata(section, nullptr);
    if (data == nullptr) break;
    return std::string(static_cast<const char*>(data->d_buf), data->d_size);
  }
  return failure("module " + name, 0, "it has no .modinfo section");
}

std::string with_underscores(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '-', '_');
  return text;
}

}  // namespace

std::string module_name(std::string_view path) {
  const auto slash = path.rfind('/');
  const auto file = slash == std::string_view::npos ? path : path.substr(slash + 1);
  const auto dot = file.find(".ko");
  if (dot == std::string_view::npos) return {};
  const auto rest = file.substr(dot);
  if (rest != ".ko" && rest != ".ko.xz" && rest != ".ko.gz" && rest != ".ko.zst") return {};
  return with_underscores(file.substr(0, dot));
}

Expected<std::vector<std::string>> needed_modules(const std::string& content, const std::string& name) {
  const auto info = modinfo(content, name);
  if (!info) return std::unexpected(info.error());
  constexpr std::string_view kKey = "depends=";
  std::vector<std::string> needed;
  for (std::string_view rest = *info; !rest.empty();) {
    const auto end = rest.find('\0');
    auto text = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    if (!text.starts_with(kKey)) continue;
    text.remove_prefix(kKey.size());
    while (!text.empty()) {
      const auto comma = text.find(',');
      needed.push_back(with_underscores(text.substr(0, comma)));
      text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    }
  }
  return needed;
}

Expected<ModuleTree> ModuleTree::scan(const std::filesystem::path& directory) {
  ModuleTree tree;
  if (directory.empty()) return tree;
  std::error_code failed;
  // Links are not followed: "build" and "source" lead out of the tree.
  std::filesystem::recursive_directory_iterator files(directory, failed);
  for (; !failed && files != std::filesystem::recursive_directory_iterator(); files.increment(failed)) {
    const auto name = module_name(files->path().native());
    if (!name.empty()) tree.files_.emplace(name, files->path());
  }
  if (failed) return failure("modules", failed.value(), directory.string());
  return tree;
}

Expected<void> ModuleTree::add(const std::string& name, std::set<std::string>& already, LoadOrder& order) const {
  if (!already.insert(name).second) return {};
  const auto file = files_.find(name);
  if (file == files_.end()) {
    order.missing.push_back(name);
    return {};
  }
  auto content = read_decompressed(file->second);
  if (!content) return std::unexpected(content.error());
  const auto needed = needed_modules(*content, file->second.string());
  if (!needed) return std::unexpected(needed.error());
  for (const auto& first : *needed) {
    if (auto added = add(first, already, order); !added) return added;
  }
  order.modules.emplace_back(name, std::move(*content));
  return {};
}

Expected<LoadOrder> ModuleTree::load_order(const std::vector<std::string>& wanted,
                                           std::set<std::string>& already) const {
  LoadOrder order;
  for (const auto& name : wanted) {
    if (auto added = add(with_underscores(name), already, order); !added) return std::unexpected(added.error());
  }
  return order;
}

}  // namespace devmap::vm
