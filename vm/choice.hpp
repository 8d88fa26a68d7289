#pragma once

#include <harness/base/error.hpp>
#include <vm/catalogue.hpp>

#include <string>
#include <vector>

namespace devmap::vm {

/// The kernels of a set: of the catalogue, or of a file of the user's.
[[nodiscard]] Expected<std::vector<std::string>> kernels_of_set(const Catalogue& catalogue, const std::string& set);

/// The entries of the catalogue with these names, each once. Fails for a name that it does not have.
[[nodiscard]] Expected<std::vector<KernelEntry>> entries_named(const Catalogue& catalogue,
                                                               const std::vector<std::string>& names);

}  // namespace devmap::vm
