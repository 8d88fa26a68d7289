#include <vm/tests/fake_qemu.hpp>

#include <vm/files.hpp>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace devmap::vm::test {

// Not of sh: dash takes no descriptor above 9.
void put_program(const std::filesystem::path& file, const std::string& script) {
  ASSERT_TRUE(write_to(file, "#!/bin/bash\n" + script));
  ASSERT_EQ(chmod(file.c_str(), 0755), 0);
}

}  // namespace devmap::vm::test
