#pragma once

#include <vm/cache.hpp>
#include <vm/catalogue.hpp>

#include <optional>
#include <string>
#include <vector>

namespace devmap::vm {

/// What is here of a kernel that is known by name.
struct ListedKernel {
  KernelEntry entry = {};
  std::optional<Kernel> cached = {};
  /// Whether QEMU for its architecture is on this machine.
  bool has_qemu = false;
};

/// A line a kernel, below a line of headings, and then the sets.
[[nodiscard]] std::string render_kernel_list(const std::vector<ListedKernel>& kernels,
                                             const std::vector<KernelSet>& sets);

/// The kernels that are known, where they come from, what is cached, and what each needs.
[[nodiscard]] int list_kernels(const std::string& catalogue_file);

}  // namespace devmap::vm
