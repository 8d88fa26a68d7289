#pragma once

#include <harness/base/error.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace devmap::vm {

/// A program to start. It ends with this process, whatever ends that.
struct Invocation {
  /// A path.
  std::string program;
  std::vector<std::string> arguments = {};
  /// Set besides this process's own variables.
  std::vector<std::pair<std::string, std::string>> environment = {};
  /// Where it starts; here, if empty.
  std::string directory = {};
  /// Descriptors it keeps under the same numbers.
  std::vector<int> kept_descriptors = {};
  /// Runs in the new process just before the program does; false ends it with exit code 126 and what errno says.
  std::function<bool()> prepare = {};
};

/// What came of a program.
struct Finished {
  /// Its exit code, or as in a shell 128 + N where signal N ended it.
  int exit_code = 0;
  std::string out = {};
  std::string err = {};
  /// CPU time, its own in user mode and in the kernel and that of the processes it waited for (getrusage(2)).
  std::chrono::microseconds cpu_time = {};
};

/// A running program, whose standard output and standard error go to files of nobody else. It does not outlive this
/// object.
class Process {
 public:
  /// Fails where the program cannot be started. Can be called from several threads at once; the program ends with the
  /// thread that started it.
  [[nodiscard]] static Expected<Process> start(const Invocation& invocation);
  Process(Process&&) noexcept;
  Process& operator=(Process&&) = delete;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process();

  [[nodiscard]] int pid() const;
  /// A descriptor that becomes readable when the program has ended.
  [[nodiscard]] int ended_descriptor() const;
  void send(int signal) const;
  /// What it has written to standard output so far.
  [[nodiscard]] std::string out_so_far() const;
  /// Waits for its end.
  [[nodiscard]] Finished wait();

 private:
  struct State;
  explicit Process(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Starts a program and waits for its end.
[[nodiscard]] Expected<Finished> run(const Invocation& invocation);

/// Runs a program on this program's own standard input and output, and gives its exit code.
[[nodiscard]] Expected<int> run_in_foreground(const Invocation& invocation);

/// The path of a program that PATH leads to, or the name itself where it is a path; nothing where there is none.
[[nodiscard]] std::optional<std::string> find_program(const std::string& name);

}  // namespace devmap::vm
