#pragma once

#include <harness/base/kernel_version.hpp>
#include <harness/record/record.hpp>

#include <string>
#include <tuple>

namespace devmap::reports {

/// What tells the kernel of one record from those of others.
struct Kernel {
  /// What it is called: the record's label.
  std::string label;
  /// The stable version it is built from, as far as the record tells: Debian's "6.1.0-56" says 6.1.192 only in its
  /// build string. 0.0 where no version can be read.
  KernelVersion version;
  std::string machine;
  bool real_time = false;
  /// "on", "off", "hardened" or "unknown".
  std::string jit;

  [[nodiscard]] static Kernel of(const RunContext& context);

  /// The version, or the label where there is none: what a narrow column is headed with.
  [[nodiscard]] std::string short_name() const;
  /// What sets it apart from the usual x86-64 kernel with a JIT: "arm64, RT, no JIT"; empty for the usual.
  [[nodiscard]] std::string marks() const;
  /// The short name with its marks: "6.1.192 (RT)".
  [[nodiscard]] std::string name() const;

  /// By version, then the usual before the others.
  friend bool operator<(const Kernel& a, const Kernel& b) { return a.order() < b.order(); }

 private:
  [[nodiscard]] std::tuple<KernelVersion, bool, std::string, bool, bool, std::string> order() const;
};

}  // namespace devmap::reports
