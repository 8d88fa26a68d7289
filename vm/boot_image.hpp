#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace devmap::vm {

/// The kernel that a bzImage unpacks when it boots, as an ELF file that QEMU starts at its PVH entry: in an emulator,
/// unpacking is a good part of booting. Nothing where the content is no bzImage, is compressed in a way that is not
/// known, or has no such entry (CONFIG_PVH); it boots as it is.
[[nodiscard]] std::optional<std::string> kernel_in_bzimage(std::string_view image);

/// A module without the signature at its end, which an emulated kernel takes long to verify. Only for kernels that load
/// modules without one too: all but those with CONFIG_MODULE_SIG_FORCE or module.sig_enforce.
[[nodiscard]] std::string without_signature(std::string module);

}  // namespace devmap::vm
