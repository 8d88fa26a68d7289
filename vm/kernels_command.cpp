#include <vm/cache.hpp>
#include <vm/command_support.hpp>
#include <vm/commands.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace devmap::vm {

int list_kernels(const std::string& catalogue_file) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  const auto cache = Cache::of_this_user();
  if (!cache) return complain(cache.error().text(), kExitBroken);
  fmt::print("{:<10} {:<14} {:<40} {}\n", "name", "flavour", "suites", "fetched");
  for (const auto& entry : catalogue->kernels) {
    std::string fetched = "no";
    if (const auto kernel = cache->find(entry.name)) {
      fetched = kernel->version + (kernel->modules.empty() ? ", without modules" : "");
    }
    fmt::print("{:<10} {:<14} {:<40} {}\n", entry.name, entry.flavour, fmt::format("{}", fmt::join(entry.suites, ", ")),
               fetched);
  }
  return kExitDone;
}

}  // namespace devmap::vm
