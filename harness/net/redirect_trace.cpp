#include <harness/net/redirect_trace.hpp>

#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <harness/base/detached_mount.hpp>
#include <harness/base/file.hpp>
#include <harness/bpf/assembler.hpp>
#include <span>

namespace devmap {
namespace {

using enum RedirectTracepoint;

/// What a program writes to the ring buffer: the tracepoint, then the fields in the order of Field.
constexpr std::size_t kMostFields = 9;
struct Record {
  std::uint32_t tracepoint;
  std::array<std::uint32_t, kMostFields> fields;
};
struct Field {
  enum Index : std::uint8_t { program_id, action, ifindex, to_ifindex, map_id, map_index, err, sent, drops };
};

/// The kernel's name of a field at a tracepoint; null where the tracepoint does not tell it.
const char* field_name(RedirectTracepoint tracepoint, std::size_t field) {
  const bool verdict = tracepoint == redirect || tracepoint == redirect_err;
  const bool sending = tracepoint == devmap_xmit || tracepoint == bulk_tx;
  switch (field) {
    case Field::program_id:
      return sending ? nullptr : "prog_id";
    case Field::action:
      return "act";
    case Field::ifindex:
      return tracepoint == devmap_xmit ? "from_ifindex" : "ifindex";
    case Field::to_ifindex:
      return verdict || tracepoint == devmap_xmit ? "to_ifindex" : nullptr;
    case Field::map_id:
      return verdict ? "map_id" : nullptr;
    case Field::map_index:
      return verdict ? "map_index" : nullptr;
    case Field::err:
      return tracepoint == exception ? nullptr : "err";
    case Field::sent:
      return sending ? "sent" : nullptr;
    case Field::drops:
      return sending ? "drops" : nullptr;
    default:
      return nullptr;
  }
}

/// The offset of a 4-byte field in a tracepoint's record, from the text of its format file in tracefs.
Expected<std::int16_t> field_offset(std::string_view format, std::string_view field) {
  const auto name = fmt::format(" {};", field);
  constexpr std::string_view kOffset = "offset:";
  const auto line = format.find(name);
  const auto offset = format.find(kOffset, line);
  std::int16_t value = 0;
  if (line == std::string_view::npos || offset == std::string_view::npos || offset > format.find('\n', line) ||
      std::from_chars(format.data() + offset + kOffset.size(), format.data() + format.size(), value).ec !=
          std::errc{}) {
    return failure("read the format of a tracepoint", 0, fmt::format("no field {} in: {}", field, format));
  }
  return value;
}

/// Writes a Record of each event about something watched.
Expected<std::vector<bpf_insn>> listening_program(RedirectTracepoint tracepoint, std::string_view format,
                                                  const Map& ring, const RedirectTrace::Watched& watched) {
  using enum Register;
  constexpr auto kBegin = static_cast<std::int16_t>(-static_cast<int>(sizeof(Record)));
  Assembler code;
  const auto keep = code.label();
  code.move(r6, r1).store(Width::word, r10, kBegin, static_cast<std::int32_t>(tracepoint));
  for (std::size_t field = 0; field < kMostFields; ++field) {
    const auto slot = static_cast<std::int16_t>(kBegin + static_cast<int>(sizeof(std::uint32_t) * (field + 1)));
    const char* name = field_name(tracepoint, field);
    if (name == nullptr) {
      code.store(Width::word, r10, slot, 0);
      continue;
    }
    const auto offset = field_offset(format, name);
    if (!offset) return std::unexpected(offset.error());
    code.load(Width::word, r1, r6, *offset).store(Width::word, r10, slot, r1);
  }
  const auto keep_where = [&](Field::Index field, const std::vector<std::uint32_t>& wanted) {
    if (field_name(tracepoint, field) == nullptr) return;
    code.load(Width::word, r1, r10, static_cast<std::int16_t>(kBegin + 4 * (field + 1)));
    for (const auto id : wanted) code.jump_if(Condition::equal, r1, static_cast<std::int32_t>(id), keep);
  };
  const bool by_program = field_name(tracepoint, Field::program_id) != nullptr;
  const bool nothing = by_program ? watched.programs.empty() && watched.receivers.empty() : watched.devices.empty();
  if (nothing) {
    return failure("listen to a tracepoint", 0, fmt::format("nothing is watched at {}", name_of(tracepoint)));
  }
  if (by_program) {
    keep_where(Field::program_id, watched.programs);
    keep_where(Field::ifindex, watched.receivers);
  } else {
    keep_where(Field::ifindex, watched.devices);
    keep_where(Field::to_ifindex, watched.devices);
  }
  code.return_value(0);
  code.place(keep)
      .load_map(r1, ring)
      .move(r2, r10)
      .compute(Arithmetic::add, r2, kBegin)
      .move(r3, sizeof(Record))
      .move(r4, BPF_RB_NO_WAKEUP)
      .call(BPF_FUNC_ringbuf_output)
      .return_value(0);
  return code.build();
}

/// Below the root of tracefs.
std::string directory_of(RedirectTracepoint tracepoint) {
  return fmt::format("events/xdp/{}/", name_of(tracepoint));
}

Expected<Map> create_ring() {
  constexpr std::uint32_t kRingBytes = 256 * 1024;  // a multiple of every page size
  return Map::create({.type = BPF_MAP_TYPE_RINGBUF, .key_size = 0, .value_size = 0, .max_entries = kRingBytes})
      .expected();
}

Expected<Program> load_listener(RedirectTracepoint tracepoint, const DetachedMount& tracefs, const Map& ring,
                                const RedirectTrace::Watched& watched) {
  const auto format = read_file(tracefs.path(directory_of(tracepoint) + "format"));
  if (!format) return std::unexpected(format.error());
  const auto instructions = listening_program(tracepoint, *format, ring, watched);
  if (!instructions) return std::unexpected(instructions.error());
  return Program::load({.type = BPF_PROG_TYPE_TRACEPOINT}, *instructions).expected();
}

/// Opens the tracepoint and attaches the program to it; both go with the descriptor.
Expected<UniqueFd> attach(const std::string& id_file, const Program& program) {
  const auto text = read_file(id_file);
  if (!text) return std::unexpected(text.error());
  perf_event_attr attr{};
  attr.type = PERF_TYPE_TRACEPOINT;
  attr.size = sizeof attr;
  attr.config = std::strtoull(text->c_str(), nullptr, 10);
  // One event on one CPU suffices: the program runs wherever the tracepoint is raised.
  UniqueFd event(static_cast<int>(syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC)));
  if (!event) return last_error("perf_event_open", id_file);
  if (ioctl(event.get(), PERF_EVENT_IOC_SET_BPF, program.fd()) != 0) return last_error("PERF_EVENT_IOC_SET_BPF");
  if (ioctl(event.get(), PERF_EVENT_IOC_ENABLE, 0) != 0) return last_error("PERF_EVENT_IOC_ENABLE");
  return event;
}

int take_record(void* into, void* data, std::size_t size) {
  if (size < sizeof(Record)) return -EINVAL;
  Record record{};
  std::memcpy(&record, data, sizeof record);
  const auto& f = record.fields;
  static_cast<std::vector<RedirectEvent>*>(into)->push_back(
      {.tracepoint = static_cast<RedirectTracepoint>(record.tracepoint),
       .program_id = f[Field::program_id],
       .action = f[Field::action],
       .ifindex = f[Field::ifindex],
       .to_ifindex = f[Field::to_ifindex],
       .map_id = f[Field::map_id],
       .map_index = f[Field::map_index],
       .err = static_cast<std::int32_t>(f[Field::err]),
       .sent = static_cast<std::int32_t>(f[Field::sent]),
       .drops = static_cast<std::int32_t>(f[Field::drops])});
  return 0;
}

}  // namespace

std::string_view name_of(RedirectTracepoint tracepoint) {
  switch (tracepoint) {
    case redirect:
      return "xdp_redirect";
    case redirect_err:
      return "xdp_redirect_err";
    case devmap_xmit:
      return "xdp_devmap_xmit";
    case exception:
      return "xdp_exception";
    case bulk_tx:
      return "xdp_bulk_tx";
  }
  return "";
}

std::string RedirectEvent::text() const {
  const std::array<std::int64_t, kMostFields> values = {program_id, action, ifindex, to_ifindex, map_id,
                                                        map_index,  err,    sent,    drops};
  std::string line(name_of(tracepoint));
  for (std::size_t field = 0; field < values.size(); ++field) {
    const char* name = field_name(tracepoint, field);
    if (name != nullptr) line += fmt::format(" {}={}", name, values[field]);
  }
  return line;
}

void RedirectTrace::FreeRing::operator()(ring_buffer* ring) const noexcept {
  ring_buffer__free(ring);
}

Expected<void> RedirectTrace::possible() {
  const auto tracefs = DetachedMount::open("tracefs");
  if (!tracefs) return std::unexpected(tracefs.error());
  const auto ring = create_ring();
  if (!ring) return std::unexpected(ring.error());
  const auto program = load_listener(redirect_err, *tracefs, *ring, {.programs = {1}});
  if (!program) return std::unexpected(program.error());
  return {};
}

Expected<RedirectTrace> RedirectTrace::start(std::initializer_list<RedirectTracepoint> tracepoints,
                                             const Watched& watched) {
  const auto tracefs = DetachedMount::open("tracefs");
  if (!tracefs) return std::unexpected(tracefs.error());
  auto ring = create_ring();
  if (!ring) return std::unexpected(ring.error());
  RedirectTrace trace(std::move(*ring));
  trace.ring_.reset(ring_buffer__new(trace.map_.fd(), take_record, trace.heard_.get(), nullptr));
  if (!trace.ring_) return last_error("ring_buffer__new");
  for (const auto tracepoint : tracepoints) {
    const auto program = load_listener(tracepoint, *tracefs, trace.map_, watched);
    if (!program) return std::unexpected(program.error());
    auto attached = attach(tracefs->path(directory_of(tracepoint) + "id"), *program);
    if (!attached) return std::unexpected(attached.error());
    trace.attachments_.push_back(std::move(*attached));
  }
  return trace;
}

Expected<std::vector<RedirectEvent>> RedirectTrace::events() {
  if (const int code = ring_buffer__consume(ring_.get()); code < 0) return failure("ring_buffer__consume", -code);
  return std::exchange(*heard_, {});
}

}  // namespace devmap
