#pragma once

#include <harness/base/error.hpp>
#include <reports/page.hpp>

#include <string>

namespace devmap::reports {

/// Writes the site into a directory, which is made if it is not there: pages that open from disk, without a server and
/// without a network. Files of the same names are replaced; others are left.
[[nodiscard]] Expected<void> write_site(const SiteInput& input, const std::string& directory);

}  // namespace devmap::reports
