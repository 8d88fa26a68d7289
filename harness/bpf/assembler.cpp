#include <harness/bpf/assembler.hpp>

#include <cerrno>
#include <limits>

#include <harness/bpf/map.hpp>

namespace devmap {
namespace {

constexpr std::size_t kUnplaced = std::numeric_limits<std::size_t>::max();

constexpr std::uint8_t code(unsigned a, unsigned b, unsigned c = 0) {
  return static_cast<std::uint8_t>(a | b | c);
}

}  // namespace

Assembler::Label Assembler::label() {
  labels_.push_back(kUnplaced);
  return Label(labels_.size() - 1);
}

Assembler& Assembler::place(Label label) {
  labels_.at(label.index_) = instructions_.size();
  return *this;
}

Assembler& Assembler::emit(std::uint8_t opcode, Register destination, Register source, std::int16_t offset,
                           std::int32_t immediate) {
  bpf_insn instruction{};
  instruction.code = opcode;
  instruction.dst_reg = static_cast<std::uint8_t>(destination) & 0xf;
  instruction.src_reg = static_cast<std::uint8_t>(source) & 0xf;
  instruction.off = offset;
  instruction.imm = immediate;
  instructions_.push_back(instruction);
  return *this;
}

Assembler& Assembler::emit_wide(Register destination, std::uint8_t pseudo_source, std::uint64_t immediate) {
  emit(code(BPF_LD, BPF_DW, BPF_IMM), destination, Register{pseudo_source}, 0,
       static_cast<std::int32_t>(immediate & 0xffffffff));
  return emit(0, Register::r0, Register::r0, 0, static_cast<std::int32_t>(immediate >> 32));
}

Assembler& Assembler::move(Register to, Register from) {
  return emit(code(BPF_ALU64, BPF_MOV, BPF_X), to, from, 0, 0);
}

Assembler& Assembler::move(Register to, std::int32_t immediate) {
  return emit(code(BPF_ALU64, BPF_MOV, BPF_K), to, Register::r0, 0, immediate);
}

Assembler& Assembler::load_immediate(Register to, std::uint64_t immediate) {
  return emit_wide(to, 0, immediate);
}

Assembler& Assembler::load_map(Register to, const Map& map) {
  return emit_wide(to, BPF_PSEUDO_MAP_FD, static_cast<std::uint32_t>(map.fd()));
}

Assembler& Assembler::load_map_value(Register to, const Map& map, std::uint32_t offset) {
  return emit_wide(to, BPF_PSEUDO_MAP_VALUE,
                   static_cast<std::uint32_t>(map.fd()) | static_cast<std::uint64_t>(offset) << 32);
}

Assembler& Assembler::load_function(Register to, Label function) {
  fixups_.push_back({instructions_.size(), function.index_, true});
  return emit_wide(to, BPF_PSEUDO_FUNC, 0);
}

Assembler& Assembler::compute(Arithmetic operation, Register to, Register operand) {
  return emit(code(BPF_ALU64, static_cast<unsigned>(operation), BPF_X), to, operand, 0, 0);
}

Assembler& Assembler::compute(Arithmetic operation, Register to, std::int32_t operand) {
  return emit(code(BPF_ALU64, static_cast<unsigned>(operation), BPF_K), to, Register::r0, 0, operand);
}

Assembler& Assembler::load(Width width, Register to, Register base, std::int16_t offset) {
  return emit(code(BPF_LDX, static_cast<unsigned>(width), BPF_MEM), to, base, offset, 0);
}

Assembler& Assembler::store(Width width, Register base, std::int16_t offset, Register from) {
  return emit(code(BPF_STX, static_cast<unsigned>(width), BPF_MEM), base, from, offset, 0);
}

Assembler& Assembler::store(Width width, Register base, std::int16_t offset, std::int32_t immediate) {
  return emit(code(BPF_ST, static_cast<unsigned>(width), BPF_MEM), base, Register::r0, offset, immediate);
}

Assembler& Assembler::atomic_add(Register base, std::int16_t offset, Register operand) {
  return emit(code(BPF_STX, BPF_DW, BPF_ATOMIC), base, operand, offset, BPF_ADD);
}

Assembler& Assembler::emit_jump(std::uint8_t opcode, Register left, Register right, std::int32_t immediate,
                                Label target) {
  fixups_.push_back({instructions_.size(), target.index_, false});
  return emit(opcode, left, right, 0, immediate);
}

Assembler& Assembler::jump(Label target) {
  return emit_jump(code(BPF_JMP, BPF_JA), Register::r0, Register::r0, 0, target);
}

Assembler& Assembler::jump_if(Condition condition, Register left, Register right, Label target) {
  return emit_jump(code(BPF_JMP, static_cast<unsigned>(condition), BPF_X), left, right, 0, target);
}

Assembler& Assembler::jump_if(Condition condition, Register left, std::int32_t right, Label target) {
  return emit_jump(code(BPF_JMP, static_cast<unsigned>(condition), BPF_K), left, Register::r0, right, target);
}

Assembler& Assembler::call(bpf_func_id helper) {
  return emit(code(BPF_JMP, BPF_CALL), Register::r0, Register::r0, 0, static_cast<std::int32_t>(helper));
}

Assembler& Assembler::exit() {
  return emit(code(BPF_JMP, BPF_EXIT), Register::r0, Register::r0, 0, 0);
}

Assembler& Assembler::return_value(std::int32_t immediate) {
  return move(Register::r0, immediate).exit();
}

Assembler& Assembler::redirect_map(const Map& map, std::uint64_t key, std::uint64_t flags) {
  load_map(Register::r1, map);
  load_immediate(Register::r2, key);
  load_immediate(Register::r3, flags);
  return call(BPF_FUNC_redirect_map);
}

Assembler& Assembler::lookup(const Map& map, std::uint32_t key) {
  constexpr std::int16_t kKeyOffset = -4;
  store(Width::word, Register::r10, kKeyOffset, static_cast<std::int32_t>(key));
  move(Register::r2, Register::r10).compute(Arithmetic::add, Register::r2, kKeyOffset);
  load_map(Register::r1, map);
  return call(BPF_FUNC_map_lookup_elem);
}

Assembler& Assembler::tail_call(const Map& programs, std::int32_t index) {
  load_map(Register::r2, programs);
  move(Register::r3, index);
  return call(BPF_FUNC_tail_call);
}

Assembler& Assembler::raw(bpf_insn instruction) {
  instructions_.push_back(instruction);
  return *this;
}

Expected<std::vector<bpf_insn>> Assembler::build() const {
  auto program = instructions_;
  for (const auto& fixup : fixups_) {
    const std::size_t target = labels_.at(fixup.label);
    if (target == kUnplaced) return failure("assemble", EINVAL, "a jump names a label that was never placed");
    // Distances count from the instruction after the jump.
    const auto distance = static_cast<std::ptrdiff_t>(target) - static_cast<std::ptrdiff_t>(fixup.instruction) - 1;
    if (fixup.in_immediate) {
      program.at(fixup.instruction).imm = static_cast<std::int32_t>(distance);
    } else if (distance < std::numeric_limits<std::int16_t>::min() ||
               distance > std::numeric_limits<std::int16_t>::max()) {
      return failure("assemble", ERANGE, "a jump reaches too far");
    } else {
      program.at(fixup.instruction).off = static_cast<std::int16_t>(distance);
    }
  }
  return program;
}

}  // namespace devmap
