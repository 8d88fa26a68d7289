#pragma once

#include <gtest/gtest.h>
#include <harness/base/file.hpp>
#include <harness/base/output_file.hpp>

#include <cstdlib>
#include <string>

namespace devmap::testing_support {

/// Compares a text with a file that holds what it should be. With DEVMAP_WRITE_GOLDEN=1 the file is written anew, and
/// the test skipped: look at the difference.
inline void expect_golden(const std::string& file, const std::string& text) {
  if (std::getenv("DEVMAP_WRITE_GOLDEN") != nullptr) {
    ASSERT_TRUE(write_file(file, text).has_value()) << file;
    GTEST_SKIP() << "wrote " << file;
  }
  EXPECT_EQ(text, read_file(file).value_or("cannot be read")) << file;
}

}  // namespace devmap::testing_support
