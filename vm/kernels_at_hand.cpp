#include <vm/kernels_at_hand.hpp>

#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/fetch_command.hpp>
#include <vm/files.hpp>
#include <vm/kernel_source.hpp>

#include <fmt/format.h>
#include <optional>
#include <utility>

namespace devmap::vm {

void fetch_missing(const std::string& catalogue_file, const std::vector<PlannedKernel>& plan) {
  FetchOptions wanted{.only_missing = true};
  for (const auto& kernel : plan) {
    if (!kernel.entry.name.empty()) wanted.names.push_back(kernel.asked);
  }
  if (wanted.names.empty()) return;
  if (fetch_kernels(catalogue_file, wanted) != kExitDone) mention("going on with the kernels that are here");
}

std::vector<PlannedKernel> without_unserved(const Catalogue& catalogue, std::vector<PlannedKernel> plan) {
  std::erase_if(plan, [&](const PlannedKernel& planned) {
    if (!planned.entry.while_served) return false;
    std::optional<TemporaryDirectory> unpacked;
    const auto found = find_kernel(catalogue, planned.asked, unpacked);
    if (found) return false;
    mention(fmt::format("{}; passed over, for it may be served no more", found.error().text()));
    return true;
  });
  return plan;
}

}  // namespace devmap::vm
