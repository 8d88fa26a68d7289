#include <harness/bpf/assembler.hpp>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <harness/bpf/map.hpp>
#include <harness/bpf/tests/support.hpp>

#include <fmt/format.h>
#include <cerrno>
#include <cstring>
#include <functional>

// The expected words are written out from the tables of Documentation/bpf/standardization/instruction-set.rst: the
// numbers of the opcodes, not the macros that the assembler itself is made of.
// Where argument-dependent lookup finds them.
bool operator==(const bpf_insn& left, const bpf_insn& right) {
  return std::memcmp(&left, &right, sizeof left) == 0;
}
void PrintTo(const bpf_insn& word, std::ostream* out) {
  *out << fmt::format("{{code {:#04x}, dst {}, src {}, off {}, imm {}}}", word.code, unsigned{word.dst_reg},
                      unsigned{word.src_reg}, word.off, word.imm);
}

namespace devmap {
namespace {

using testing_support::FailsWith;
using testing_support::fault;
using enum Register;

/// A map that is none: the assembler looks at the descriptor's number alone.
class AnyMap : public Map {
 public:
  AnyMap() : Map(UniqueFd(open("/dev/null", O_RDONLY | O_CLOEXEC))) {}
};

bpf_insn word(unsigned code, unsigned dst, unsigned src, int off, std::int32_t imm) {
  bpf_insn word{};
  word.code = static_cast<std::uint8_t>(code);
  word.dst_reg = static_cast<std::uint8_t>(dst) & 0xf;
  word.src_reg = static_cast<std::uint8_t>(src) & 0xf;
  word.off = static_cast<std::int16_t>(off);
  word.imm = imm;
  return word;
}

using Program = std::vector<bpf_insn>;

Program built(const Assembler& assembler) {
  auto program = assembler.build();
  EXPECT_EQ(fault(program), "");
  return program.value_or(Program{});
}

/// An assembler and its label placed at its end, so that a single instruction can name it.
Assembler before_label(const std::function<void(Assembler&, Assembler::Label)>& emit) {
  Assembler assembler;
  const auto label = assembler.label();
  emit(assembler, label);
  assembler.place(label);
  return assembler;
}

TEST(Assembler, EncodesMovesAndExit) {
  EXPECT_EQ(built(Assembler().move(r1, r6)), Program{word(0xbf, 1, 6, 0, 0)});
  EXPECT_EQ(built(Assembler().move(r10, r0)), Program{word(0xbf, 10, 0, 0, 0)});
  EXPECT_EQ(built(Assembler().move(r2, -7)), Program{word(0xb7, 2, 0, 0, -7)});
  EXPECT_EQ(built(Assembler().exit()), Program{word(0x95, 0, 0, 0, 0)});
  EXPECT_EQ(built(Assembler().return_value(2)), (Program{word(0xb7, 0, 0, 0, 2), word(0x95, 0, 0, 0, 0)}));
}

TEST(Assembler, EncodesWideImmediatesInTwoSlots) {
  EXPECT_EQ(built(Assembler().load_immediate(r3, 0x1122334455667788)),
            (Program{word(0x18, 3, 0, 0, 0x55667788), word(0, 0, 0, 0, 0x11223344)}));
  EXPECT_EQ(built(Assembler().load_immediate(r3, 0xffffffff)), (Program{word(0x18, 3, 0, 0, -1), word(0, 0, 0, 0, 0)}));
  EXPECT_EQ(built(Assembler().load_immediate(r3, 1ULL << 63)),
            (Program{word(0x18, 3, 0, 0, 0), word(0, 0, 0, 0, INT32_MIN)}));
}

TEST(Assembler, EncodesMapsByDescriptor) {
  const AnyMap map;
  EXPECT_EQ(built(Assembler().load_map(r1, map)), (Program{word(0x18, 1, 1, 0, map.fd()), word(0, 0, 0, 0, 0)}));
  EXPECT_EQ(built(Assembler().load_map_value(r7, map, 8)),
            (Program{word(0x18, 7, 2, 0, map.fd()), word(0, 0, 0, 0, 8)}));
}

TEST(Assembler, EncodesArithmetic) {
  const struct {
    Arithmetic operation;
    unsigned with_register, with_immediate;
  } kTable[] = {
      {Arithmetic::add, 0x0f, 0x07},     {Arithmetic::subtract, 0x1f, 0x17},   {Arithmetic::bit_or, 0x4f, 0x47},
      {Arithmetic::bit_and, 0x5f, 0x57}, {Arithmetic::shift_left, 0x6f, 0x67}, {Arithmetic::shift_right, 0x7f, 0x77},
      {Arithmetic::bit_xor, 0xaf, 0xa7},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(built(Assembler().compute(row.operation, r4, r9)), Program{word(row.with_register, 4, 9, 0, 0)});
    EXPECT_EQ(built(Assembler().compute(row.operation, r4, -3)), Program{word(row.with_immediate, 4, 0, 0, -3)});
  }
}

TEST(Assembler, EncodesLoadsAndStores) {
  const struct {
    Width width;
    unsigned load, store, store_immediate;
  } kTable[] = {
      {Width::byte, 0x71, 0x73, 0x72},
      {Width::half, 0x69, 0x6b, 0x6a},
      {Width::word, 0x61, 0x63, 0x62},
      {Width::double_word, 0x79, 0x7b, 0x7a},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(built(Assembler().load(row.width, r0, r1, 4)), Program{word(row.load, 0, 1, 4, 0)});
    EXPECT_EQ(built(Assembler().store(row.width, r10, -8, r6)), Program{word(row.store, 10, 6, -8, 0)});
    EXPECT_EQ(built(Assembler().store(row.width, r10, -8, 5)), Program{word(row.store_immediate, 10, 0, -8, 5)});
  }
  EXPECT_EQ(built(Assembler().atomic_add(r7, 16, r2)), Program{word(0xdb, 7, 2, 16, 0)});
}

TEST(Assembler, EncodesJumps) {
  const struct {
    Condition condition;
    unsigned with_register, with_immediate;
  } kTable[] = {
      {Condition::equal, 0x1d, 0x15},
      {Condition::greater, 0x2d, 0x25},
      {Condition::greater_or_equal, 0x3d, 0x35},
      {Condition::any_bit_set, 0x4d, 0x45},
      {Condition::not_equal, 0x5d, 0x55},
      {Condition::less, 0xad, 0xa5},
      {Condition::less_or_equal, 0xbd, 0xb5},
  };
  for (const auto& row : kTable) {
    EXPECT_EQ(built(before_label([&](auto& a, auto end) { a.jump_if(row.condition, r3, r4, end); })),
              Program{word(row.with_register, 3, 4, 0, 0)});
    EXPECT_EQ(built(before_label([&](auto& a, auto end) { a.jump_if(row.condition, r3, -9, end); })),
              Program{word(row.with_immediate, 3, 0, 0, -9)});
  }
  EXPECT_EQ(built(before_label([](auto& a, auto end) { a.jump(end); })), Program{word(0x05, 0, 0, 0, 0)});
}

TEST(Assembler, EncodesCalls) {
  EXPECT_EQ(built(Assembler().call(BPF_FUNC_redirect_map)), Program{word(0x85, 0, 0, 0, 51)});
  EXPECT_EQ(built(Assembler().call(BPF_FUNC_map_lookup_elem)), Program{word(0x85, 0, 0, 0, 1)});
}

TEST(Assembler, WritesOutAWholeRedirect) {
  const AnyMap map;
  EXPECT_EQ(built(Assembler().redirect_map(map, 1ULL << 32 | 5, 2)),
            (Program{word(0x18, 1, 1, 0, map.fd()), word(0, 0, 0, 0, 0),  //
                     word(0x18, 2, 0, 0, 5), word(0, 0, 0, 0, 1),         //
                     word(0x18, 3, 0, 0, 2), word(0, 0, 0, 0, 0),         //
                     word(0x85, 0, 0, 0, 51)}));
}

TEST(Assembler, WritesOutAWholeLookup) {
  const AnyMap map;
  EXPECT_EQ(built(Assembler().lookup(map, 5)),
            (Program{word(0x62, 10, 0, -4, 5),                            // the key on the stack
                     word(0xbf, 2, 10, 0, 0), word(0x07, 2, 0, 0, -4),    // r2 = r10 - 4
                     word(0x18, 1, 1, 0, map.fd()), word(0, 0, 0, 0, 0),  //
                     word(0x85, 0, 0, 0, 1)}));
}

TEST(Assembler, WritesOutAWholeTailCall) {
  const AnyMap programs;
  EXPECT_EQ(built(Assembler().tail_call(programs, 3)), (Program{word(0x18, 2, 1, 0, programs.fd()), word(0, 0, 0, 0, 0),
                                                                word(0xb7, 3, 0, 0, 3), word(0x85, 0, 0, 0, 12)}));
}

TEST(Assembler, PassesRawInstructionsThrough) {
  const auto any = word(0xd7, 5, 3, -2, 32);
  EXPECT_EQ(built(Assembler().raw(any).exit()), (Program{any, word(0x95, 0, 0, 0, 0)}));
}

TEST(Assembler, JumpsForwardAndBackward) {
  Assembler assembler;
  const auto top = assembler.label();
  const auto end = assembler.label();
  assembler.place(top);
  assembler.jump_if(Condition::equal, r1, 0, end);  // 0 -> 4
  assembler.load_immediate(r2, 1);                  // 1, 2: a wide one counts twice
  assembler.jump(top);                              // 3 -> 0
  assembler.place(end);
  assembler.exit();  // 4
  EXPECT_EQ(built(assembler), (Program{word(0x15, 1, 0, 3, 0), word(0x18, 2, 0, 0, 1), word(0, 0, 0, 0, 0),
                                       word(0x05, 0, 0, -4, 0), word(0x95, 0, 0, 0, 0)}));
}

TEST(Assembler, NamesFunctionsByTheirDistance) {
  Assembler assembler;
  const auto callback = assembler.label();
  assembler.load_function(r2, callback);  // 0, 1
  assembler.exit();                       // 2
  assembler.place(callback);
  assembler.exit();  // 3
  const auto program = built(assembler);
  ASSERT_EQ(program.size(), 4U);
  EXPECT_EQ(program[0], word(0x18, 2, 4, 0, 2));  // counted from the slot after the first
  EXPECT_EQ(program[1], word(0, 0, 0, 0, 0));
}

TEST(Assembler, CanBeBuiltAgain) {
  Assembler assembler;
  assembler.move(r0, 1);
  EXPECT_EQ(built(assembler).size(), 1U);
  assembler.exit();
  EXPECT_EQ(built(assembler).size(), 2U);
  EXPECT_EQ(built(assembler), built(assembler));
}

TEST(Assembler, RefusesALabelThatWasNeverPlaced) {
  Assembler assembler;
  assembler.jump(assembler.label());
  EXPECT_THAT(assembler.build(), FailsWith(EINVAL));
}

TEST(Assembler, DoesNotMindALabelNobodyNames) {
  Assembler assembler;
  (void)assembler.label();
  EXPECT_EQ(built(assembler.exit()).size(), 1U);
}

/// A jump over this many instructions, forward or backward.
Expected<Program> jump_over(int distance) {
  Assembler assembler;
  const auto label = assembler.label();
  if (distance >= 0) assembler.jump(label);
  if (distance < 0) assembler.place(label);
  // A backward jump counts itself.
  for (int i = 0; i < (distance >= 0 ? distance : -distance - 1); ++i) assembler.move(r0, 0);
  if (distance < 0) assembler.jump(label);
  if (distance >= 0) assembler.place(label);
  return assembler.exit().build();
}

TEST(Assembler, ReachesAsFarAsSixteenBitsDo) {
  const auto forward = jump_over(INT16_MAX);
  ASSERT_EQ(fault(forward), "");
  EXPECT_EQ(forward->front().off, INT16_MAX);
  const auto backward = jump_over(INT16_MIN);
  ASSERT_EQ(fault(backward), "");
  EXPECT_EQ(backward->at(backward->size() - 2).off, INT16_MIN);
  EXPECT_THAT(jump_over(INT16_MAX + 1), FailsWith(ERANGE));
  EXPECT_THAT(jump_over(INT16_MIN - 1), FailsWith(ERANGE));
}

}  // namespace
}  // namespace devmap
