#include <vm/architecture.hpp>

#include <vm/files.hpp>
#include <vm/guest_programs.hpp>
#include <vm/tests/packages.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace devmap::vm {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Architectures, AreFoundByTheirNames) {
  std::set<std::string_view> names;
  for (const auto& architecture : architectures()) {
    EXPECT_TRUE(names.insert(architecture.name).second) << architecture.name;
    EXPECT_EQ(architecture_named(architecture.name), &architecture);
    EXPECT_THAT(architecture_names(), HasSubstr(architecture.name));
    EXPECT_THAT(architecture.qemu_package, testing::StartsWith("qemu-system-"));
    EXPECT_THAT(architecture.tcg_threads, testing::AnyOf("single", "multi"));
    EXPECT_TRUE(architecture.also_runs.empty() || architecture_named(architecture.also_runs) != nullptr);
  }
  for (const auto* const none : {"", "vax", "x86_64", "AMD64"}) EXPECT_EQ(architecture_named(none), nullptr) << none;
  EXPECT_EQ(usual_architecture().name, "amd64");
}

TEST(Architectures, RunTheirOwnProgramsAndSomeThoseOf32Bits) {
  const auto runs = [](const char* kernel, const char* programs) {
    return architecture_named(kernel)->runs(*architecture_named(programs));
  };
  for (const auto& architecture : architectures()) EXPECT_TRUE(architecture.runs(architecture));
  EXPECT_TRUE(runs("amd64", "i386"));
  EXPECT_TRUE(runs("arm64", "armhf"));
  EXPECT_FALSE(runs("i386", "amd64"));
  EXPECT_FALSE(runs("arm64", "i386"));
  EXPECT_FALSE(runs("s390x", "amd64"));
}

TEST(Architectures, AreToldByElfFiles) {
  for (const auto& architecture : architectures()) {
    EXPECT_EQ(architecture_of(test::executable_of(architecture)), &architecture) << architecture.name;
  }
  auto of_none = test::executable_of(usual_architecture());
  of_none[offsetof(Elf64_Ehdr, e_machine)] = static_cast<char>(EM_VAX);
  EXPECT_EQ(architecture_of(of_none), nullptr);
  auto other_order = test::executable_of(*architecture_named("s390x"));
  other_order[EI_DATA] = ELFDATA2LSB;
  EXPECT_EQ(architecture_of(other_order), nullptr);
  for (const auto* const none : {"", "#!/bin/sh\n", "\177ELF", "\177ELF\2\1\1"}) {
    EXPECT_EQ(architecture_of(none), nullptr) << none;
  }
}

TEST(GuestPrograms, AreLookedForBesideThisProgram) {
  const auto own = program_places("/p/build/ci/vm", usual_architecture());
  EXPECT_THAT(own.suite, ElementsAre("/p/build/ci/vm/devmap-conformance", "/p/build/ci/cases/devmap-conformance"));
  EXPECT_THAT(own.init, IsEmpty()) << "it is in the program itself";
  const auto foreign = program_places("/p/build/ci/vm", *architecture_named("s390x"));
  EXPECT_THAT(foreign.suite, ElementsAre("/p/build/cross-s390x/cases/devmap-conformance",
                                         "/p/build/ci/libexec/devmap-conformance/s390x/devmap-conformance"));
  EXPECT_THAT(foreign.init, ElementsAre("/p/build/cross-s390x/vm/devmap-vm-init",
                                        "/p/build/ci/libexec/devmap-conformance/s390x/devmap-vm-init"));
}

class GuestProgramsOfAFile : public testing::Test {
 protected:
  [[nodiscard]] std::string written(const Architecture& architecture) const {
    const auto file = directory_.path() / architecture.name;
    EXPECT_TRUE(write_to(file, test::executable_of(architecture)));
    return file.string();
  }

  TemporaryDirectory directory_ = TemporaryDirectory::create(testing::TempDir()).value();
};

TEST_F(GuestProgramsOfAFile, AreThoseThatTheKernelRuns) {
  const auto& own = usual_architecture();
  const auto programs = read_guest_programs(own, own, written(own));
  ASSERT_TRUE(programs) << programs.error().text();
  EXPECT_EQ(programs->suite.size(), test::kLoadedSize);
  EXPECT_EQ(architecture_of(programs->init), &own);
}

TEST_F(GuestProgramsOfAFile, AreNotThoseOfAnother) {
  const auto programs =
      read_guest_programs(usual_architecture(), usual_architecture(), written(*architecture_named("s390x")));
  ASSERT_FALSE(programs);
  EXPECT_THAT(programs.error().text(), HasSubstr("is built for s390x, and the kernel is one for amd64"));
}

TEST_F(GuestProgramsOfAFile, ThatAreNotBuiltSayHow) {
  const auto& riscv64 = *architecture_named("riscv64");
  std::error_code failed;
  const auto here = std::filesystem::read_symlink("/proc/self/exe", failed).parent_path();
  if (std::filesystem::exists(program_places(here, riscv64).init.front(), failed)) GTEST_SKIP() << "they are built";
  const auto programs = read_guest_programs(riscv64, riscv64, written(riscv64));
  ASSERT_FALSE(programs);
  EXPECT_THAT(programs.error().text(), HasSubstr("run: scripts/cross riscv64"));
}

}  // namespace
}  // namespace devmap::vm
