#include <vm/kernels_command.hpp>

#include <vm/choice.hpp>
#include <vm/command_support.hpp>
#include <vm/commands.hpp>
#include <vm/process.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

namespace devmap::vm {
namespace {

constexpr std::size_t kColumns = 7;
using Row = std::array<std::string, kColumns>;

std::string way_of(const KernelEntry& entry) {
  std::string way;
  if (entry.suite_architecture != entry.architecture) way += ", suite of " + entry.suite_architecture;
  if (!entry.jit.empty()) way += ", jit " + entry.jit;
  if (!entry.command_line.empty()) way += ", " + entry.command_line;
  return way;
}

std::string needs_of(const ListedKernel& kernel) {
  std::string needs;
  if (!kernel.cached) needs = "to be fetched";
  if (!kernel.has_qemu) needs += (needs.empty() ? "" : ", ") + std::string("QEMU");
  return needs.empty() ? "nothing" : needs;
}

Row row_of(const ListedKernel& kernel) {
  const auto& entry = kernel.entry;
  const auto from = entry.is_variation() ? "as " + entry.kept_as
                                         : fmt::format("{}", fmt::join(entry.suites, ", ")) +
                                               (entry.version.empty() ? "" : ", only " + entry.version);
  auto cached = kernel.cached ? kernel.cached->version : std::string("no");
  if (kernel.cached && kernel.cached->modules.empty()) cached += ", no modules";
  return {entry.name, entry.series, entry.flavour + way_of(entry), entry.architecture, from, cached, needs_of(kernel)};
}

bool has_qemu(const KernelEntry& entry) {
  const auto* const architecture = architecture_named(entry.architecture);
  return architecture != nullptr && find_program(std::string(architecture->qemu)).has_value();
}

}  // namespace

std::string render_kernel_list(const std::vector<ListedKernel>& kernels, const std::vector<KernelSet>& sets) {
  std::vector<Row> rows = {{"name", "series", "flavour", "architecture", "from", "cached", "needs"}};
  for (const auto& kernel : kernels) rows.push_back(row_of(kernel));
  std::array<std::size_t, kColumns> widths{};
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths.at(i) = std::max(widths.at(i), row.at(i).size());
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i + 1 < kColumns; ++i) text += fmt::format("{:<{}}  ", row.at(i), widths.at(i));
    text += row.back() + "\n";
  }
  if (!sets.empty()) text += "\n";
  for (const auto& set : sets) {
    const auto all = set.kernels.size() == kernels.size();
    text += fmt::format("set {}: {}\n", set.name,
                        all ? std::string("all of them") : fmt::format("{}", fmt::join(set.kernels, " ")));
  }
  return text;
}

int list_kernels(const std::string& catalogue_file) {
  const auto catalogue = read_catalogue(catalogue_file);
  if (!catalogue) return complain(catalogue.error().text(), kExitUsage);
  const auto cache = Cache::of_this_user();
  if (!cache) return complain(cache.error().text(), kExitBroken);
  std::vector<ListedKernel> kernels;
  for (const auto& entry : catalogue->kernels) {
    kernels.push_back({.entry = entry, .cached = cache->find(entry.kept_as), .has_qemu = has_qemu(entry)});
  }
  fmt::print("{}", render_kernel_list(kernels, catalogue->sets));
  return kExitDone;
}

}  // namespace devmap::vm
