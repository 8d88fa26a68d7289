#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace devmap::bench::testing_support {

/// A directory with programs named as those of xdp-tools, gone with this object.
class StandInTools {
 public:
  StandInTools() { std::filesystem::create_directories(directory_); }
  StandInTools(const StandInTools&) = delete;
  StandInTools& operator=(const StandInTools&) = delete;
  StandInTools(StandInTools&&) = delete;
  StandInTools& operator=(StandInTools&&) = delete;
  ~StandInTools() { std::filesystem::remove_all(directory_); }

  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }

  /// A shell script.
  void put(const std::filesystem::path& name, const std::string& script) const {
    const auto file = directory_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << "#!/bin/sh\n" << script;
    ASSERT_EQ(chmod(file.c_str(), 0755), 0);
  }

  /// One that tells its version as xdp-tools do, and otherwise runs the script.
  void put_tool(const std::filesystem::path& name, const std::string& version, const std::string& script) const {
    put(name,
        fmt::format("[ \"$2\" != --version ] || {{ echo '{} version {} using libbpf version 1.7.0'; exit 1; }}\n{}",
                    name.filename().string(), version, script));
  }

 private:
  std::filesystem::path directory_ =
      std::filesystem::temp_directory_path() /
      fmt::format("devmap-bench-tools-{}-{}", getpid(), testing::UnitTest::GetInstance()->current_test_info()->name());
};

}  // namespace devmap::bench::testing_support
