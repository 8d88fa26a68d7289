#pragma once

#include <vm/catalogue.hpp>
#include <vm/matrix_plan.hpp>

#include <string>
#include <vector>

namespace devmap::vm {

/// Said of a plan of which nothing is left.
inline constexpr const char* kNoKernelIsHere = "none of these kernels is here; run: devmap-vm fetch";

/// Fetches the kernels of the plan that are not here, and says what cannot be had; that is missing later.
void fetch_missing(const std::string& catalogue_file, const std::vector<PlannedKernel>& plan);

/// Leaves out, and says so, the kernels that are not here and that the archive may serve no more.
[[nodiscard]] std::vector<PlannedKernel> without_unserved(const Catalogue& catalogue, std::vector<PlannedKernel> plan);

}  // namespace devmap::vm
