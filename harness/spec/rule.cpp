#include <harness/spec/rule.hpp>

#include <algorithm>
#include <harness/base/error.hpp>
#include <optional>

namespace devmap {
namespace {

/// Whether a change that came with `mainline`, if it did, is in this kernel, by itself or through a backport to its
/// series.
bool has_change(const KernelVersion& kernel, const std::optional<KernelVersion>& mainline,
                const std::vector<KernelVersion>& backports) {
  if (mainline && kernel >= *mainline) return true;
  return std::ranges::any_of(backports,
                             [&](const auto& backport) { return kernel.same_series(backport) && kernel >= backport; });
}

}  // namespace

bool KnownIssue::covers(const KernelVersion& kernel) const {
  return kernel >= since && (!until || kernel < *until);
}

std::string_view Rule::chapter() const {
  return std::string_view(id).substr(0, id.find('.'));
}

std::vector<int> Rule::stated_errnos() const {
  const auto in_a_word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  std::vector<int> codes;
  std::string_view before;
  for (auto begin = std::ranges::find_if(states, in_a_word); begin != states.end();) {
    const auto end = std::find_if_not(begin, states.end(), in_a_word);
    const std::string_view word(begin, end);
    const int code = word.front() == 'E' && before != "not" ? errno_from_name(word) : 0;
    if (code != 0) codes.push_back(code);
    before = word;
    begin = std::find_if(end, states.end(), in_a_word);
  }
  return codes;
}

bool Rule::expected_on(const KernelVersion& kernel) const {
  return has_change(kernel, since, backports) && !has_change(kernel, until, until_backports);
}

}  // namespace devmap
