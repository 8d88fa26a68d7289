#include <reports/merge.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

namespace devmap::reports {
namespace {

/// What parts of one run have in common; the first that differs is the reason why they are not.
Expected<void> check_same_run(const Source& first, const Source& other) {
  const auto& a = first.record;
  const auto& b = other.record;
  const struct {
    const char* what;
    const std::string& of_a;
    const std::string& of_b;
  } kFacts[] = {
      {"the suite's version", a.suite.version, b.suite.version},
      {"the suite's commit", a.suite.commit, b.suite.commit},
      {"the kernel", a.context.release, b.context.release},
      {"the kernel's build", a.context.version, b.context.version},
      {"the machine", a.context.machine, b.context.machine},
      {"the kernel's label", a.context.kernel_label, b.context.kernel_label},
      {"the JIT", a.context.jit, b.context.jit},
  };
  for (const auto& fact : kFacts) {
    if (fact.of_a == fact.of_b) continue;
    return failure("merge", 0,
                   fmt::format("{} and {} are not parts of one run: {} is '{}' in one and '{}' in the other",
                               first.file, other.file, fact.what, fact.of_a, fact.of_b));
  }
  return {};
}

std::string check_name(const Result& result) {
  return result.iteration == 1 ? result.name() : fmt::format("{}#{}", result.name(), result.iteration);
}

/// Where each check stands in the specification.
std::unordered_map<std::string, std::size_t> places_of(const Specification& specification) {
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& rule : specification.rules) {
    for (const auto& variant : rule.variants) places.emplace(rule.id + "/" + variant, places.size());
  }
  return places;
}

}  // namespace

Expected<RunRecord> merged(const std::vector<Source>& parts, const Specification& specification) {
  if (parts.empty()) return failure("merge", 0, "there is no record to merge");
  RunRecord whole = parts.front().record;
  std::map<std::string, std::string> origin;
  for (const auto& result : whole.results) origin.emplace(check_name(result), parts.front().file);
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (auto same = check_same_run(parts.front(), parts[i]); !same) return std::unexpected(same.error());
    const auto& part = parts[i].record;
    for (const auto& result : part.results) {
      const auto [first, is_new] = origin.emplace(check_name(result), parts[i].file);
      if (!is_new) {
        return failure("merge", 0,
                       fmt::format("{} is in {} and in {}: they are not parts of one run", check_name(result),
                                   first->second, parts[i].file));
      }
      whole.results.push_back(result);
    }
    auto& context = whole.context;
    context.started = std::min(context.started, part.context.started);
    context.duration_ms += part.context.duration_ms;
    context.partial = context.partial || part.context.partial;
    if (context.kernel_log == "watched") context.kernel_log = part.context.kernel_log;
    if (context.attachment == "dispatcher") context.attachment = part.context.attachment;
    context.foreign_warnings.insert(context.foreign_warnings.end(), part.context.foreign_warnings.begin(),
                                    part.context.foreign_warnings.end());
  }
  // Each part may have been shuffled with a seed of its own.
  if (parts.size() > 1) whole.context.shuffle_seed.reset();
  const auto places = places_of(specification);
  const auto place = [&](const Result& result) {
    const auto found = places.find(result.name());
    return std::pair(result.iteration, found == places.end() ? places.size() : found->second);
  };
  std::ranges::stable_sort(whole.results, [&](const Result& a, const Result& b) { return place(a) < place(b); });
  return whole;
}

}  // namespace devmap::reports
