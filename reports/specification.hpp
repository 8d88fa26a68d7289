#pragma once

#include <harness/base/error.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::reports {

/// A statement of public documentation, and whether the rule bears it out.
struct Documented {
  std::string where;
  std::string statement;
  bool agrees = true;
};

/// A deviation that the suite lists with its reason.
struct KnownDeviation {
  std::string reason;
  /// Where it can be read about; empty where nothing has been published.
  std::string link;
  /// Mainline versions; empty where there is no limit.
  std::string since;
  std::string until;
};

/// A rule as the specification has it (harness/spec/specification.schema.json). Versions that it does not name are
/// empty.
struct SpecifiedRule {
  std::string id;
  std::string states;
  std::vector<std::string> refuses;
  std::string since;
  std::string until;
  std::vector<std::string> backports;
  std::vector<std::string> until_backports;
  std::vector<std::string> source;
  std::vector<std::string> commits;
  /// The file of the suite that its check is in; empty where the specification does not say.
  std::string file;
  std::vector<std::string> needs;
  std::vector<std::string> variants;
  std::vector<Documented> documentation;
  std::vector<KnownDeviation> known;
  std::string danger;

  /// "update" of "update.noexist-on-array-is-eexist".
  [[nodiscard]] std::string chapter() const { return id.substr(0, id.find('.')); }
  /// "since 5.14 (and from 5.10.99), until 6.17"; "as long as the map type exists" where it has no limit.
  [[nodiscard]] std::string versions_in_words() const;
};

struct Chapter {
  std::string name;
  std::string title;
};

/// All rules, in their order.
struct Specification {
  std::vector<Chapter> chapters;
  std::vector<SpecifiedRule> rules;

  /// Reads what `devmap-conformance --spec json` writes. The error is one line.
  [[nodiscard]] static Expected<Specification> parse(std::string_view text);
  [[nodiscard]] static Expected<Specification> read(const std::string& file);

  /// Null where there is none.
  [[nodiscard]] const SpecifiedRule* find(std::string_view id) const;
};

}  // namespace devmap::reports
