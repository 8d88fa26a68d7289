#include <harness/bpf/features.hpp>

#include <sys/utsname.h>

#include <fmt/format.h>
#include <array>
#include <harness/base/file.hpp>
#include <harness/base/kernel_word.hpp>
#include <harness/base/memory_cgroup.hpp>
#include <harness/base/processor.hpp>
#include <harness/base/resources.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/map_iteration.hpp>
#include <harness/bpf/program.hpp>

namespace devmap::features {
namespace {

constexpr std::array<std::byte, 64> kFrame{};

Expected<Program> load(const ProgramSpec& spec, int verdict) {
  const auto instructions = Assembler().return_value(verdict).build();
  if (!instructions) return std::unexpected(instructions.error());
  return Program::load(spec, *instructions).expected();
}

/// The fact that a program of these attributes can be loaded, or why it cannot.
Fact loads(const ProgramSpec& spec, const char* what) {
  const auto program = load(spec, XDP_PASS);
  if (program) return {Presence::present, fmt::format("a program with {} loads", what)};
  return {Presence::absent, fmt::format("a program with {} does not load: {}", what, program.error().text())};
}

Fact probe_live_frames() {
  const auto program = load({}, XDP_DROP);
  if (!program) return {Presence::could_not_tell, program.error().text()};
  const auto run = program->test_run({.repeat = 1, .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .data_in = kFrame});
  if (!run) return {Presence::absent, "a live run is refused with " + errno_name(run.error())};
  if (run.value().return_value == XDP_DROP) return {Presence::absent, "the flag is ignored: a live run runs plainly"};
  return {Presence::present, "a live run hides the program's result"};
}

Fact probe_context() {
  const auto program = load({}, XDP_PASS);
  if (!program) return {Presence::could_not_tell, program.error().text()};
  xdp_md context{};
  context.data_end = kFrame.size();
  const auto run =
      program->test_run({.repeat = 1, .data_in = kFrame, .context_in = std::as_bytes(std::span(&context, 1))});
  if (!run) return {Presence::absent, "a run with a context is refused with " + errno_name(run.error())};
  return {Presence::present, "a run takes a context"};
}

Fact probe_file(const std::string& file, const std::string& unwanted, const std::string& name) {
  const auto text = read_file(file);
  if (!text) return {Presence::could_not_tell, text.error().text()};
  const auto value = text->substr(0, text->find('\n'));
  return {value == unwanted ? Presence::absent : Presence::present, fmt::format("{} is {}", name, value)};
}

Fact probe_cgroup() {
  const auto group = MemoryCgroup::create();
  if (!group) return {Presence::absent, group.error().text()};
  return {Presence::present, "a memory cgroup can be made"};
}

Fact probe_counted_maps() {
  constexpr std::uint32_t kEntries = 1U << 16;
  const std::uint64_t bytes = kEntries * kernel_pointer_size();
  const auto group = MemoryCgroup::create();
  if (!group) return {Presence::absent, group.error().text()};
  const auto before = group->usage();
  if (!before) return {Presence::could_not_tell, before.error().text()};
  auto map = Reply<DevMap>::refused(Asked("map create", {}), 0);
  const auto entered = group->run([&] { map = DevMap::create({.max_entries = kEntries}); });
  if (!entered) return {Presence::could_not_tell, entered.error().text()};
  const auto after = group->usage();
  if (!after) return {Presence::could_not_tell, after.error().text()};
  if (!map) return {Presence::could_not_tell, "no map to count: " + errno_name(map.error())};
  return {*after >= *before + bytes ? Presence::present : Presence::absent,
          fmt::format("a map of {} bytes takes a memory cgroup from {} to {}", bytes, *before, *after)};
}

Feature kernel_of(unsigned bits) {
  return {.name = fmt::format("a kernel of {} bits", bits),
          .remedy = fmt::format("run it on a kernel of {} bits", bits),
          .probe = [bits] {
            const auto found = 8 * kernel_pointer_size();
            return Fact{found == bits ? Presence::present : Presence::absent,
                        fmt::format("the kernel's pointers have {} bits", found)};
          }};
}

// The setting net.core.bpf_jit_enable is to be seen in the first network namespace only.
Fact probe_jit() {
  const auto program = load({}, XDP_PASS);
  if (!program) return {Presence::could_not_tell, program.error().text()};
  const auto info = program->info().expected();
  if (!info) return {Presence::could_not_tell, info.error().text()};
  if (info->jited_length == 0) return {Presence::absent, "a loaded program has no machine code"};
  return {Presence::present, fmt::format("a loaded program has {} bytes of machine code", info->jited_length)};
}

Fact probe_call_targets() {
  const auto instructions = Assembler().call(BPF_FUNC_ktime_get_ns).return_value(XDP_PASS).build();
  if (!instructions) return {Presence::could_not_tell, instructions.error().text()};
  const auto program = Program::load({}, *instructions).expected();
  if (!program) return {Presence::could_not_tell, program.error().text()};
  const auto info = program->info().expected();
  if (!info) return {Presence::could_not_tell, info.error().text()};
  if (info->translated.empty()) return {Presence::absent, "the kernel gives no instructions back"};
  if (info->translated.front().imm == 0) return {Presence::absent, "a call comes back with distance 0"};
  return {Presence::present, fmt::format("a call comes back with distance {}", info->translated.front().imm)};
}

}  // namespace

Feature live_frames() {
  return {.name = "live frames in BPF_PROG_TEST_RUN",
          .remedy = "run it on Linux 5.18 or later",
          .probe = probe_live_frames};
}

Feature test_run_context() {
  return {.name = "a context for XDP programs in BPF_PROG_TEST_RUN",
          .remedy = "run it on Linux 5.15 or later",
          .probe = probe_context};
}

Feature frags_programs() {
  return {.name = "programs for frames in several buffers", .remedy = "run it on Linux 5.18 or later", .probe = [] {
            return loads({.flags = BPF_F_XDP_HAS_FRAGS}, "BPF_F_XDP_HAS_FRAGS");
          }};
}

Feature syscall_programs() {
  return {.name = "programs run by a system call", .remedy = "run it on Linux 5.14 or later", .probe = [] {
            return loads({.type = BPF_PROG_TYPE_SYSCALL, .flags = BPF_F_SLEEPABLE}, "BPF_PROG_TYPE_SYSCALL");
          }};
}

Feature restricted_unprivileged_bpf() {
  return {
      .name = "BPF kept from unprivileged users", .remedy = "set kernel.unprivileged_bpf_disabled to 2", .probe = [] {
        return probe_file("/proc/sys/kernel/unprivileged_bpf_disabled", "0", "kernel.unprivileged_bpf_disabled");
      }};
}

Feature unrestricted_unprivileged_bpf() {
  return {.name = "BPF for unprivileged users",
          .remedy = "run it on a machine with kernel.unprivileged_bpf_disabled at 0",
          .probe = [] {
            const Fact restricted = restricted_unprivileged_bpf().probe();
            if (restricted.presence == Presence::could_not_tell) return restricted;
            return Fact{restricted.presence == Presence::present ? Presence::absent : Presence::present,
                        restricted.text};
          }};
}

Feature memory_cgroup() {
  return {.name = "a memory cgroup",
          .remedy = "run it as root on a kernel with CONFIG_MEMCG, with writable control groups",
          .probe = probe_cgroup};
}

Feature maps_in_memory_cgroup() {
  return {.name = "maps counted in memory cgroups",
          .remedy = "run it as root on Linux 5.11 or later with CONFIG_MEMCG, with writable control groups",
          .probe = probe_counted_maps};
}

Feature memory_below(std::uint64_t bytes) {
  return {.name = fmt::format("less than {} GiB of memory", bytes >> 30U),
          .remedy = "run it on a smaller machine, or in a virtual one",
          .probe = [bytes] {
            const auto total = total_memory();
            return Fact{total < bytes ? Presence::present : Presence::absent,
                        fmt::format("the machine has {} MiB", total >> 20U)};
          }};
}

Feature kernel_btf() {
  return {.name = "the kernel's own type information",
          .remedy = "run it on a kernel with CONFIG_DEBUG_INFO_BTF",
          .probe = [] {
            const auto text = read_file("/sys/kernel/btf/vmlinux");
            if (!text) return Fact{Presence::absent, text.error().text()};
            return Fact{Presence::present, "/sys/kernel/btf/vmlinux can be read"};
          }};
}

Feature element_iterators() {
  return {.name = "iterators of map elements",
          .remedy = "run it on Linux 5.9 or later with CONFIG_DEBUG_INFO_BTF",
          .probe = [] {
            const auto loaded = ElementIterator::load();
            if (loaded) return Fact{Presence::present, "a program for iter/bpf_map_elem loads"};
            return Fact{Presence::absent,
                        "a program for iter/bpf_map_elem is refused with " + errno_name(loaded.error())};
          }};
}

Feature map_iterators() {
  return {
      .name = "iterators of maps", .remedy = "run it on Linux 5.8 or later with CONFIG_DEBUG_INFO_BTF", .probe = [] {
        constexpr std::uint32_t kNoId = 0;
        const auto walked = list_map(kNoId);
        if (walked) return Fact{Presence::present, "a program for iter/bpf_map walks"};
        return Fact{Presence::absent, "a walk of iter/bpf_map fails with " + errno_name(walked.error())};
      }};
}

Feature tracing_programs() {
  return {.name = "tracing programs", .remedy = "run it on a kernel with CONFIG_BPF_EVENTS", .probe = [] {
            const auto program = load({.type = BPF_PROG_TYPE_RAW_TRACEPOINT}, 0);
            if (program) return Fact{Presence::present, "a raw tracepoint program loads"};
            return Fact{Presence::absent, "a raw tracepoint program does not load: " + program.error().text()};
          }};
}

Feature visible_call_targets() {
  return {.name = "sight of where a program's calls go",
          .remedy = "run it with CAP_SYSLOG, and with kernel.kptr_restrict at 1 or 0",
          .probe = probe_call_targets};
}

Feature callbacks() {
  return {.name = "programs with functions for the kernel to call",
          .remedy = "run it on a kernel whose JIT compiler knows such functions, and with net.core.bpf_jit_enable 1",
          .probe = [] {
            const auto map = Map::create({.type = BPF_MAP_TYPE_HASH, .key_size = 4, .value_size = 4, .max_entries = 1});
            if (!map) return Fact{Presence::could_not_tell, "no hash map: " + errno_name(map.error())};
            const auto loaded = load_for_each_element(map.value());
            if (loaded) return Fact{Presence::present, "a program that calls bpf_for_each_map_elem is loaded"};
            const bool is_interpreted = loaded.explanation().find("non-JITed") != std::string::npos;
            return Fact{Presence::absent,
                        fmt::format("a program that calls bpf_for_each_map_elem on a hash map: {}{}",
                                    errno_name(loaded.error()), is_interpreted ? ", for it is not compiled" : "")};
          }};
}

Feature jit() {
  return {.name = "the JIT compiler", .remedy = "set net.core.bpf_jit_enable to 1", .probe = probe_jit};
}

Feature processor_number() {
  return {.name = "programs that are told their processor", .remedy = "set net.core.bpf_jit_enable to 1", .probe = [] {
            const auto instructions = Assembler().call(BPF_FUNC_get_smp_processor_id).return_value(XDP_PASS).build();
            if (!instructions) return Fact{Presence::could_not_tell, instructions.error().text()};
            const auto loaded = Program::load({}, *instructions);
            if (loaded) return Fact{Presence::present, "a program that calls bpf_get_smp_processor_id is loaded"};
            const bool is_interpreted = loaded.explanation().find("requires BPF JIT") != std::string::npos;
            return Fact{Presence::absent,
                        fmt::format("a program that calls bpf_get_smp_processor_id: {}{}", errno_name(loaded.error()),
                                    is_interpreted ? ", for it is not compiled" : "")};
          }};
}

Feature two_processors() {
  return {.name = "two processors", .remedy = "run it on a machine with more processors", .probe = [] {
            const auto processors = allowed_processors();
            if (!processors) return Fact{Presence::could_not_tell, processors.error().text()};
            return Fact{processors->size() > 1 ? Presence::present : Presence::absent,
                        fmt::format("this process may run on {} processor(s)", processors->size())};
          }};
}

Feature kernel_of_64_bits() {
  return kernel_of(64);
}

Feature kernel_of_32_bits() {
  return kernel_of(32);
}

Feature x86_64() {
  return {.name = "an x86-64 machine", .remedy = "run it on an x86-64 machine", .probe = [] {
            utsname names{};
            if (uname(&names) != 0) return Fact{Presence::could_not_tell, last_error("uname").error().text()};
            const std::string machine = names.machine;
            return Fact{machine == "x86_64" ? Presence::present : Presence::absent, "the machine is " + machine};
          }};
}

}  // namespace devmap::features
