#pragma once

#include <harness/base/error.hpp>
#include <harness/net/netns.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// Network namespaces that have a name, or a process.
namespace devmap {

struct KnownNamespace {
  /// What it can be opened by: "/run/netns/blue", "/proc/12/ns/net".
  std::string path = {};
  /// For a person: "namespace blue", "the namespace of process 12".
  std::string title = {};
  /// What to put before a command to run it there: "ip netns exec blue", "nsenter --net=/proc/12/ns/net".
  std::string enter = {};
};

/// By the name `ip netns` gives it, by the number of a process in it, or by a path.
[[nodiscard]] KnownNamespace namespace_called(const std::string& name);

/// All but the calling thread's, as far as the caller may see them: those of `ip netns` first, then those of processes,
/// each once. Nothing is entered.
[[nodiscard]] std::vector<KnownNamespace> other_namespaces();

/// The calling thread's, by a path that holds as long as the thread is in it, for other threads of the process.
[[nodiscard]] KnownNamespace current_namespace();
/// Whether it is the calling thread's.
[[nodiscard]] bool is_current(const KnownNamespace& known);

/// The one that has this id in the calling thread's namespace (RTM_GETNSID; net/core/net_namespace.c:rtnl_net_getid),
/// if it is this candidate, or among other_namespaces(). Needs no privilege.
[[nodiscard]] std::optional<KnownNamespace> namespace_with_id(std::int32_t id, const KnownNamespace& candidate);

}  // namespace devmap
