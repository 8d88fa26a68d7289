#include <harness/spec/rule.hpp>

#include <algorithm>

namespace devmap {
namespace {

/// Whether a change that came with `mainline` is in this kernel, by itself or through a backport to its series.
bool has_change(const KernelVersion& kernel, const KernelVersion& mainline,
                const std::vector<KernelVersion>& backports) {
  if (kernel >= mainline) return true;
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

bool Rule::expected_on(const KernelVersion& kernel) const {
  return has_change(kernel, since, backports) && !(until && has_change(kernel, *until, until_backports));
}

}  // namespace devmap
