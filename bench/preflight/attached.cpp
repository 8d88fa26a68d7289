#include <bench/preflight/attached.hpp>

#include <linux/bpf.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <filesystem>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/syscall.hpp>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <system_error>

namespace devmap::bench {
namespace {

namespace fs = std::filesystem;
using NameBuffer = std::array<char, 128>;

std::optional<std::uint32_t> number_in(const std::string& text) {
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::string_view means_of(std::uint32_t descriptor_type) {
  switch (descriptor_type) {
    case BPF_FD_TYPE_RAW_TRACEPOINT:
      return "raw tracepoint";
    case BPF_FD_TYPE_TRACEPOINT:
      return "perf event";
    case BPF_FD_TYPE_KPROBE:
    case BPF_FD_TYPE_KRETPROBE:
      return "kprobe";
    default:
      return "uprobe";
  }
}

/// Descriptors that may have a BPF program at a tracepoint or a probe, by what /proc says they are.
bool may_listen(const std::string& link) {
  constexpr std::array kKinds = {"anon_inode:[perf_event]", "anon_inode:bpf-raw-tracepoint", "anon_inode:bpf_link"};
  return std::ranges::find(kKinds, link) != kKinds.end();
}

std::optional<AttachedTo> ask_about(std::uint32_t process, std::uint32_t descriptor) {
  NameBuffer name{};
  bpf_attr attr{};
  attr.task_fd_query.pid = process;
  attr.task_fd_query.fd = descriptor;
  attr.task_fd_query.buf = pointer_word(name.data());
  attr.task_fd_query.buf_len = name.size();
  if (sys_bpf(BPF_TASK_FD_QUERY, attr) < 0) return std::nullopt;  // no program there, or gone meanwhile
  return AttachedTo{.name = name.data(),
                    .means = fmt::format("{} of process {}", means_of(attr.task_fd_query.fd_type), process)};
}

/// Calls `look(id)` for the ids of all objects of a kind; the attributes with an id share its place.
template <class Look>
Expected<void> for_each_id(bpf_cmd next_id, const char* name, Look look) {
  for (std::uint32_t id = 0;;) {
    bpf_attr attr{};
    attr.start_id = id;
    const long result = sys_bpf(next_id, attr);
    if (result == -ENOENT) return {};
    if (result < 0) return failure(name, static_cast<int>(-result));
    id = attr.next_id;
    look(id);
  }
}

UniqueFd open_by_id(bpf_cmd command, std::uint32_t id) {
  bpf_attr attr{};
  attr.prog_id = id;  // the same word as link_id
  return UniqueFd(static_cast<int>(sys_bpf(command, attr)));
}

template <class Info>
bool fill_info(int fd, Info& info) {
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<std::uint32_t>(fd);
  attr.info.info_len = sizeof info;
  attr.info.info = pointer_word(&info);
  return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, attr) == 0;
}

std::optional<AttachedTo> tracepoint_of_link(int fd) {
  bpf_link_info info{};
  if (!fill_info(fd, info) || info.type != BPF_LINK_TYPE_RAW_TRACEPOINT) return std::nullopt;
  NameBuffer name{};
  info = {};
  info.raw_tracepoint.tp_name = pointer_word(name.data());
  info.raw_tracepoint.tp_name_len = name.size();
  if (!fill_info(fd, info)) return std::nullopt;
  return AttachedTo{.name = name.data(), .means = fmt::format("raw tracepoint, BPF link {}", info.id)};
}

}  // namespace

Expected<std::vector<AttachedTo>> attached_by_descriptors() {
  std::vector<AttachedTo> found;
  std::error_code failed;
  for (fs::directory_iterator processes("/proc", failed); !failed && processes != fs::directory_iterator();
       processes.increment(failed)) {
    const auto process = number_in(processes->path().filename());
    if (!process) continue;
    // A process may end while it is looked at, and another user's may not be seen at all.
    std::error_code gone;
    for (fs::directory_iterator descriptors(processes->path() / "fd", gone);
         !gone && descriptors != fs::directory_iterator(); descriptors.increment(gone)) {
      std::error_code unreadable;
      const auto link = fs::read_symlink(descriptors->path(), unreadable);
      const auto descriptor = number_in(descriptors->path().filename());
      if (unreadable || !descriptor || !may_listen(link)) continue;
      if (auto attached = ask_about(*process, *descriptor)) found.push_back(std::move(*attached));
    }
  }
  if (failed) return failure("read directory", failed.value(), "/proc");
  return found;
}

Expected<std::vector<AttachedTo>> attached_by_links() {
  std::vector<AttachedTo> found;
  const auto looked = for_each_id(BPF_LINK_GET_NEXT_ID, "BPF_LINK_GET_NEXT_ID", [&](std::uint32_t id) {
    const auto link = open_by_id(BPF_LINK_GET_FD_BY_ID, id);
    if (!link) return;
    if (auto tracepoint = tracepoint_of_link(link.get())) found.push_back(std::move(*tracepoint));
  });
  if (!looked) return std::unexpected(looked.error());
  return found;
}

Expected<std::size_t> loaded_xdp_programs() {
  std::size_t count = 0;
  const auto looked = for_each_id(BPF_PROG_GET_NEXT_ID, "BPF_PROG_GET_NEXT_ID", [&](std::uint32_t id) {
    const auto program = open_by_id(BPF_PROG_GET_FD_BY_ID, id);
    bpf_prog_info info{};
    if (program && fill_info(program.get(), info) && info.type == BPF_PROG_TYPE_XDP) ++count;
  });
  if (!looked) return std::unexpected(looked.error());
  return count;
}

}  // namespace devmap::bench
