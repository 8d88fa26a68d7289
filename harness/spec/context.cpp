#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/bpf/features.hpp>
#include <harness/spec/build_info.hpp>
#include <harness/spec/context.hpp>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>

namespace devmap {
namespace {

/// The options that decide what a device map can do here.
constexpr std::string_view kOptions[] = {
    "CONFIG_BPF_JIT_ALWAYS_ON",
    "CONFIG_BPF_SYSCALL",
    "CONFIG_BPF_UNPRIV_DEFAULT_OFF",
    "CONFIG_BONDING",
    "CONFIG_DUMMY",
    "CONFIG_DEBUG_INFO_BTF",
    "CONFIG_HZ",
    "CONFIG_IRQ_TIME_ACCOUNTING",
    "CONFIG_MACVLAN",
    "CONFIG_NETKIT",
    "CONFIG_PREEMPT_RT",
    "CONFIG_TUN",
    "CONFIG_KASAN",
    "CONFIG_LOCKDEP",
    "CONFIG_VETH",
    "CONFIG_VLAN_8021Q",
};

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

/// The kernel's configuration file: /proc/config.gz, or what the distribution put beside the kernel.
std::optional<std::string> kernel_config(const std::string& release) {
  // gzread also reads files that are not compressed.
  for (const auto& path : {std::string("/proc/config.gz"), "/boot/config-" + release,
                           "/lib/modules/" + release + "/config", "/usr/lib/modules/" + release + "/config"}) {
    gzFile file = gzopen(path.c_str(), "rbe");
    if (file == nullptr) continue;
    std::string text;
    std::array<char, 16384> block;
    int got = 0;
    while ((got = gzread(file, block.data(), block.size())) > 0)
      text.append(block.data(), static_cast<std::size_t>(got));
    gzclose(file);
    return text;
  }
  return std::nullopt;
}

std::map<std::string, std::string> config_facts(const std::string& text) {
  std::map<std::string, std::string> facts;
  for (const auto option : kOptions) facts.emplace(option, "n");
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const auto equals = line.find('=');
    const auto fact = facts.find(line.substr(0, equals));
    if (equals != std::string::npos && fact != facts.end()) fact->second = line.substr(equals + 1);
  }
  return facts;
}

/// Of kernels without the compiler, and of network namespaces in which its settings are not to be seen.
std::string jit_without_settings() {
  switch (features::jit().probe().presence) {
    case Presence::present:
      return "on";
    case Presence::absent:
      return "off";
    default:
      return "unknown";
  }
}

std::string jit_state() {
  const auto enabled = read_file("/proc/sys/net/core/bpf_jit_enable");
  if (!enabled) return jit_without_settings();
  if (trimmed(*enabled) == "0") return "off";
  const auto hardened = read_file("/proc/sys/net/core/bpf_jit_harden");
  return hardened && trimmed(*hardened) != "0" ? "hardened" : "on";
}

std::map<std::string, std::string> mitigation_facts() {
  std::map<std::string, std::string> facts;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/sys/devices/system/cpu/vulnerabilities", ignored)) {
    const auto text = read_file(entry.path());
    if (text && text->starts_with("Mitigation")) facts.emplace(entry.path().filename(), trimmed(*text));
  }
  return facts;
}

}  // namespace

SuiteIdentity suite_of_this_build() {
  return {.version = build::kVersion, .commit = build::kCommit};
}

RunContext context_of_this_machine() {
  utsname names{};
  uname(&names);
  RunContext context{.release = names.release, .version = names.version, .machine = names.machine};
  context.kernel_label = context.release;
  context.jit = jit_state();
  context.cpus = std::thread::hardware_concurrency();
  context.page_size = sysconf(_SC_PAGESIZE);
  if (const auto config = kernel_config(context.release)) context.config = config_facts(*config);
  context.mitigations = mitigation_facts();
  context.started = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  return context;
}

}  // namespace devmap
