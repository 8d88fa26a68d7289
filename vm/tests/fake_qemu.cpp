#include <vm/tests/fake_qemu.hpp>

#include <vm/files.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <harness/record/run_stream.hpp>

namespace devmap::vm::test {

// Not of sh: dash takes no descriptor above 9.
void put_program(const std::filesystem::path& file, const std::string& script) {
  ASSERT_TRUE(write_to(file, "#!/bin/bash\n" + script));
  ASSERT_EQ(chmod(file.c_str(), 0755), 0);
}

std::string told(std::string line) {
  line.pop_back();
  return "tell '" + line + "'\n";
}

RunRecord empty_record() {
  return {.suite = {.version = "1.2.3", .commit = "0123"},
          .context = {.release = "6.1.0-x",
                      .machine = "x86_64",
                      .kernel_label = "6.1",
                      .jit = "on",
                      .cpus = 2,
                      .page_size = 4096,
                      .kernel_log = "watched",
                      .attachment = "dispatcher",
                      .boots = 1,
                      .started = "2024-02-29T12:34:56Z"}};
}

std::string told_run_of(const std::string& rule, Verdict verdict) {
  return told(run_line(empty_record(), {rule + "/once"}, 1)) + told(begun_line(rule, "once", 1)) +
         told(result_line({.rule = rule, .variant = "once", .verdict = verdict}));
}

}  // namespace devmap::vm::test
