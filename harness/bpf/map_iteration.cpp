#include <harness/bpf/map_iteration.hpp>

#include <bpf/libbpf.h>
#include <fcntl.h>
#include <unistd.h>

#include <harness/bpf/programs/element_iterator.skel.h>
#include <harness/bpf/programs/for_each_element.skel.h>
#include <harness/bpf/programs/map_iterator.skel.h>
#include <array>
#include <cerrno>
#include <cstring>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/descriptor.hpp>
#include <harness/bpf/syscall.hpp>
#include <memory>

namespace devmap {
namespace {

constexpr std::size_t kLogSize = 64 * 1024;

/// A libbpf skeleton that is opened, and destroyed when it goes.
template <class Skeleton>
using Opened = std::unique_ptr<Skeleton, decltype(&Skeleton::destroy)>;

/// Null, with errno, where libbpf cannot open the object. Its messages are kept off standard error: refusals are
/// reported by errno and verifier log.
template <class Skeleton>
Opened<Skeleton> open_skeleton() {
  libbpf_set_print(nullptr);
  return {Skeleton::open(), &Skeleton::destroy};
}

/// A descriptor of its own for a program that goes with its skeleton.
UniqueFd keep(const bpf_program* program) {
  return UniqueFd(fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 0));
}

/// A link between an iterator program and what it walks, by BPF_LINK_CREATE; -errno where it is refused.
long create_iterator_link(int program, bpf_iter_link_info* target) {
  bpf_attr attr{};
  attr.link_create.prog_fd = static_cast<std::uint32_t>(program);
  attr.link_create.attach_type = BPF_TRACE_ITER;
  if (target != nullptr) {
    attr.link_create.iter_info = pointer_word(target);
    attr.link_create.iter_info_len = sizeof *target;
  }
  return sys_bpf(BPF_LINK_CREATE, attr);
}

/// Makes a walk begin by BPF_ITER_CREATE and reads it to its end; 0 or the errno.
int walk_through(int link) {
  bpf_attr attr{};
  attr.iter_create.link_fd = static_cast<std::uint32_t>(link);
  const long result = sys_bpf(BPF_ITER_CREATE, attr);
  if (result < 0) return static_cast<int>(-result);
  const UniqueFd walk(static_cast<int>(result));
  std::array<std::byte, 4096> block;
  for (;;) {
    const auto got = read_descriptor(walk.get(), block);
    if (!got && got.error() != EAGAIN && got.error() != EINTR) return got.error();
    if (got && got.value() == 0) return 0;
  }
}

}  // namespace

Reply<ElementIterator> ElementIterator::load() {
  const Asked asked("load an iterator of map elements", {});
  const auto skeleton = open_skeleton<element_iterator>();
  if (!skeleton) return Reply<ElementIterator>::refused(asked, errno);
  if (const int code = element_iterator::load(skeleton.get()); code < 0) {
    return Reply<ElementIterator>::refused(asked, -code);
  }
  auto program = keep(skeleton->progs.visit);
  if (!program) return Reply<ElementIterator>::refused(asked, errno);
  return Reply<ElementIterator>::granted(asked, ElementIterator(Program::adopt(std::move(program))));
}

Reply<> ElementIterator::attach(const Map& map) const {
  bpf_iter_link_info target{};
  target.map.map_fd = static_cast<std::uint32_t>(map.fd());
  const long result = create_iterator_link(program_.fd(), &target);
  const Asked asked("attach an iterator of elements to the map", {});
  if (result < 0) return Reply<>::refused(asked, static_cast<int>(-result));
  const UniqueFd link(static_cast<int>(result));
  return Reply<>::granted(asked);
}

Reply<Program> load_for_each_element(const Map& map) {
  const Asked asked("load a program that calls bpf_for_each_map_elem", {});
  const auto skeleton = open_skeleton<for_each_element>();
  if (!skeleton) return Reply<Program>::refused(asked, errno);
  if (const int code = bpf_map__reuse_fd(skeleton->maps.walked, map.fd()); code < 0) {
    return Reply<Program>::refused(asked, -code, "libbpf does not take the map");
  }
  std::string log(kLogSize, '\0');
  bpf_program__set_log_buf(skeleton->progs.walk, log.data(), log.size());
  if (const int code = for_each_element::load(skeleton.get()); code < 0) {
    log.resize(strnlen(log.data(), log.size()));
    return Reply<Program>::refused(asked, -code, std::move(log));
  }
  auto program = keep(skeleton->progs.walk);
  if (!program) return Reply<Program>::refused(asked, errno);
  return Reply<Program>::granted(asked, Program::adopt(std::move(program)));
}

Reply<ListedMap> list_map(std::uint32_t id) {
  const Asked asked("walk over all maps", {{"looking for id", id}});
  const auto skeleton = open_skeleton<map_iterator>();
  if (!skeleton) return Reply<ListedMap>::refused(asked, errno);
  skeleton->rodata->wanted_id = id;
  if (const int code = map_iterator::load(skeleton.get()); code < 0) return Reply<ListedMap>::refused(asked, -code);
  const long result = create_iterator_link(bpf_program__fd(skeleton->progs.visit), nullptr);
  if (result < 0) return Reply<ListedMap>::refused(asked, static_cast<int>(-result));
  const UniqueFd link(static_cast<int>(result));
  if (const int code = walk_through(link.get()); code != 0) return Reply<ListedMap>::refused(asked, code);
  const auto& found = *skeleton->bss;
  return Reply<ListedMap>::granted(
      asked, ListedMap{.times_found = found.times_found,
                       .type = found.map_type,
                       .key_size = found.key_size,
                       .value_size = found.value_size,
                       .max_entries = found.max_entries,
                       .map_flags = found.map_flags,
                       .name = std::string(found.map_name, strnlen(found.map_name, sizeof found.map_name))});
}

}  // namespace devmap
