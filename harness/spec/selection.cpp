#include <harness/spec/selection.hpp>

#include <harness/spec/check_names.hpp>

#include <fnmatch.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <set>

namespace devmap {
namespace {

/// The names in the file of an option; none where it is not given.
Expected<std::set<std::string>> names_of(const std::string& option, const std::string& file, const Registry& registry) {
  if (file.empty()) return {};
  auto names = read_check_names(file, registry);
  if (!names) names.error().call = option + ": " + names.error().call;
  return names;
}

bool matches(const std::string& glob, const Check& check) {
  return fnmatch(glob.c_str(), check.rule->id.c_str(), 0) == 0 || fnmatch(glob.c_str(), check.name().c_str(), 0) == 0;
}

}  // namespace

std::string did_you_mean(const Registry& registry, const std::string& text) {
  const auto near = registry.nearest(text);
  return near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, " or "));
}

std::string no_rule_ends_in(const Registry& registry, const std::string& name) {
  const auto known = registry.errnos();
  if (errno_from_name(name) != 0) {
    return fmt::format("no rule ends in {}; rules end in {}", name, fmt::join(known, ", "));
  }
  const auto near = nearest_of(known, name);
  return fmt::format("no errno '{}'{}", name,
                     near.empty() ? "" : fmt::format("; did you mean {}?", fmt::join(near, " or ")));
}

Expected<std::vector<Check>> select_checks(const Registry& registry, const Options& options) {
  const auto all = registry.checks();
  for (const auto& chapter : options.chapters) {
    if (std::ranges::find(registry.chapters(), chapter, &Chapter::name) != registry.chapters().end()) continue;
    std::vector<std::string> names;
    for (const auto& known : registry.chapters()) names.push_back(known.name);
    return failure("--chapter", 0, fmt::format("no chapter '{}'; there are {}", chapter, fmt::join(names, ", ")));
  }
  std::vector<int> errnos;
  for (const auto& name : options.errnos) {
    const auto known = registry.errnos();
    if (std::ranges::find(known, name) == known.end()) {
      return failure("--errno", 0, no_rule_ends_in(registry, name));
    }
    errnos.push_back(errno_from_name(name));
  }
  bool wants_some = false;
  for (const auto& filter : options.filters) {
    const bool excludes = filter.starts_with('-');
    wants_some = wants_some || !excludes;
    const std::string glob = excludes ? filter.substr(1) : filter;
    if (std::ranges::any_of(all, [&](const Check& check) { return matches(glob, check); })) continue;
    return failure("--filter", 0, fmt::format("'{}' matches no rule{}", glob, did_you_mean(registry, glob)));
  }
  const auto listed = names_of("--checks", options.checks_file, registry);
  if (!listed) return std::unexpected(listed.error());
  const auto skipped = names_of("--skip", options.skip_file, registry);
  if (!skipped) return std::unexpected(skipped.error());

  const auto wanted = [&](const Check& check) {
    if (!options.checks_file.empty() && !names_check(*listed, check)) return false;
    if (!options.chapters.empty() &&
        std::ranges::find(options.chapters, check.rule->chapter()) == options.chapters.end()) {
      return false;
    }
    if (!errnos.empty() && std::ranges::find_first_of(check.rule->refuses, errnos) == check.rule->refuses.end()) {
      return false;
    }
    bool included = !wants_some;
    for (const auto& filter : options.filters) {
      if (filter.starts_with('-')) {
        if (matches(filter.substr(1), check)) return false;
      } else {
        included = included || matches(filter, check);
      }
    }
    return included;
  };
  std::vector<Check> selected;
  std::ranges::copy_if(all, std::back_inserter(selected), wanted);
  if (selected.empty()) return failure("selection", 0, "no rule matches all of what was asked for; see --list");

  std::vector<Check> part;
  for (std::size_t i = options.shard.index - 1; i < selected.size(); i += options.shard.count) {
    part.push_back(selected[i]);
  }
  if (part.empty()) {
    return failure("--shard", 0, fmt::format("there are only {} checks to share out", selected.size()));
  }
  // After the shard, so that it stays the part that it was.
  std::erase_if(part, [&](const Check& check) { return names_check(*skipped, check); });
  if (part.empty()) return failure("--skip", 0, options.skip_file + " names all checks that are selected");
  return part;
}

}  // namespace devmap
