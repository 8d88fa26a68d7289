#pragma once

#include <harness/base/error.hpp>
#include <vm/cache.hpp>
#include <vm/catalogue.hpp>
#include <vm/files.hpp>

#include <optional>
#include <string>

namespace devmap::vm {

/// The kernel that is asked for: by a name of the catalogue, or by a path. `unpacked` keeps what was unpacked for as
/// long as it lives.
[[nodiscard]] Expected<Kernel> find_kernel(const Catalogue& catalogue, const std::string& asked,
                                           std::optional<TemporaryDirectory>& unpacked);

}  // namespace devmap::vm
