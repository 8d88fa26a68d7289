#pragma once

#include <harness/base/kernel_version.hpp>

#include <cstdint>

namespace devmap {

// A release need not say which stable release it is: Debian's "6.1.0-56-amd64" is 6.1.192. What a kernel was compiled
// as does, up to patch level 255.

/// The running kernel's LINUX_VERSION_CODE, from the notes of the vDSO (arch/x86/entry/vdso/vdso-note.S); 0 where there
/// is none.
[[nodiscard]] std::uint32_t running_version_code();

/// The version that a release names, with the patch level of the code of the same series where it names none.
[[nodiscard]] KernelVersion with_patch_level(const KernelVersion& named, std::uint32_t code);

}  // namespace devmap
