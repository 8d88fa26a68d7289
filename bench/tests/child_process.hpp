#pragma once

#include <vm/process.hpp>

#include <chrono>
#include <harness/base/file.hpp>
#include <harness/base/wait.hpp>
#include <sstream>
#include <string>

namespace devmap::bench::testing_support {

/// Waits until the first child of a process runs by a command line with this word in it.
inline bool await_child(const vm::Process& process, const std::string& word) {
  const auto of_process = [](const std::string& number, const std::string& what) {
    return read_file("/proc/" + number + "/" + what).value_or("");
  };
  const auto number = std::to_string(process.pid());
  return wait_until(
      [&] {
        std::istringstream children(of_process(number, "task/" + number + "/children"));
        std::string child;
        children >> child;
        return !child.empty() && of_process(child, "cmdline").find(word) != std::string::npos;
      },
      std::chrono::seconds(30));
}

}  // namespace devmap::bench::testing_support
