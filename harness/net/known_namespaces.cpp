#include <harness/net/known_namespaces.hpp>

#include <fcntl.h>
#include <linux/net_namespace.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <filesystem>
#include <harness/base/unique_fd.hpp>
#include <harness/net/link_request.hpp>
#include <set>

namespace devmap {
namespace {

constexpr const char* kNamed = "/run/netns";
constexpr const char* kOwn = "/proc/thread-self/ns/net";

bool is_number(const std::string& text) {
  return !text.empty() && std::ranges::all_of(text, [](char letter) { return letter >= '0' && letter <= '9'; });
}

KnownNamespace of_name(const std::string& name) {
  return {.path = fmt::format("{}/{}", kNamed, name),
          .title = "namespace " + name,
          .enter = fmt::format("ip netns exec {}", name)};
}

KnownNamespace of_process(const std::string& pid) {
  const auto path = fmt::format("/proc/{}/ns/net", pid);
  return {.path = path, .title = "the namespace of process " + pid, .enter = "nsenter --net=" + path};
}

std::vector<std::string> entries_of(const char* directory) {
  std::vector<std::string> names;
  std::error_code gone;
  for (std::filesystem::directory_iterator entry(directory, gone), end; !gone && entry != end; entry.increment(gone)) {
    names.push_back(entry->path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

/// What tells namespaces apart; 0 where it cannot be seen.
ino_t identity(const std::string& path) {
  struct stat status{};
  return stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

std::int32_t id_here(int namespace_fd) {
  std::int32_t id = NETNSA_NSID_NOT_ASSIGNED;
  const auto asked = carry_out(
      Asked("get namespace id", {}),
      [namespace_fd](nl_msg** message) {
        *message = nlmsg_alloc_simple(RTM_GETNSID, 0);
        if (*message == nullptr) return -NLE_NOMEM;
        rtgenmsg family{};
        const int appended = nlmsg_append(*message, &family, sizeof family, NLMSG_ALIGNTO);
        return appended < 0 ? appended : nla_put_s32(*message, NETNSA_FD, namespace_fd);
      },
      [&id](nlmsghdr* answer) {
        std::array<nlattr*, NETNSA_MAX + 1> all{};
        nlmsg_parse(answer, sizeof(rtgenmsg), all.data(), NETNSA_MAX, nullptr);
        if (all[NETNSA_NSID] != nullptr) id = nla_get_s32(all[NETNSA_NSID]);
      });
  return asked ? id : NETNSA_NSID_NOT_ASSIGNED;
}

}  // namespace

KnownNamespace namespace_called(const std::string& name) {
  if (name.contains('/')) return {.path = name, .title = "namespace " + name, .enter = "nsenter --net=" + name};
  return is_number(name) && identity(of_name(name).path) == 0 ? of_process(name) : of_name(name);
}

std::vector<KnownNamespace> other_namespaces() {
  std::vector<KnownNamespace> candidates;
  std::ranges::transform(entries_of(kNamed), std::back_inserter(candidates), of_name);
  for (const auto& entry : entries_of("/proc")) {
    if (is_number(entry)) candidates.push_back(of_process(entry));
  }
  std::set<ino_t> seen = {0, identity(kOwn)};
  std::erase_if(candidates, [&seen](const KnownNamespace& known) { return !seen.insert(identity(known.path)).second; });
  return candidates;
}

KnownNamespace current_namespace() {
  const auto path = fmt::format("/proc/self/task/{}/ns/net", gettid());
  return {.path = path, .title = "this namespace", .enter = {}};
}

bool is_current(const KnownNamespace& known) {
  return identity(known.path) == identity(kOwn);
}

std::optional<KnownNamespace> namespace_with_id(std::int32_t id, const KnownNamespace& candidate) {
  const auto has_id = [id](const KnownNamespace& known) {
    const UniqueFd fd(open(known.path.c_str(), O_RDONLY | O_CLOEXEC));
    return fd && id_here(fd.get()) == id;
  };
  if (has_id(candidate)) return candidate;
  auto others = other_namespaces();
  const auto found = std::ranges::find_if(others, has_id);
  return found == others.end() ? std::nullopt : std::optional(std::move(*found));
}

}  // namespace devmap
