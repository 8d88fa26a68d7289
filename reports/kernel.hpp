#pragma once

#include <harness/base/kernel_version.hpp>
#include <harness/record/record.hpp>

#include <string>
#include <tuple>
#include <vector>

namespace devmap::reports {

/// What tells the kernel of one record from those of others.
struct Kernel {
  /// What it is called: the record's label.
  std::string label;
  /// The stable version it is built from, as far as the record tells: Debian's "6.1.0-56" says 6.1.192 only in its
  /// build string. 0.0 where no version can be read.
  KernelVersion version;
  /// "rc7" of a version that was not released yet.
  std::string candidate;
  std::string machine;
  bool real_time = false;
  /// "on", "off", "hardened" or "unknown".
  std::string jit;
  /// What a label that was given to it says besides the version and all that is above: "bpf-open" of "7.3-bpf-open".
  std::string variant;
  /// Whether its label is among its marks, as nothing else tells it from another kernel of the report.
  bool shows_label = false;

  [[nodiscard]] static Kernel of(const RunContext& context);

  /// The version, or the label where there is none: what a narrow column is headed with.
  [[nodiscard]] std::string short_name() const;
  /// What sets it apart from the usual x86-64 kernel with a JIT: "aarch64, RT, no JIT, bpf-open"; empty for the usual.
  [[nodiscard]] std::string kind() const;
  /// What follows its short name: its kind, and its label where that is shown.
  [[nodiscard]] std::string marks() const;
  /// The short name with its marks: "6.1.192 (RT)".
  [[nodiscard]] std::string name() const;

  /// By version, candidates before what came of them, then the usual before the others.
  friend bool operator<(const Kernel& a, const Kernel& b) { return a.order() < b.order(); }

 private:
  [[nodiscard]] std::tuple<KernelVersion, bool, std::string, bool, std::string, bool, bool, std::string, std::string>
  order() const;
};

/// Lets kernels that would be called the same show their labels.
void tell_apart(std::vector<Kernel>& kernels);

}  // namespace devmap::reports
