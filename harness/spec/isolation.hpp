#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/spec/registry.hpp>
#include <harness/spec/report.hpp>

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace devmap {

/// A check that runs in a child process of its own: its own network namespace, its own process group, its own name
/// (`tag`, at most 15 characters, which the kernel prints in its warnings). It dies with its parent.
class IsolatedCheck {
 public:
  struct Options {
    /// Leave the network namespace of a check that ends without conforming mounted below /run/netns.
    bool keep_namespace = false;
  };

  IsolatedCheck(IsolatedCheck&& other) noexcept;
  IsolatedCheck& operator=(IsolatedCheck&&) = delete;
  IsolatedCheck(const IsolatedCheck&) = delete;
  IsolatedCheck& operator=(const IsolatedCheck&) = delete;
  /// Ends the child and waits for it, where that has not been done.
  ~IsolatedCheck();

  [[nodiscard]] static Expected<IsolatedCheck> start(const Check& check, const std::string& tag,
                                                     const Options& options);

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Becomes readable when the child has ended.
  [[nodiscard]] int ended_fd() const noexcept { return process_.get(); }
  /// Becomes readable when the child has reported something.
  [[nodiscard]] int report_fd() const noexcept { return reports_.get(); }

  /// Takes in what the child has reported so far, without waiting.
  void collect();
  /// Mounts the child's network namespace below /run/netns, and reports how to enter it; the child must be alive.
  void keep_namespace(const Check& check);
  /// Ends the child and every process it has started.
  void kill() const noexcept;
  /// Waits for the child, ends what it left running, and gives what is known of it.
  [[nodiscard]] ChildReport finish();
  /// Gives what is known of a child that does not even end when killed (it hangs in the kernel), and leaves it.
  [[nodiscard]] ChildReport abandon();

 private:
  IsolatedCheck(pid_t pid, UniqueFd process, UniqueFd reports)
      : pid_(pid), process_(std::move(process)), reports_(std::move(reports)) {}

  pid_t pid_;
  UniqueFd process_;
  UniqueFd reports_;
  std::string unparsed_;
  ChildReport report_;
};

/// Runs the check in this very process and writes its report to a descriptor; the body of the child. False where there
/// is something to look into: it did not find what the rule states, or broke.
bool run_check_here(const Check& check, int report_fd);

}  // namespace devmap
