#include <vm/choice.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <harness/base/file.hpp>

namespace devmap::vm {

Expected<std::vector<std::string>> kernels_of_set(const Catalogue& catalogue, const std::string& set) {
  if (const auto* const found = catalogue.find_set(set)) return found->kernels;
  const auto text = read_file(set);
  if (text) return parse_set(*text, set);
  std::vector<std::string> names;
  names.reserve(catalogue.sets.size());
  for (const auto& known : catalogue.sets) names.push_back(known.name);
  return failure("set " + set, text.error().code,
                 fmt::format("neither one of {} nor a file that can be read", fmt::join(names, ", ")));
}

Expected<std::vector<KernelEntry>> entries_named(const Catalogue& catalogue, const std::vector<std::string>& names) {
  std::vector<KernelEntry> entries;
  for (const auto& name : names) {
    const auto* const entry = catalogue.find(name);
    if (entry == nullptr) {
      return failure("kernel " + name, 0, "the catalogue has none of this name; devmap-vm kernels lists them");
    }
    if (std::ranges::find(entries, name, &KernelEntry::name) == entries.end()) entries.push_back(*entry);
  }
  return entries;
}

}  // namespace devmap::vm
