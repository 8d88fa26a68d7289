#include <reports/kernel.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

namespace devmap::reports {
namespace {

constexpr std::string_view kUsualMachine = "x86_64";
const std::string kDigits = "0123456789";

/// "6.1.192-2" of a build string such as "#1 SMP Debian 6.1.192-2 (2026-11-16)"; empty where there is none.
std::string_view package_of_build(std::string_view build) {
  constexpr std::string_view kMark = "Debian ";
  const auto mark = build.find(kMark);
  if (mark == std::string_view::npos) return {};
  const auto package = build.substr(mark + kMark.size());
  return package.substr(0, package.find(' '));
}

/// "rc7" of "7.3.0-rc7+" and of "7.3~rc7-1".
std::string candidate_in(std::string_view version) {
  for (const std::string_view mark : {"-rc", "~rc"}) {
    const auto at = version.find(mark);
    if (at == std::string_view::npos) continue;
    const auto number = version.substr(at + mark.size());
    const auto digits = number.substr(0, number.find_first_not_of(kDigits));
    if (!digits.empty()) return fmt::format("rc{}", digits);
  }
  return {};
}

/// The words of a label such as "7.3-bpf-open" after its version. The release that a label is by default says nothing.
std::vector<std::string> words_of_label(const std::string& label, const std::string& release) {
  const auto end_of_version = std::min(label.find_first_not_of(kDigits + "."), label.size());
  if (release.starts_with(label) || !KernelVersion::parse(label) || label[end_of_version] != '-') return {};
  std::vector<std::string> words;
  std::istringstream rest(label.substr(end_of_version + 1));
  for (std::string word; std::getline(rest, word, '-');) words.push_back(word);
  return words;
}

/// What a label says that the kernel's other members do not.
std::string variant_of(const Kernel& kernel, const std::string& release) {
  auto words = words_of_label(kernel.label, release);
  if (kernel.real_time) std::erase(words, "rt");
  if (!kernel.candidate.empty()) std::erase_if(words, [](const std::string& word) { return word.starts_with("rc"); });
  const std::array jit = {std::string("jit"), kernel.jit};
  if (const auto told = std::ranges::search(words, jit); !told.empty()) words.erase(told.begin(), told.end());
  return fmt::format("{}", fmt::join(words, "-"));
}

}  // namespace

Kernel Kernel::of(const RunContext& context) {
  const auto release = KernelVersion::parse(context.release).value_or(KernelVersion{});
  const auto package = package_of_build(context.version);
  const auto build = KernelVersion::parse(package).value_or(KernelVersion{});
  const auto config = context.config.find("CONFIG_PREEMPT_RT");
  Kernel kernel{.label = context.kernel_label,
                .version = build.same_series(release) && build > release ? build : release,
                .candidate = candidate_in(context.release),
                .machine = context.machine,
                .real_time = (config != context.config.end() && config->second == "y") ||
                             context.version.find("PREEMPT_RT") != std::string::npos,
                .jit = context.jit,
                .variant = {}};
  if (kernel.candidate.empty() && build.same_series(release)) kernel.candidate = candidate_in(package);
  kernel.variant = variant_of(kernel, context.release);
  return kernel;
}

std::string Kernel::short_name() const {
  if (version == KernelVersion{}) return label;
  return candidate.empty() ? version.text() : fmt::format("{}-{}", version.text(), candidate);
}

std::string Kernel::kind() const {
  std::vector<std::string> marks;
  if (!machine.empty() && machine != kUsualMachine) marks.push_back(machine);
  if (real_time) marks.emplace_back("RT");
  if (jit == "off") marks.emplace_back("no JIT");
  if (jit == "hardened") marks.emplace_back("JIT hardened");
  if (!variant.empty()) marks.push_back(variant);
  return fmt::format("{}", fmt::join(marks, ", "));
}

std::string Kernel::marks() const {
  const auto of_kind = kind();
  if (!shows_label) return of_kind;
  return of_kind.empty() ? label : fmt::format("{}, {}", of_kind, label);
}

std::string Kernel::name() const {
  const auto marked = marks();
  return marked.empty() ? short_name() : fmt::format("{} ({})", short_name(), marked);
}

std::tuple<KernelVersion, bool, std::string, bool, std::string, bool, bool, std::string, std::string> Kernel::order()
    const {
  return {version,     candidate.empty(), candidate, machine != kUsualMachine, machine, real_time,
          jit != "on", variant,           label};
}

void tell_apart(std::vector<Kernel>& kernels) {
  std::map<std::string, std::set<std::string>> labels;
  for (const auto& kernel : kernels) labels[kernel.name()].insert(kernel.label);
  for (auto& kernel : kernels) kernel.shows_label = labels[kernel.name()].size() > 1;
}

}  // namespace devmap::reports
