#include <harness/net/redirect_listener.hpp>

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <harness/base/detached_mount.hpp>
#include <harness/base/file.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/link.hpp>
#include <string_view>
#include <utility>

namespace devmap {
namespace {

using Subject = RedirectListener::Subject;

/// What a program writes to a ring buffer: the tracepoint, then the fields in the order of RedirectEvent::Field.
struct Record {
  std::uint32_t tracepoint;
  std::array<std::uint32_t, RedirectEvent::kFields> fields;
};
/// The key of the map that says which ring a subject's events go to.
struct SubjectKey {
  Subject subject;
  std::uint32_t id;
};

/// Where a program keeps them on its stack.
constexpr auto kRecordOffset = static_cast<std::int16_t>(-static_cast<int>(sizeof(Record)));
constexpr auto kKeyOffset = static_cast<std::int16_t>(kRecordOffset - static_cast<int>(sizeof(SubjectKey)));

constexpr std::int16_t slot_of(std::size_t field) {
  return static_cast<std::int16_t>(kRecordOffset + static_cast<int>(sizeof(std::uint32_t) * (field + 1)));
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

/// Copies the fields of the context in r6 to the record on the stack.
Expected<void> copy_fields(Assembler& code, RedirectTracepoint tracepoint, std::string_view format) {
  using enum Register;
  code.store(Width::word, r10, kRecordOffset, static_cast<std::int32_t>(tracepoint));
  for (std::size_t field = 0; field < RedirectEvent::kFields; ++field) {
    const char* name = RedirectEvent::field_name(tracepoint, field);
    if (name == nullptr) {
      code.store(Width::word, r10, slot_of(field), 0);
      continue;
    }
    const auto offset = field_offset(format, name);
    if (!offset) return std::unexpected(offset.error());
    code.load(Width::word, r1, r6, *offset).store(Width::word, r10, slot_of(field), r1);
  }
  return {};
}

/// Goes to `asked_for`, with the address of the ring's number in r0, where a field of the record is one of a subject
/// that was asked for.
void look_for(Assembler& code, const Map& ring_of, Subject subject, std::size_t field, Assembler::Label asked_for) {
  using enum Register;
  code.store(Width::word, r10, kKeyOffset, static_cast<std::int32_t>(subject))
      .load(Width::word, r1, r10, slot_of(field))
      .store(Width::word, r10, kKeyOffset + static_cast<std::int16_t>(offsetof(SubjectKey, id)), r1)
      .load_map(r1, ring_of)
      .move(r2, r10)
      .compute(Arithmetic::add, r2, kKeyOffset)
      .call(BPF_FUNC_map_lookup_elem)
      .jump_if(Condition::not_equal, r0, 0, asked_for);
}

/// Writes a Record of each event about something that was asked for.
Expected<std::vector<bpf_insn>> listening_program(RedirectTracepoint tracepoint, std::string_view format,
                                                  const Map& ring_of, const std::vector<Map>& rings) {
  using enum Register;
  Assembler code;
  code.move(r6, r1);
  if (const auto copied = copy_fields(code, tracepoint, format); !copied) return std::unexpected(copied.error());
  const auto asked_for = code.label();
  if (RedirectEvent::field_name(tracepoint, RedirectEvent::kProgramId) != nullptr) {
    look_for(code, ring_of, Subject::program, RedirectEvent::kProgramId, asked_for);
    look_for(code, ring_of, Subject::receiver, RedirectEvent::kIfindex, asked_for);
  } else {
    look_for(code, ring_of, Subject::device, RedirectEvent::kIfindex, asked_for);
    look_for(code, ring_of, Subject::device, RedirectEvent::kToIfindex, asked_for);
  }
  code.return_value(0);
  code.place(asked_for).load(Width::word, r7, r0, 0);
  const auto write = code.label();
  for (std::size_t ring = 0; ring < rings.size(); ++ring) {
    const auto other = code.label();
    code.jump_if(Condition::not_equal, r7, static_cast<std::int32_t>(ring), other)
        .load_map(r1, rings.at(ring))
        .jump(write)
        .place(other);
  }
  code.return_value(0);
  code.place(write)
      .move(r2, r10)
      .compute(Arithmetic::add, r2, kRecordOffset)
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

Expected<Map> create_ring_of() {
  constexpr std::uint32_t kSubjects = 16 * 1024;  // more than all checks of a run ask for at a time
  return Map::create({.type = BPF_MAP_TYPE_HASH,
                      .key_size = sizeof(SubjectKey),
                      .value_size = sizeof(std::uint32_t),
                      .max_entries = kSubjects})
      .expected();
}

Expected<Program> load_listener(RedirectTracepoint tracepoint, const DetachedMount& tracefs, const Map& ring_of,
                                const std::vector<Map>& rings) {
  const auto format = read_file(tracefs.path(directory_of(tracepoint) + "format"));
  if (!format) return std::unexpected(format.error());
  const auto instructions = listening_program(tracepoint, *format, ring_of, rings);
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

}  // namespace

Expected<RedirectListener> RedirectListener::create(std::span<const RedirectTracepoint> tracepoints,
                                                    std::uint32_t rings) {
  const auto tracefs = DetachedMount::open("tracefs");
  if (!tracefs) return std::unexpected(tracefs.error());
  auto ring_of = create_ring_of();
  if (!ring_of) return std::unexpected(ring_of.error());
  std::vector<Map> made;
  for (std::uint32_t ring = 0; ring < std::min(rings, kMostRings); ++ring) {
    auto next = create_ring();
    if (!next) return std::unexpected(next.error());
    made.push_back(std::move(*next));
  }
  RedirectListener listener(std::move(*ring_of), std::move(made));
  for (const auto tracepoint : tracepoints) {
    auto program = load_listener(tracepoint, *tracefs, listener.ring_of_, listener.rings_);
    if (!program) return std::unexpected(program.error());
    auto attached = attach(tracefs->path(directory_of(tracepoint) + "id"), *program);
    if (!attached) return std::unexpected(attached.error());
    listener.posts_.push_back(
        {.tracepoint = tracepoint, .program = std::move(*program), .attachment = std::move(*attached)});
  }
  return listener;
}

Expected<void> RedirectListener::possible() {
  const auto tracefs = DetachedMount::open("tracefs");
  if (!tracefs) return std::unexpected(tracefs.error());
  auto ring = create_ring();
  if (!ring) return std::unexpected(ring.error());
  const auto ring_of = create_ring_of();
  if (!ring_of) return std::unexpected(ring_of.error());
  std::vector<Map> rings;
  rings.push_back(std::move(*ring));
  const auto program = load_listener(RedirectTracepoint::redirect_err, *tracefs, *ring_of, rings);
  if (!program) return std::unexpected(program.error());
  return {};
}

Expected<void> RedirectListener::ask_for(Subject subject, std::uint32_t id, std::uint32_t ring) const {
  if (subject != Subject::program && id == kLoopback && rings() > 1) {
    return failure("listen to a tracepoint", 0, "every namespace has a device of the number of loopback");
  }
  const SubjectKey key{.subject = subject, .id = id};
  return ring_of_.update_raw(&key, &ring, BPF_NOEXIST).expected();
}

void RedirectListener::no_longer_ask_for(Subject subject, std::uint32_t id) const {
  const SubjectKey key{.subject = subject, .id = id};
  (void)ring_of_.erase_raw(&key);
}

Expected<std::uint64_t> RedirectListener::missed(std::span<const RedirectTracepoint> tracepoints) const {
  std::uint64_t sum = 0;
  for (const auto& post : posts_) {
    if (std::ranges::find(tracepoints, post.tracepoint) == tracepoints.end()) continue;
    const auto count = post.program.recursion_misses().expected();
    if (!count) return std::unexpected(count.error());
    sum += *count;
  }
  return sum;
}

Expected<RedirectEvent> RedirectListener::event_in(std::span<const std::byte> written) {
  Record record{};
  if (written.size() < sizeof record) {
    return failure("read an event", 0, fmt::format("{} bytes instead of {}", written.size(), sizeof record));
  }
  std::memcpy(&record, written.data(), sizeof record);
  const auto& fields = record.fields;
  return RedirectEvent{.tracepoint = static_cast<RedirectTracepoint>(record.tracepoint),
                       .program_id = fields[RedirectEvent::kProgramId],
                       .action = fields[RedirectEvent::kAction],
                       .ifindex = fields[RedirectEvent::kIfindex],
                       .to_ifindex = fields[RedirectEvent::kToIfindex],
                       .map_id = fields[RedirectEvent::kMapId],
                       .map_index = fields[RedirectEvent::kMapIndex],
                       .err = static_cast<std::int32_t>(fields[RedirectEvent::kErr]),
                       .sent = static_cast<std::int32_t>(fields[RedirectEvent::kSent]),
                       .drops = static_cast<std::int32_t>(fields[RedirectEvent::kDrops])};
}

}  // namespace devmap
