#pragma once

#include <harness/base/kernel_version.hpp>
#include <harness/bpf/feature.hpp>
#include <harness/spec/variant.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap {

class Case;

/// A public statement about the same matter, and whether the rule bears it out.
struct Documentation {
  /// "Documentation/bpf/map_devmap.rst", "bpf-helpers(7)".
  std::string where = {};
  std::string statement = {};
  bool agrees = true;
};

/// A deviation that is known: it is reported as such and does not make a run fail, and it is reported when it stops.
struct KnownIssue {
  std::string reason = {};
  /// Where it can be read about; empty where nothing has been published.
  std::string link = {};
  /// The kernels it is known of: from `since` (0.0: all) to before `until` (absent: no end).
  KernelVersion since = {};
  std::optional<KernelVersion> until = {};

  [[nodiscard]] bool covers(const KernelVersion& kernel) const;
};

/// One sentence about device maps that is true or false of a kernel, and the code that finds out.
struct Rule {
  /// Chapter and slug: "update.noexist-on-array-is-eexist". Never changes once published.
  std::string id = {};
  /// One sentence, in the present tense.
  std::string states = {};
  /// The errnos that it is about: those that `states` names, and exactly those that its check expects a refused call or
  /// a failed redirect to end in, in every variant. A check that expects others, or not all of these, is broken.
  std::vector<int> refuses = {};
  /// The first mainline version it is true of; 0.0 for as long as the map type exists.
  KernelVersion since = {};
  /// Stable releases that carry the change as well: 6.12.77 says 6.12.77 and later ones of 6.12.
  std::vector<KernelVersion> backports = {};
  /// The first mainline version it is no longer true of.
  std::optional<KernelVersion> until = {};
  /// Stable releases in which it has ended as well; without `until`, in which it has ended though not in mainline.
  std::vector<KernelVersion> until_backports = {};
  /// "kernel/bpf/devmap.c:dev_map_alloc_check".
  std::vector<std::string> source = {};
  /// The commits that introduced or fixed it, where known.
  std::vector<std::string> commits = {};
  /// The catalogue's numbers for it: "UPDATE-04".
  std::vector<std::string> catalogue = {};
  std::vector<Documentation> documentation = {};
  Variants variants = any_map();
  /// What must be there for the check to mean anything.
  std::vector<Feature> needs = {};
  /// Why the check may crash, hang or exhaust a kernel; empty where it cannot.
  std::string danger = {};
  std::vector<KnownIssue> known = {};
  std::function<void(Case&)> check = {};
  /// The file that adds it and in which its check is found: "cases/update.cpp". The registry sets it.
  std::string file = {};

  /// "update" of "update.noexist-on-array-is-eexist".
  [[nodiscard]] std::string_view chapter() const;
  /// The errnos that `states` says something ends in: EINVAL of "is refused with EINVAL, not ENODEV".
  [[nodiscard]] std::vector<int> stated_errnos() const;
  /// Whether the kernel is one that the rule should be true of, by its version.
  [[nodiscard]] bool expected_on(const KernelVersion& kernel) const;
};

}  // namespace devmap
