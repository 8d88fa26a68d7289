#include <harness/bpf/program.hpp>

#include <harness/bpf/tests/kernel_fixture.hpp>

#include <array>

namespace devmap {
namespace {

using testing_support::fault;
using testing_support::IsRefusedWith;

using ProgramTest = testing_support::BpfTest;
constexpr std::array<std::byte, 64> kFrame{};

TEST_F(ProgramTest, RunsAndReturnsItsResult) {
  const auto program = make_program(Assembler().return_value(XDP_TX));
  const auto run = program.test_run({.repeat = 1, .data_in = kFrame});
  ASSERT_EQ(fault(run), "");
  EXPECT_EQ(run.value().return_value, XDP_TX);
  EXPECT_TRUE(run.value().data_out.empty());
}

TEST_F(ProgramTest, GivesTheFrameBack) {
  // Writes 0xab into the first byte: r2 = data, r3 = data_end, checked as the verifier demands.
  Assembler writer;
  const auto end = writer.label();
  writer.load(Width::word, Register::r2, Register::r1, 0).load(Width::word, Register::r3, Register::r1, 4);
  writer.move(Register::r4, Register::r2).compute(Arithmetic::add, Register::r4, 1);
  writer.jump_if(Condition::greater, Register::r4, Register::r3, end);
  writer.store(Width::byte, Register::r2, 0, 0xab);
  writer.place(end).return_value(XDP_PASS);
  const auto program = make_program(writer);
  const auto whole = program.test_run({.repeat = 1, .data_in = kFrame, .data_out_room = kFrame.size()});
  ASSERT_EQ(fault(whole), "");
  ASSERT_EQ(whole.value().data_out.size(), kFrame.size());
  EXPECT_EQ(whole.value().data_out.front(), std::byte{0xab});
}

TEST_F(ProgramTest, SaysHowMuchRoomWasMissing) {
  const auto program = make_program(Assembler().return_value(XDP_PASS));
  TestRunResult written;
  EXPECT_THAT(program.test_run({.repeat = 1, .data_in = kFrame, .data_out_room = 10}, &written), IsRefusedWith(ENOSPC));
  EXPECT_EQ(written.data_out.size(), 10U);
  EXPECT_EQ(written.data_out_size, kFrame.size());
}

TEST_F(ProgramTest, IsDescribed) {
  const auto info = make_program(Assembler().return_value(XDP_PASS), {.name = "described"}).info();
  ASSERT_EQ(fault(info), "");
  EXPECT_EQ(info.value().type, BPF_PROG_TYPE_XDP);
  EXPECT_EQ(info.value().name, "described");
  EXPECT_GT(info.value().id, 0U);
}

TEST_F(ProgramTest, RefusalCarriesTheVerifierLog) {
  const auto no_result = Assembler().exit().build().value();
  const auto refused = Program::load({}, no_result);
  EXPECT_THAT(refused, IsRefusedWith(EACCES));
  EXPECT_THAT(refused.explanation(), testing::HasSubstr("R0 !read_ok"));
  EXPECT_EQ(refused.asked().text(), "load program(type XDP, expected_attach_type 0, flags 0, instructions 1)");
}

TEST_F(ProgramTest, HasItsPurposeInTheEvidence) {
  const auto loaded =
      Program::load({.purpose = "passes everything"}, Assembler().return_value(XDP_PASS).build().value());
  ASSERT_EQ(fault(loaded), "");
  EXPECT_THAT(loaded.asked().text(), testing::StartsWith("load program \"passes everything\" (type XDP, "));
}

TEST_F(ProgramTest, HoldsAMapItIsBoundTo) {
  const auto program = make_program(Assembler().return_value(XDP_PASS));
  std::uint32_t map_id = 0;
  {
    const auto map = make_map();
    map_id = map.info().value().id;
    EXPECT_EQ(fault(program.bind(map)), "");
  }
  EXPECT_EQ(fault(map_held(map_id)), "");
}

TEST_F(ProgramTest, IsNotAttachedWhereItsTypeDoesNotBelong) {
  const auto refused = make_program(Assembler().return_value(XDP_PASS)).attach(1, BPF_XDP);
  EXPECT_THAT(refused, IsRefusedWith(EINVAL));
  EXPECT_EQ(refused.asked().text(), "BPF_PROG_ATTACH(target 1, attach_type BPF_XDP)");
}

TEST_F(ProgramTest, IsGoneWhenItsLastHolderIs) {
  auto program = make_program(Assembler().return_value(XDP_PASS));
  const auto id = program.info().value().id;
  EXPECT_EQ(fault(program_held(id)), "");
  program.close();
  EXPECT_EQ(program.fd(), -1);
  EXPECT_THAT(program_held(id), IsRefusedWith(ENOENT));
}

}  // namespace
}  // namespace devmap
