#pragma once

#include <harness/base/error.hpp>
#include <harness/spec/rule.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

namespace devmap {

/// A named group of rules: its name is the first part of their ids.
struct Chapter {
  std::string name;
  std::string title;
};

/// One thing to run: a rule in one of its variants.
struct Check {
  const Rule* rule = nullptr;
  Variant variant = {};

  /// "update.noexist-on-array-is-eexist/devmap/v4".
  [[nodiscard]] std::string name() const;
};

/// The rules of a suite, by chapter, in the order in which they were added. Where rules are about refusals, that is the
/// order in which the kernel checks: the chapters in the order of a map's life, and within a chapter a call's way
/// through the kernel.
class Registry {
 public:
  /// Opens a chapter; the rules added next belong to it.
  void chapter(std::string name, std::string title);
  /// Adds a rule. A rule that contradicts itself (an id outside its chapter or given twice, no statement, no check, a
  /// statement with an errno that it does not declare) is kept as a fault and makes every run of the suite end as
  /// broken: see faults().
  void add(Rule rule, std::source_location where = std::source_location::current());

  [[nodiscard]] const std::vector<Chapter>& chapters() const noexcept { return chapters_; }
  [[nodiscard]] const std::vector<Rule>& rules() const noexcept { return rules_; }
  [[nodiscard]] const std::vector<std::string>& faults() const noexcept { return faults_; }

  /// Null where there is none.
  [[nodiscard]] const Rule* find(std::string_view id) const;
  /// The sentence of each rule, by its id.
  [[nodiscard]] std::map<std::string, std::string, std::less<>> statements() const;
  /// The names of all errnos that rules are about, by the alphabet.
  [[nodiscard]] std::vector<std::string> errnos() const;
  /// All variants of all rules, in order. The rules stay where they are only as long as none is added.
  [[nodiscard]] std::vector<Check> checks() const;
  /// The ids most like a text, the likeliest first.
  [[nodiscard]] std::vector<std::string> nearest(std::string_view text, std::size_t count = 3) const;

 private:
  std::vector<Chapter> chapters_;
  std::vector<Rule> rules_;
  std::vector<std::string> faults_;
};

/// The names most like a text, the likeliest first.
[[nodiscard]] std::vector<std::string> nearest_of(const std::vector<std::string>& names, std::string_view text,
                                                  std::size_t count = 3);

}  // namespace devmap
