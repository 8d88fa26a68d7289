#pragma once

#include <harness/base/error.hpp>

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

// What the tests of all rooms share.
namespace devmap::testing_support {

/// The error of a step in words; empty where it worked. `EXPECT_EQ(fault(step), "")` explains itself.
template <class T>
std::string fault(const Expected<T>& step) {
  return step ? "" : step.error().text();
}

/// An Expected that holds an Error with this errno.
MATCHER_P(FailsWith, code, (negation ? "does not fail with " : "fails with ") + errno_name(code)) {
  if (arg) {
    *result_listener << "which succeeded";
    return false;
  }
  *result_listener << "which is " << arg.error().text();
  return arg.error().code == code;
}

/// An empty directory that goes with the object.
class TemporaryDirectory {
 public:
  TemporaryDirectory() : path_(testing::TempDir() + "devmap-test-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("mkdtemp " + path_);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace devmap::testing_support
