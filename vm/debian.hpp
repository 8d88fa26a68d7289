#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// Compares two Debian package versions as dpkg does: "7.3~rc7-1" is before "7.3-1".
[[nodiscard]] std::strong_ordering compare_versions(std::string_view one, std::string_view other);

/// Where this machine's own apt finds a Debian mirror.
struct Mirrors {
  /// Empty where the machine's sources name none.
  std::string main = {};
  std::string security = {};
  /// The key that signs it, as Signed-By has it; empty where apt's trusted keys do.
  std::string signed_by = {};
};

/// Takes the mirrors from the texts of sources: files with lines "deb ..." and files with stanzas.
[[nodiscard]] Mirrors find_mirrors(const std::vector<std::string>& one_line_texts,
                                   const std::vector<std::string>& stanza_texts);

/// Sources for these suites as apt reads them (one line each). Suites whose mirror is not known are left out.
[[nodiscard]] std::string sources_for(const Mirrors& mirrors, const std::vector<std::string>& suites);

/// A package as `apt-cache show` describes it.
struct Package {
  std::string name = {};
  std::string version = {};
  unsigned long long bytes = 0;
  /// Where it is offered: "trixie-security".
  std::vector<std::string> suites = {};

  friend bool operator==(const Package&, const Package&) = default;
};

[[nodiscard]] std::vector<Package> parse_packages(std::string_view text);

/// Adds to each package the suites that offer it, from what `apt-cache madison` says: of each a line
/// "NAME | VERSION | ADDRESS SUITE/COMPONENT ARCHITECTURE Packages".
void add_suites(std::vector<Package>& packages, std::string_view madison);

/// A kernel that the suites offer: its packages, image first.
struct Offer {
  /// What tells builds apart in package names: "6.12.117+deb13-cloud-amd64".
  std::string build = {};
  std::string version = {};
  std::vector<Package> packages = {};
  bool has_modules = false;

  [[nodiscard]] unsigned long long bytes() const;
};

/// Whether the first of two serves better as the newest kernel: one with modules before one without, then a release
/// before a candidate, then by version.
[[nodiscard]] bool is_newer_choice(const Offer& one, const Offer& other);

/// The kernels among the packages, newest first: of a series ("6.12") and flavour ("cloud-amd64"), a release candidate
/// of the series among them.
[[nodiscard]] std::vector<Offer> find_offers(const std::vector<Package>& packages, const std::string& series,
                                             const std::string& flavour);

}  // namespace devmap::vm
