#include <harness/spec/check_names.hpp>

#include <harness/base/file.hpp>
#include <harness/spec/selection.hpp>

#include <fmt/format.h>
#include <sstream>

namespace devmap {

Expected<std::set<std::string>> read_check_names(const std::string& file, const Registry& registry) {
  const auto text = read_file(file);
  if (!text) return std::unexpected(text.error());
  std::set<std::string> known;
  for (const auto& check : registry.checks()) known.insert({check.name(), check.rule->id});
  std::set<std::string> names;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    if (!known.contains(line)) {
      return failure(file, 0, fmt::format("'{}' is no check{}", line, did_you_mean(registry, line)));
    }
    names.insert(line);
  }
  return names;
}

bool names_check(const std::set<std::string>& names, const Check& check) {
  return !names.empty() && (names.contains(check.rule->id) || names.contains(check.name()));
}

}  // namespace devmap
