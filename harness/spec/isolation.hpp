#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/spec/registry.hpp>
#include <harness/spec/report.hpp>

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace devmap {

/// A check that runs in a child process of its own: its own network namespace, its own process group, its own name
/// (the tag, which the kernel prints in its warnings). It dies with its parent.
class IsolatedCheck {
 public:
  struct Options {
    /// Leave the network namespace of a check that ends without conforming mounted below /run/netns.
    bool keep_namespace = false;
  };
  /// What a child is told when it begins.
  struct Assignment {
    /// Of the checks it was made for.
    std::size_t index = 0;
    /// At most 15 characters.
    std::string tag = {};
    Lent lent = {};
  };

  IsolatedCheck(IsolatedCheck&& other) noexcept;
  IsolatedCheck& operator=(IsolatedCheck&&) = delete;
  IsolatedCheck(const IsolatedCheck&) = delete;
  IsolatedCheck& operator=(const IsolatedCheck&) = delete;
  /// Ends the child and waits for it, where that has not been done.
  ~IsolatedCheck();

  /// A child in its namespace that waits to be told which of the checks it is to run. Making a namespace waits for
  /// whatever else changes the network configuration of the machine (net/core/rtnetlink.c:rtnl_mutex), so it is done
  /// ahead.
  [[nodiscard]] static Expected<IsolatedCheck> prepare(std::span<const Check> checks, const Options& options);
  /// Has a prepared child run its check.
  [[nodiscard]] Expected<void> begin(const Assignment& assignment);

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Becomes readable when the child has ended.
  [[nodiscard]] int ended_fd() const noexcept { return process_.get(); }
  /// Becomes readable when the child has reported something.
  [[nodiscard]] int report_fd() const noexcept { return reports_.get(); }

  /// Takes in what the child has reported so far, without waiting.
  void collect();
  /// Whether the check is through as far as has been collected, and the kernel is only taking back what it used.
  [[nodiscard]] bool through() const noexcept { return report_.outcome.has_value() || report_.missing.has_value(); }
  /// Mounts the child's network namespace below /run/netns, and reports how to enter it; the child must be alive.
  void keep_namespace(const Check& check);
  /// Ends the child and every process it has started.
  void kill() const noexcept;
  /// Waits for the child, ends what it left running, and gives what is known of it.
  [[nodiscard]] ChildReport finish();
  /// Gives what is known of a child that does not even end when killed (it hangs in the kernel), and leaves it.
  [[nodiscard]] ChildReport abandon();

 private:
  IsolatedCheck(pid_t pid, UniqueFd process, UniqueFd orders, UniqueFd reports)
      : pid_(pid), process_(std::move(process)), orders_(std::move(orders)), reports_(std::move(reports)) {}

  pid_t pid_;
  UniqueFd process_;
  UniqueFd orders_;
  UniqueFd reports_;
  std::string unparsed_;
  ChildReport report_;
};

/// Runs the check in this very process and writes its report to a descriptor; the body of the child. False where there
/// is something to look into: it did not find what the rule states, or broke.
bool run_check_here(const Check& check, int report_fd, const Lent& lent = {});

}  // namespace devmap
