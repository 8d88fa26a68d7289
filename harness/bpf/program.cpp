#include <harness/bpf/program.hpp>

#include <cerrno>
#include <cstring>
#include <harness/bpf/map.hpp>
#include <harness/bpf/syscall.hpp>

namespace devmap {
namespace {

constexpr std::size_t kLogSize = 256 * 1024;

bpf_attr load_attributes(const ProgramSpec& spec, std::span<const bpf_insn> instructions) {
  bpf_attr attr{};
  attr.prog_type = spec.type;
  attr.insn_cnt = static_cast<std::uint32_t>(instructions.size());
  attr.insns = pointer_word(instructions.data());
  attr.license = pointer_word(spec.license.c_str());
  attr.prog_flags = spec.flags;
  std::memcpy(attr.prog_name, spec.name.data(), std::min(spec.name.size(), sizeof attr.prog_name));
  attr.prog_ifindex = spec.ifindex;
  attr.expected_attach_type = spec.expected_attach_type;
  attr.attach_btf_id = spec.attach_btf_id;
  attr.prog_btf_fd = spec.btf_fd;
  if (!spec.function_info.empty()) {
    attr.func_info_rec_size = sizeof(bpf_func_info);
    attr.func_info = pointer_word(spec.function_info.data());
    attr.func_info_cnt = static_cast<std::uint32_t>(spec.function_info.size());
  }
  return attr;
}

/// The verifier log of a load that is refused.
std::string explain_refusal(bpf_attr attr) {
  std::string log(kLogSize, '\0');
  attr.log_level = 1;
  attr.log_buf = pointer_word(log.data());
  attr.log_size = static_cast<std::uint32_t>(log.size());
  const long result = sys_bpf(BPF_PROG_LOAD, attr);
  if (result >= 0) {
    close(static_cast<int>(result));
    return "(loaded when offered a second time)";
  }
  log.resize(strnlen(log.data(), log.size()));
  return log;
}

Reply<> held(const Asked& asked, bpf_cmd command, std::uint32_t id) {
  bpf_attr attr{};
  attr.prog_id = id;  // the same word as map_id
  const long result = sys_bpf(command, attr);
  if (result < 0) return Reply<>::refused(asked, static_cast<int>(-result));
  close(static_cast<int>(result));
  return Reply<>::granted(asked);
}

/// BPF_OBJ_GET_INFO_BY_FD; 0, or a negative errno. `info` also says what is wanted.
long get_info(int fd, bpf_prog_info& info) {
  bpf_attr attr{};
  attr.info.bpf_fd = static_cast<std::uint32_t>(fd);
  attr.info.info_len = sizeof info;
  attr.info.info = pointer_word(&info);
  return sys_bpf(BPF_OBJ_GET_INFO_BY_FD, attr);
}

}  // namespace

Reply<Program> Program::load(const ProgramSpec& spec, std::span<const bpf_insn> instructions) {
  bpf_attr attr = load_attributes(spec, instructions);
  const long result = sys_bpf(BPF_PROG_LOAD, attr);
  const Asked asked = Asked("load program", {{"type", spec.type, Notation::program_type},
                                             {"expected_attach_type", spec.expected_attach_type, Notation::attach_type},
                                             {"flags", spec.flags, Notation::program_flags},
                                             {"instructions", instructions.size()}})
                          .about(spec.purpose);
  if (result < 0) {
    return Reply<Program>::refused(asked, static_cast<int>(-result),
                                   explain_refusal(load_attributes(spec, instructions)));
  }
  return Reply<Program>::granted(asked, Program(UniqueFd(static_cast<int>(result))));
}

Reply<ProgramInfo> Program::info() const {
  const Asked asked("program info", {});
  bpf_prog_info raw{};
  std::vector<bpf_insn> translated;
  // The first call tells the size of the program, the second fetches it.
  for (int round = 0; round < 2; ++round) {
    translated.resize(raw.xlated_prog_len / sizeof(bpf_insn));
    raw = {};
    raw.xlated_prog_len = static_cast<std::uint32_t>(translated.size() * sizeof(bpf_insn));
    raw.xlated_prog_insns = pointer_word(translated.data());
    if (const long result = get_info(fd(), raw); result < 0) {
      return Reply<ProgramInfo>::refused(asked, static_cast<int>(-result));
    }
  }
  // The kernel clears the pointer where kernel.kptr_restrict or missing capabilities keep the instructions back.
  if (raw.xlated_prog_insns == 0) translated.clear();
  return Reply<ProgramInfo>::granted(asked,
                                     ProgramInfo{.id = raw.id,
                                                 .type = raw.type,
                                                 .ifindex = raw.ifindex,
                                                 .name = std::string(raw.name, strnlen(raw.name, sizeof raw.name)),
                                                 .jited_length = raw.jited_prog_len,
                                                 .run_count = raw.run_cnt,
                                                 .translated = std::move(translated)});
}

Reply<std::uint64_t> Program::recursion_misses() const {
  const Asked asked("program info", {});
  bpf_prog_info raw{};
  if (const long result = get_info(fd(), raw); result < 0) {
    return Reply<std::uint64_t>::refused(asked, static_cast<int>(-result));
  }
  return Reply<std::uint64_t>::granted(asked, raw.recursion_misses);
}

Reply<> Program::bind(const Map& map) const {
  bpf_attr attr{};
  attr.prog_bind_map.prog_fd = static_cast<std::uint32_t>(fd());
  attr.prog_bind_map.map_fd = static_cast<std::uint32_t>(map.fd());
  const Asked asked("bind map", {});
  const long result = sys_bpf(BPF_PROG_BIND_MAP, attr);
  return result < 0 ? Reply<>::refused(asked, static_cast<int>(-result)) : Reply<>::granted(asked);
}

Reply<> Program::attach(std::uint32_t target, std::uint32_t attach_type) const {
  bpf_attr attr{};
  attr.target_fd = target;
  attr.attach_bpf_fd = static_cast<std::uint32_t>(fd());
  attr.attach_type = attach_type;
  const long result = sys_bpf(BPF_PROG_ATTACH, attr);
  const Asked asked("BPF_PROG_ATTACH", {{"target", target}, {"attach_type", attach_type, Notation::attach_type}});
  return result < 0 ? Reply<>::refused(asked, static_cast<int>(-result)) : Reply<>::granted(asked);
}

Reply<TestRunResult> Program::test_run(const TestRun& run, TestRunResult* written_back) const {
  TestRunResult result;
  result.data_out.resize(run.data_out_room);
  result.context_out.resize(run.context_out_room);
  bpf_attr attr{};
  attr.test.prog_fd = static_cast<std::uint32_t>(fd());
  attr.test.data_in = run.data_in.empty() ? 0 : pointer_word(run.data_in.data());
  attr.test.data_size_in = static_cast<std::uint32_t>(run.data_in.size());
  attr.test.data_out = result.data_out.empty() ? 0 : pointer_word(result.data_out.data());
  attr.test.data_size_out = static_cast<std::uint32_t>(result.data_out.size());
  attr.test.repeat = run.repeat;
  attr.test.ctx_in = run.context_in.empty() ? 0 : pointer_word(run.context_in.data());
  attr.test.ctx_size_in = static_cast<std::uint32_t>(run.context_in.size());
  attr.test.ctx_out = result.context_out.empty() ? 0 : pointer_word(result.context_out.data());
  attr.test.ctx_size_out = static_cast<std::uint32_t>(result.context_out.size());
  attr.test.flags = run.flags;
  attr.test.cpu = run.cpu;
  attr.test.batch_size = run.batch_size;
  const long code = sys_bpf(BPF_PROG_TEST_RUN, attr);

  result.return_value = attr.test.retval;
  result.duration_ns = attr.test.duration;
  result.data_out_size = attr.test.data_size_out;
  result.data_out.resize(std::min<std::size_t>(result.data_out.size(), result.data_out_size));
  result.context_out_size = attr.test.ctx_size_out;
  result.context_out.resize(std::min<std::size_t>(result.context_out.size(), result.context_out_size));

  const Asked asked("test run", {{"frame bytes", run.data_in.size()},
                                 {"context bytes", run.context_in.size()},
                                 {"repeat", run.repeat},
                                 {"flags", run.flags, Notation::hexadecimal},
                                 {"cpu", run.cpu},
                                 {"batch_size", run.batch_size}});
  if (written_back != nullptr) *written_back = result;
  if (code < 0) return Reply<TestRunResult>::refused(asked, static_cast<int>(-code));
  return Reply<TestRunResult>::granted(asked, std::move(result));
}

Reply<> program_held(std::uint32_t id) {
  return held(Asked("open program by id", {{"id", id}}), BPF_PROG_GET_FD_BY_ID, id);
}

Reply<> map_held(std::uint32_t id) {
  return held(Asked("open map by id", {{"id", id}}), BPF_MAP_GET_FD_BY_ID, id);
}

}  // namespace devmap
