#include <bench/frames/route.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <cstddef>
#include <harness/bpf/assembler.hpp>
#include <utility>

namespace devmap::bench {
namespace {

/// The address that a rewriting egress program writes: locally administered, of nobody.
constexpr std::array<std::uint8_t, 6> kNewAddress = {0x02, 0x00, 0x5e, 0x10, 0x00, 0x63};

/// Writes another destination address, as a router does.
void rewrite_header(Assembler& code) {
  using enum Register;
  const auto too_short = code.label();
  code.load(Width::word, r2, r1, offsetof(xdp_md, data))
      .load(Width::word, r3, r1, offsetof(xdp_md, data_end))
      .move(r4, r2)
      .compute(Arithmetic::add, r4, static_cast<std::int32_t>(kNewAddress.size()))
      .jump_if(Condition::greater, r4, r3, too_short);
  for (std::size_t at = 0; at < kNewAddress.size(); at += 2) {
    code.store(Width::half, r2, static_cast<std::int16_t>(at), kNewAddress[at] | (kNewAddress[at + 1] << 8));
  }
  code.place(too_short);
}

Expected<Program> load(const Assembler& code, bool frags, std::uint32_t attach_type = 0) {
  const auto instructions = code.build();
  if (!instructions) return std::unexpected(instructions.error());
  return Program::load({.expected_attach_type = attach_type, .flags = frags ? BPF_F_XDP_HAS_FRAGS : 0U}, *instructions)
      .expected();
}

Expected<Program> egress_program(Egress kind, bool frags) {
  Assembler code;
  if (kind == Egress::rewrite) rewrite_header(code);
  code.return_value(kind == Egress::drop ? XDP_DROP : XDP_PASS);
  return load(code, frags, BPF_XDP_DEVMAP);
}

Assembler main_program(const RouteSpec& spec, const Sinks& sinks, const DevMap& map, std::uint32_t port) {
  using Way = RouteSpec::Way;
  Assembler code;
  switch (spec.way) {
    case Way::drop:
      return code.return_value(XDP_DROP);
    case Way::redirect:
      return code.move(Register::r1, static_cast<std::int32_t>(sinks.target(port)))
          .move(Register::r2, 0)
          .call(BPF_FUNC_redirect)
          .exit();
    case Way::map:
      return code.redirect_map(map, spec.spacing() * port, spec.on_miss).exit();
    case Way::miss:
      return code.redirect_map(map, spec.max_entries() - 1, XDP_DROP).exit();
    case Way::broadcast:
      return code.redirect_map(map, 0, BPF_F_BROADCAST | (spec.exclude_ingress ? BPF_F_EXCLUDE_INGRESS : 0)).exit();
  }
  return code.return_value(XDP_ABORTED);
}

}  // namespace

Received RouteSpec::copies() const {
  const bool arrives = way != Way::drop && way != Way::miss && egress != Egress::drop;
  Received each(devices, arrives && way == Way::broadcast ? 1 : 0);
  if (arrives) each.front() = 1;
  return each;
}

Expected<Route> Route::create(const RouteSpec& spec, const Sinks& sinks, bool frags) {
  std::optional<Program> egress;
  if (spec.egress != Egress::none) {
    auto loaded = egress_program(spec.egress, frags);
    if (!loaded) return std::unexpected(loaded.error());
    egress = std::move(*loaded);
  }
  const std::uint32_t value_size = egress ? sizeof(Target) : sizeof(std::uint32_t);
  auto map =
      DevMap::create({.type = spec.type, .value_size = value_size, .max_entries = spec.max_entries()}).expected();
  if (!map) return std::unexpected(map.error());
  for (std::uint32_t device = 0; device < spec.devices; ++device) {
    const Target target{.ifindex = sinks.target(device), .program_fd = egress ? egress->fd() : 0};
    if (auto put = map->update(spec.spacing() * device, target).expected(); !put) return std::unexpected(put.error());
  }
  auto program = load(main_program(spec, sinks, *map, 0), frags);
  if (!program) return std::unexpected(program.error());
  return Route(spec, std::move(*map), std::move(egress), std::move(*program));
}

Expected<Program> Route::program_to(std::uint32_t port, const Sinks& sinks) const {
  return load(main_program(spec_, sinks, map_, port), false);
}

Frame Route::after(Frame frame) const {
  if (spec_.egress == Egress::rewrite) {
    std::ranges::transform(kNewAddress, frame.begin(), [](std::uint8_t byte) { return std::byte{byte}; });
  }
  return frame;
}

}  // namespace devmap::bench
