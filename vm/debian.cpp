#include <vm/debian.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <map>
#include <sstream>

namespace devmap::vm {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The weight of a character outside numbers: "~" before the end, the end before letters, letters before the rest.
int weight(std::string_view text, std::size_t at) {
  if (at >= text.size() || is_digit(text[at])) return 0;
  const char c = text[at];
  if (c == '~') return -1;
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) return c;
  return c + 256;
}

std::string_view take_number(std::string_view& text) {
  std::size_t end = 0;
  while (end < text.size() && is_digit(text[end])) ++end;
  auto number = text.substr(0, end);
  text.remove_prefix(end);
  number.remove_prefix(std::min(number.find_first_not_of('0'), number.size()));
  return number;
}

std::strong_ordering compare_part(std::string_view one, std::string_view other) {
  while (!one.empty() || !other.empty()) {
    std::size_t at = 0;
    while ((at < one.size() && !is_digit(one[at])) || (at < other.size() && !is_digit(other[at]))) {
      const auto order = weight(one, at) <=> weight(other, at);
      if (order != std::strong_ordering::equal) return order;
      ++at;
    }
    one.remove_prefix(std::min(at, one.size()));
    other.remove_prefix(std::min(at, other.size()));
    const auto first = take_number(one);
    const auto second = take_number(other);
    if (first.size() != second.size()) return first.size() <=> second.size();
    if (const auto order = first <=> second; order != std::strong_ordering::equal) return order;
  }
  return std::strong_ordering::equal;
}

struct Version {
  std::string_view epoch;
  std::string_view upstream;
  std::string_view revision;
};

Version split_version(std::string_view text) {
  Version version{.epoch = "0", .upstream = text, .revision = "0"};
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    version.epoch = text.substr(0, colon);
    version.upstream = text.substr(colon + 1);
  }
  if (const auto dash = version.upstream.rfind('-'); dash != std::string_view::npos) {
    version.revision = version.upstream.substr(dash + 1);
    version.upstream = version.upstream.substr(0, dash);
  }
  return version;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

std::string base_of(std::string_view suite) {
  return std::string(suite.substr(0, suite.find_first_of("-/")));
}

/// A source that serves one of these suites is a Debian mirror, and not one of something else.
bool is_debian(std::string_view suite) {
  constexpr std::array<std::string_view, 10> kReleases = {"bullseye", "bookworm",    "trixie",    "forky",
                                                          "sid",      "stable",      "oldstable", "oldoldstable",
                                                          "testing",  "experimental"};
  return std::ranges::find(kReleases, base_of(suite)) != kReleases.end();
}

void take_source(Mirrors& mirrors, const std::string& address, const std::string& suite, const std::string& signed_by) {
  if (!is_debian(suite)) return;
  const bool is_security = suite.contains("-security");
  auto& place = is_security ? mirrors.security : mirrors.main;
  if (place.empty()) place = address;
  if (mirrors.signed_by.empty()) mirrors.signed_by = signed_by;
}

/// "deb [option=value ...] ADDRESS SUITE COMPONENT..."
void take_line(Mirrors& mirrors, const std::string& line) {
  auto words = words_of(line);
  if (words.empty() || words.front() != "deb") return;
  words.erase(words.begin());
  std::string signed_by;
  if (!words.empty() && words.front().starts_with('[')) {
    bool open = true;
    while (open && !words.empty()) {
      auto word = words.front();
      words.erase(words.begin());
      open = !word.ends_with(']');
      std::erase_if(word, [](char c) { return c == '[' || c == ']'; });
      constexpr std::string_view kKey = "signed-by=";
      if (word.starts_with(kKey)) signed_by = word.substr(kKey.size());
    }
  }
  if (words.size() >= 2) take_source(mirrors, words[0], words[1], signed_by);
}

void take_stanza(Mirrors& mirrors, const std::map<std::string, std::string>& fields) {
  const auto field = [&fields](const std::string& name) {
    const auto found = fields.find(name);
    return found == fields.end() ? std::string() : found->second;
  };
  const auto types = words_of(field("types"));
  const auto addresses = words_of(field("uris"));
  if (field("enabled") == "no" || addresses.empty() || std::ranges::find(types, "deb") == types.end()) return;
  // A key that is written out in the stanza itself cannot be pointed to.
  const auto signed_by = field("signed-by");
  for (const auto& suite : words_of(field("suites"))) {
    take_source(mirrors, addresses.front(), suite, signed_by.starts_with('/') ? signed_by : std::string());
  }
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1));
}

void take_stanzas(Mirrors& mirrors, const std::string& text) {
  std::map<std::string, std::string> fields;
  std::string last;
  std::istringstream lines(text + "\n\n");
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) continue;
    if (trimmed(line).empty()) {
      take_stanza(mirrors, fields);
      fields.clear();
    } else if (line.starts_with(' ') || line.starts_with('\t')) {
      fields[last] += " " + trimmed(line);
    } else if (const auto colon = line.find(':'); colon != std::string::npos) {
      last = lower(line.substr(0, colon));
      fields[last] = trimmed(std::string_view(line).substr(colon + 1));
    }
  }
}

/// The part of a package's name that tells kernel builds apart, if it is a package of a kernel of this role.
std::string build_of(const std::string& name, std::string_view role) {
  const std::string prefix = "linux-" + std::string(role) + "-";
  if (!name.starts_with(prefix)) return {};
  return name.substr(prefix.size());
}

/// Whether a build is of a flavour and of no other that ends as it does: "6.1.0-56-cloud-arm64" is not of "arm64".
bool is_of_flavour(std::string_view build, std::string_view flavour) {
  if (!build.ends_with(flavour)) return false;
  build.remove_suffix(flavour.size());
  if (!build.ends_with('-')) return false;
  build.remove_suffix(1);
  // What is before it is a version, of which every word has a digit.
  const auto dash = build.rfind('-');
  return std::ranges::any_of(dash == std::string_view::npos ? build : build.substr(dash + 1), is_digit);
}

/// Some packages of such a name are empty, and only lead to others.
bool holds_a_kernel(const Package& image) {
  constexpr unsigned long long kLeastImage = 1'000'000;
  return image.bytes > kLeastImage;
}

}  // namespace

std::strong_ordering compare_versions(std::string_view one, std::string_view other) {
  const auto first = split_version(one);
  const auto second = split_version(other);
  for (const auto part : {&Version::epoch, &Version::upstream, &Version::revision}) {
    const auto order = compare_part(first.*part, second.*part);
    if (order != std::strong_ordering::equal) return order;
  }
  return std::strong_ordering::equal;
}

Mirrors find_mirrors(const std::vector<std::string>& one_line_texts, const std::vector<std::string>& stanza_texts) {
  Mirrors mirrors;
  for (const auto& text : stanza_texts) take_stanzas(mirrors, text);
  for (const auto& text : one_line_texts) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) take_line(mirrors, line);
  }
  return mirrors;
}

std::string sources_for(const Mirrors& mirrors, const std::vector<std::string>& suites) {
  std::string text;
  for (const auto& suite : suites) {
    const auto& mirror = suite.ends_with("-security") ? mirrors.security : mirrors.main;
    if (mirror.empty()) continue;
    // A suite that has come to its end is not signed anew, and its kernels are wanted all the same.
    text += "deb [check-valid-until=no";
    if (!mirrors.signed_by.empty()) text += " signed-by=" + mirrors.signed_by;
    text += "] " + mirror + " " + suite + " main\n";
  }
  return text;
}

std::vector<Package> parse_packages(std::string_view text) {
  std::vector<Package> packages;
  Package package;
  std::istringstream lines{std::string(text) + "\n\n"};
  for (std::string line; std::getline(lines, line);) {
    const auto value = [&line](std::string_view key) { return line.substr(key.size()); };
    if (line.empty()) {
      if (!package.name.empty()) packages.push_back(package);
      package = {};
    } else if (line.starts_with("Package: ")) {
      package.name = value("Package: ");
    } else if (line.starts_with("Version: ")) {
      package.version = value("Version: ");
    } else if (line.starts_with("Size: ")) {
      const auto size = value("Size: ");
      std::from_chars(size.data(), size.data() + size.size(), package.bytes);
    }
  }
  return packages;
}

void add_suites(std::vector<Package>& packages, std::string_view madison) {
  std::map<std::pair<std::string, std::string>, std::vector<std::string>> suites;
  std::istringstream lines{std::string(madison)};
  for (std::string line; std::getline(lines, line);) {
    const auto words = words_of(line);
    constexpr std::size_t kWords = 6;
    if (words.size() < kWords || words[1] != "|" || words[3] != "|") continue;
    const auto& place = words[5];
    suites[{words[0], words[2]}].push_back(place.substr(0, place.find('/')));
  }
  for (auto& package : packages) package.suites = suites[{package.name, package.version}];
}

unsigned long long Offer::bytes() const {
  unsigned long long sum = 0;
  for (const auto& package : packages) sum += package.bytes;
  return sum;
}

bool is_newer_choice(const Offer& one, const Offer& other) {
  const auto is_candidate = [](const Offer& offer) { return offer.version.contains("~rc"); };
  if (one.has_modules != other.has_modules) return one.has_modules;
  if (is_candidate(one) != is_candidate(other)) return is_candidate(other);
  return compare_versions(one.version, other.version) == std::strong_ordering::greater;
}

std::vector<Offer> find_offers(const std::vector<Package>& packages, const std::string& series,
                               const std::string& flavour) {
  // By build and version: a build may be served in several.
  using Key = std::pair<std::string, std::string>;
  std::map<Key, std::map<std::string, Package>> parts;
  for (const auto& package : packages) {
    for (const std::string role : {"image", "binary", "base", "modules"}) {
      const auto build = build_of(package.name, role);
      const bool of_series =
          build.starts_with(series) && std::string_view(".~-").contains(build.substr(series.size(), 1));
      if (of_series && is_of_flavour(build, flavour)) parts[{build, package.version}].emplace(role, package);
    }
  }
  std::vector<Offer> offers;
  for (const auto& [key, roles] : parts) {
    const bool is_split = roles.contains("binary") && holds_a_kernel(roles.at("binary"));
    const bool is_whole = !is_split && roles.contains("image") && holds_a_kernel(roles.at("image"));
    if (!is_split && !is_whole) continue;
    Offer offer{.build = key.first, .version = key.second, .packages = {}, .has_modules = is_whole};
    offer.packages.push_back(roles.at(is_split ? "binary" : "image"));
    // It has the configuration of a kernel in parts.
    if (is_split && roles.contains("base")) offer.packages.push_back(roles.at("base"));
    if (is_split && roles.contains("modules")) {
      offer.packages.push_back(roles.at("modules"));
      offer.has_modules = true;
    }
    offers.push_back(std::move(offer));
  }
  std::ranges::sort(offers, [](const Offer& one, const Offer& other) {
    return compare_versions(one.version, other.version) == std::strong_ordering::greater;
  });
  return offers;
}

}  // namespace devmap::vm
