#include <harness/net/counting_sink.hpp>

#include <linux/if_ether.h>
#include <linux/if_link.h>

#include <cstddef>
#include <harness/base/wait.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <utility>

namespace devmap {
namespace {

// One counter a tag, and one for all frames.
constexpr std::uint32_t kAll = 256;
constexpr std::uint32_t kCounters = kAll + 1;

Expected<std::vector<bpf_insn>> counting_program(const Map& counts) {
  using enum Register;
  Assembler code;
  const auto drop = code.label();
  const auto count_one = [&](std::int16_t key_at) {
    code.load_map(r1, counts)
        .move(r2, r10)
        .compute(Arithmetic::add, r2, key_at)
        .call(BPF_FUNC_map_lookup_elem)
        .jump_if(Condition::equal, r0, 0, drop)
        .move(r1, 1)
        .atomic_add(r0, 0, r1);
  };
  code.load(Width::word, r6, r1, offsetof(xdp_md, data)).load(Width::word, r7, r1, offsetof(xdp_md, data_end));
  code.store(Width::word, r10, -4, kAll);
  count_one(-4);
  code.move(r1, r6)
      .compute(Arithmetic::add, r1, ETH_HLEN + 1)
      .jump_if(Condition::greater, r1, r7, drop)
      .load(Width::byte, r1, r6, ETH_HLEN)
      .store(Width::word, r10, -4, r1);
  count_one(-4);
  code.place(drop).return_value(XDP_DROP);
  return code.build();
}

}  // namespace

Expected<CountingSink> CountingSink::attach(std::uint32_t ifindex, const XdpAttach& attach) {
  auto counts = Map::create({.type = BPF_MAP_TYPE_ARRAY, .value_size = sizeof(std::uint64_t), .max_entries = kCounters})
                    .expected();
  if (!counts) return std::unexpected(counts.error());
  const auto instructions = counting_program(*counts);
  if (!instructions) return std::unexpected(instructions.error());
  const auto program = Program::load({}, *instructions).expected();
  if (!program) return std::unexpected(program.error());
  auto attachment = attach(*program, {.ifindex = ifindex, .flags = XDP_FLAGS_DRV_MODE});
  if (!attachment) return std::unexpected(attachment.error());
  return CountingSink(std::move(*counts), std::move(*attachment));
}

Expected<std::uint64_t> CountingSink::total() const {
  return counts_.lookup<std::uint64_t>(kAll).expected();
}

Expected<std::uint64_t> CountingSink::tagged(std::uint8_t tag) const {
  return counts_.lookup<std::uint64_t>(tag).expected();
}

bool CountingSink::wait_for(std::uint64_t frames, std::uint8_t tag, std::chrono::milliseconds limit) const {
  return wait_until([&] { return tagged(tag).value_or(0) >= frames; }, limit);
}

}  // namespace devmap
