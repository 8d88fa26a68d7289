#include <reports/kernel.hpp>

#include <fmt/format.h>
#include <array>
#include <string_view>
#include <vector>

namespace devmap::reports {
namespace {

constexpr std::string_view kUsualMachine = "x86_64";

/// The version in a build string such as "#1 SMP Debian 6.1.192-2 (2026-11-16)".
KernelVersion version_of_build(std::string_view build) {
  constexpr std::string_view kMark = "Debian ";
  const auto mark = build.find(kMark);
  if (mark == std::string_view::npos) return {};
  return KernelVersion::parse(build.substr(mark + kMark.size())).value_or(KernelVersion{});
}

}  // namespace

Kernel Kernel::of(const RunContext& context) {
  const auto release = KernelVersion::parse(context.release).value_or(KernelVersion{});
  const auto build = version_of_build(context.version);
  const auto config = context.config.find("CONFIG_PREEMPT_RT");
  return {.label = context.kernel_label,
          .version = build.same_series(release) && build > release ? build : release,
          .machine = context.machine,
          .real_time = (config != context.config.end() && config->second == "y") ||
                       context.version.find("PREEMPT_RT") != std::string::npos,
          .jit = context.jit};
}

std::string Kernel::short_name() const {
  return version == KernelVersion{} ? label : version.text();
}

std::string Kernel::marks() const {
  std::vector<std::string> marks;
  if (machine != kUsualMachine) marks.push_back(machine);
  if (real_time) marks.emplace_back("RT");
  if (jit == "off") marks.emplace_back("no JIT");
  if (jit == "hardened") marks.emplace_back("JIT hardened");
  return fmt::format("{}", fmt::join(marks, ", "));
}

std::string Kernel::name() const {
  const auto marked = marks();
  return marked.empty() ? short_name() : fmt::format("{} ({})", short_name(), marked);
}

std::tuple<KernelVersion, bool, std::string, bool, bool, std::string> Kernel::order() const {
  return {version, machine != kUsualMachine, machine, real_time, jit != "on", label};
}

}  // namespace devmap::reports
