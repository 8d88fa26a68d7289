// One file that runs anywhere: the program alone in an otherwise empty file system.

#include <cases/tests/results.hpp>
#include <cases/tests/suite.hpp>

#include <sys/mount.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <filesystem>

namespace devmap::test {
namespace {

TEST(Portability, ProgramRunsAloneWithProcSysAndDev) {
  NEED_PRIVILEGE();
  if (!DEVMAP_CONFORMANCE_IS_STATIC) GTEST_SKIP() << "not linked statically, so it needs the libraries of its system";
  const Command here = suite({"--chapter=retval", "--output=json:-"});
  const auto finished_here = run(here);
  ASSERT_EQ(finished_here.exit_code, 0) << finished_here.err;

  const TemporaryDirectory root;
  std::filesystem::copy_file(here.program, root.file("program"));
  for (const char* name : {"proc", "sys", "dev"}) std::filesystem::create_directory(root.file(name));
  Command there = here;
  there.program = "/program";
  there.prepare = [&root] {  // the mounts are the new process's own and go with it
    if (!make_own_mount_table()) return false;
    for (const char* name : {"proc", "sys", "dev"}) {
      const auto from = std::string("/") + name;
      if (mount(from.c_str(), root.file(name).c_str(), nullptr, MS_BIND, nullptr) != 0) return false;
    }
    return chroot(root.path().c_str()) == 0 && chdir("/") == 0;
  };
  const auto finished_there = run(there);
  ASSERT_EQ(finished_there.exit_code, 0) << finished_there.err;
  EXPECT_EQ(verdicts_in(Format::json, finished_there.out), verdicts_in(Format::json, finished_here.out));
}

}  // namespace
}  // namespace devmap::test
