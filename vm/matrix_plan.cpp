#include <vm/matrix_plan.hpp>

#include <vm/choice.hpp>
#include <vm/kernel_source.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <filesystem>
#include <harness/base/kernel_version.hpp>
#include <nlohmann/json.hpp>

namespace devmap::vm {
namespace {

/// A path becomes part of a file's name: "build/bzImage" is "build-bzImage".
std::string label_of_path(const std::string& path) {
  auto label = std::filesystem::path(path).lexically_normal().string();
  std::ranges::replace(label, '/', '-');
  const auto begin = label.find_first_not_of("-.");
  return begin == std::string::npos ? "kernel" : label.substr(begin);
}

PlannedKernel planned(const Catalogue& catalogue, const std::string& asked) {
  if (const auto* const entry = catalogue.find(asked)) return {.asked = asked, .label = entry->label, .entry = *entry};
  const bool is_path = asked != kNewest && asked != kHost;
  return {.asked = asked, .label = is_path ? label_of_path(asked) : asked, .entry = {}, .is_path = is_path};
}

}  // namespace

Expected<std::vector<PlannedKernel>> plan_matrix(const Catalogue& catalogue, const std::string& set,
                                                 const std::vector<std::string>& kernels) {
  auto names = kernels;
  if (names.empty()) {
    auto of_set = kernels_of_set(catalogue, set);
    if (!of_set) return std::unexpected(of_set.error());
    names = std::move(*of_set);
  }
  std::vector<PlannedKernel> plan;
  for (const auto& name : names) {
    auto kernel = planned(catalogue, name);
    if (std::ranges::find(plan, name, &PlannedKernel::asked) != plan.end()) continue;
    std::error_code failed;
    if (kernel.is_path && !std::filesystem::exists(name, failed)) {
      return failure("kernel " + name, 0, "neither a name of the catalogue (devmap-vm kernels) nor a file");
    }
    const auto same = std::ranges::find(plan, kernel.label, &PlannedKernel::label);
    if (same != plan.end()) {
      return failure("kernel " + name, 0, fmt::format("its record would be that of {}", same->asked));
    }
    plan.push_back(std::move(kernel));
  }
  return plan;
}

bool has_all_kernels(const Catalogue& catalogue, const std::vector<PlannedKernel>& plan) {
  const auto* const full = catalogue.find_set("full");
  return full != nullptr && std::ranges::all_of(full->kernels, [&plan](const std::string& name) {
           return std::ranges::find(plan, name, &PlannedKernel::asked) != plan.end();
         });
}

double expected_seconds(const PlannedKernel& kernel, bool has_modules) {
  constexpr double kUsual = 50;
  constexpr double kPerMinorVersion = 0.5;
  constexpr double kWithoutModules = 0.3;
  constexpr double kRealTime = 1.3;
  constexpr double kWithoutJit = 1.2;
  constexpr int kMinorVersions = 20;
  const auto version = KernelVersion::parse(kernel.entry.series).value_or(KernelVersion{});
  double seconds = kUsual + kPerMinorVersion * (version.major * kMinorVersions + version.minor);
  if (!has_modules) seconds *= kWithoutModules;
  if (kernel.entry.flavour.starts_with("rt")) seconds *= kRealTime;
  if (kernel.entry.jit == "off") seconds *= kWithoutJit;
  return seconds;
}

std::string github_matrix(const std::vector<PlannedKernel>& plan) {
  auto include = nlohmann::ordered_json::array();
  for (const auto& kernel : plan) {
    include.push_back({{"kernel", kernel.asked},
                       {"label", kernel.label},
                       {"series", kernel.entry.series},
                       {"architecture", kernel.entry.architecture}});
  }
  return nlohmann::ordered_json{{"include", std::move(include)}}.dump();
}

}  // namespace devmap::vm
