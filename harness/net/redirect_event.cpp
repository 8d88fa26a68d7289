#include <harness/net/redirect_event.hpp>

#include <fmt/format.h>

namespace devmap {

using enum RedirectTracepoint;

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

const char* RedirectEvent::field_name(RedirectTracepoint tracepoint, std::size_t field) {
  const bool verdict = tracepoint == redirect || tracepoint == redirect_err;
  const bool sending = tracepoint == devmap_xmit || tracepoint == bulk_tx;
  switch (field) {
    case kProgramId:
      return sending ? nullptr : "prog_id";
    case kAction:
      return "act";
    case kIfindex:
      return tracepoint == devmap_xmit ? "from_ifindex" : "ifindex";
    case kToIfindex:
      return verdict || tracepoint == devmap_xmit ? "to_ifindex" : nullptr;
    case kMapId:
      return verdict ? "map_id" : nullptr;
    case kMapIndex:
      return verdict ? "map_index" : nullptr;
    case kErr:
      return tracepoint == exception ? nullptr : "err";
    case kSent:
      return sending ? "sent" : nullptr;
    case kDrops:
      return sending ? "drops" : nullptr;
    default:
      return nullptr;
  }
}

std::string RedirectEvent::text() const {
  const std::array<std::int64_t, kFields> values = {program_id, action, ifindex, to_ifindex, map_id,
                                                    map_index,  err,    sent,    drops};
  std::string line(name_of(tracepoint));
  for (std::size_t field = 0; field < values.size(); ++field) {
    const char* name = field_name(tracepoint, field);
    if (name != nullptr) line += fmt::format(" {}={}", name, values[field]);
  }
  return line;
}

}  // namespace devmap
