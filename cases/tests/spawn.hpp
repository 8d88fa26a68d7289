#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::test {

/// How to start a program.
struct Command {
  std::string program;
  std::vector<std::string> arguments = {};
  /// Runs in the new process just before the program does; false ends it with exit code 126 and what errno says.
  std::function<bool()> prepare = {};
  /// After this much time the program is killed.
  std::chrono::milliseconds deadline = std::chrono::seconds(30);
};

/// What came of a program.
struct Finished {
  /// Its exit code, or as in a shell 128 + N where signal N ended it.
  int exit_code = 0;
  std::string out = {};
  std::string err = {};
  bool past_deadline = false;
};

/// A running program, whose standard output and standard error go to files of nobody else. It does not outlive this
/// object.
class Spawned {
 public:
  explicit Spawned(const Command& command);
  Spawned(Spawned&&) noexcept;
  Spawned& operator=(Spawned&&) = delete;
  ~Spawned();

  [[nodiscard]] int pid() const;
  void send(int signal) const;
  /// What it has written to standard output so far.
  [[nodiscard]] std::string out_so_far() const;
  [[nodiscard]] Finished wait();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Starts a program and waits for its end.
[[nodiscard]] Finished run(const Command& command);

}  // namespace devmap::test
