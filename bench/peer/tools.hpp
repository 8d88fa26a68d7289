#pragma once

#include <harness/base/error.hpp>
#include <harness/base/kernel_version.hpp>
#include <vm/process.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::bench {

/// Three numbers, and ordered like those of kernels.
using ToolsVersion = KernelVersion;

/// What programs of xdp-tools say of themselves: "xdp-bench version 1.6.3 using libbpf version 1.7.0".
[[nodiscard]] std::optional<ToolsVersion> tools_version_in(std::string_view text);

/// Why a version of xdp-tools does not work on a kernel, where this is known; otherwise empty.
[[nodiscard]] std::string why_unusable(const ToolsVersion& tools, const KernelVersion& kernel);

/// xdp-trafficgen and xdp-bench, installed or somewhere below a directory.
class XdpTools {
 public:
  /// An unpacked tree of Debian's packages, or a directory with the programs in it. Where the tree has a dynamic
  /// loader, its programs are run by that one, with the libraries beside it. Fails where a program is missing or does
  /// not tell its version.
  [[nodiscard]] static Expected<XdpTools> below(const std::string& directory);
  /// By PATH, and in /usr/sbin.
  [[nodiscard]] static Expected<XdpTools> installed();

  [[nodiscard]] const ToolsVersion& version() const { return version_; }
  [[nodiscard]] vm::Invocation trafficgen(std::vector<std::string> arguments) const;
  [[nodiscard]] vm::Invocation bench(std::vector<std::string> arguments) const;

 private:
  XdpTools() = default;
  [[nodiscard]] vm::Invocation invocation(const std::string& program, std::vector<std::string> arguments) const;
  [[nodiscard]] Expected<void> ask_version();

  std::string trafficgen_;
  std::string bench_;
  /// Empty for the system's.
  std::string loader_;
  std::string libraries_;
  std::string objects_;
  ToolsVersion version_;
};

/// Where scripts/fetch-xdp-tools unpacks them; empty where there is no such directory.
[[nodiscard]] std::string fetched_tools_directory();

/// Those below `directory`, or if that is empty the installed ones, or else those that scripts/fetch-xdp-tools got: the
/// first that work on this kernel. The error's context says in one line what was found, and what to do.
[[nodiscard]] Expected<XdpTools> find_xdp_tools(const std::string& directory, const KernelVersion& kernel);

}  // namespace devmap::bench
