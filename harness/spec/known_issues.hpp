#pragma once

#include <harness/base/error.hpp>
#include <harness/spec/rule.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace devmap {

/// A list of deviations that a user knows of and has reasons for.
class KnownIssues {
 public:
  /// Reads {"schema_version": 1, "known": [{"rule": GLOB, "variant": GLOB, "reason": TEXT, "link": TEXT,
  /// "since": VERSION, "until": VERSION}, ...]}; `rule` and `reason` are required. Errors name line and column.
  [[nodiscard]] static Expected<KnownIssues> parse(const std::string& text, const std::string& file_name);
  [[nodiscard]] static Expected<KnownIssues> read(const std::string& file_name);

  /// The first entry that covers this check on this kernel, or null.
  [[nodiscard]] const KnownIssue* find(std::string_view rule, std::string_view variant,
                                       const KernelVersion& kernel) const;

  /// The globs over rules, one for each entry.
  [[nodiscard]] std::vector<std::string> rules() const {
    std::vector<std::string> globs;
    globs.reserve(entries_.size());
    for (const auto& entry : entries_) globs.push_back(entry.rule);
    return globs;
  }

 private:
  struct Entry {
    std::string rule;
    std::string variant;
    KnownIssue issue;
  };
  std::vector<Entry> entries_;
};

}  // namespace devmap
