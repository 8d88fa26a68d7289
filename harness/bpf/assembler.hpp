#pragma once

#include <linux/bpf.h>
#include <harness/base/error.hpp>

#include <cstdint>
#include <vector>

namespace devmap {

class Map;

/// The registers of the BPF machine: r0 holds results, r1 to r5 arguments (r1 the context at entry), r6 to r9 survive
/// calls, r10 is the read-only frame pointer.
enum class Register : std::uint8_t { r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10 };

/// Width of a load or store, in bytes 1, 2, 4 and 8.
enum class Width : std::uint8_t { byte = BPF_B, half = BPF_H, word = BPF_W, double_word = BPF_DW };

/// Conditions of a jump; the comparisons are unsigned.
enum class Condition : std::uint8_t {
  equal = BPF_JEQ,
  not_equal = BPF_JNE,
  greater = BPF_JGT,
  greater_or_equal = BPF_JGE,
  less = BPF_JLT,
  less_or_equal = BPF_JLE,
  any_bit_set = BPF_JSET,
};

/// 64-bit arithmetic.
enum class Arithmetic : std::uint8_t {
  add = BPF_ADD,
  subtract = BPF_SUB,
  bit_and = BPF_AND,
  bit_or = BPF_OR,
  bit_xor = BPF_XOR,
  shift_left = BPF_LSH,
  shift_right = BPF_RSH,
};

/// Builds programs of a few instructions, one method an instruction, with jumps to labels. Encodings are those of
/// Documentation/bpf/standardization/instruction-set.rst.
class Assembler {
 public:
  /// A place in the program that jumps can name before it is placed.
  class Label {
    friend class Assembler;
    explicit Label(std::size_t index) : index_(index) {}
    std::size_t index_;
  };

  [[nodiscard]] Label label();
  /// The label means the next instruction. A label is placed once.
  Assembler& place(Label label);

  Assembler& move(Register to, Register from);
  Assembler& move(Register to, std::int32_t immediate);
  /// All 64 bits at once (two instruction slots).
  Assembler& load_immediate(Register to, std::uint64_t immediate);
  /// The pointer to a map (BPF_PSEUDO_MAP_FD).
  Assembler& load_map(Register to, const Map& map);
  /// The pointer into a map's first value (BPF_PSEUDO_MAP_VALUE).
  Assembler& load_map_value(Register to, const Map& map, std::uint32_t offset);
  /// The pointer to another function of the program (BPF_PSEUDO_FUNC).
  Assembler& load_function(Register to, Label function);

  Assembler& compute(Arithmetic operation, Register to, Register operand);
  Assembler& compute(Arithmetic operation, Register to, std::int32_t operand);

  Assembler& load(Width width, Register to, Register base, std::int16_t offset);
  Assembler& store(Width width, Register base, std::int16_t offset, Register from);
  Assembler& store(Width width, Register base, std::int16_t offset, std::int32_t immediate);
  /// *(u64 *)(base + offset) += operand, as one step for all CPUs.
  Assembler& atomic_add(Register base, std::int16_t offset, Register operand);

  Assembler& jump(Label target);
  Assembler& jump_if(Condition condition, Register left, Register right, Label target);
  Assembler& jump_if(Condition condition, Register left, std::int32_t right, Label target);

  Assembler& call(bpf_func_id helper);
  Assembler& exit();
  /// r0 = immediate, then exit.
  Assembler& return_value(std::int32_t immediate);

  /// r0 = bpf_redirect_map(map, key, flags). Overwrites r1 to r5.
  Assembler& redirect_map(const Map& map, std::uint64_t key, std::uint64_t flags);
  /// r0 = bpf_map_lookup_elem(map, &key), the key a 32-bit number kept at r10 - 4. Overwrites r1 to r5.
  Assembler& lookup(const Map& map, std::uint32_t key);
  /// Goes on in program `index` of a BPF_MAP_TYPE_PROG_ARRAY, and with the next instruction where there is none. The
  /// context must still be in r1. Overwrites r0 to r5.
  Assembler& tail_call(const Map& programs, std::int32_t index);
  /// Any instruction, for what this class has no method for.
  Assembler& raw(bpf_insn instruction);

  /// The program. Fails where a jump names a label that was never placed, or one too far away.
  [[nodiscard]] Expected<std::vector<bpf_insn>> build() const;

 private:
  struct Fixup {
    std::size_t instruction;
    std::size_t label;
    bool in_immediate;  // BPF_PSEUDO_FUNC keeps the distance there
  };
  Assembler& emit(std::uint8_t code, Register destination, Register source, std::int16_t offset,
                  std::int32_t immediate);
  Assembler& emit_wide(Register destination, std::uint8_t pseudo_source, std::uint64_t immediate);
  Assembler& emit_jump(std::uint8_t code, Register left, Register right, std::int32_t immediate, Label target);

  std::vector<bpf_insn> instructions_;
  std::vector<std::size_t> labels_;
  std::vector<Fixup> fixups_;
};

}  // namespace devmap
