#pragma once

#include <vm/guest/plan.hpp>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace devmap::vm {

/// How the guest's kernel runs BPF programs.
enum class Jit : std::uint8_t {
  as_is,   ///< as the kernel itself chooses
  on,      ///< net.core.bpf_jit_enable=1, bpf_jit_harden=0
  off,     ///< by the interpreter, where the kernel has one
  harden,  ///< net.core.bpf_jit_harden=2
};

/// "on", "off", "harden"; nothing for any other.
[[nodiscard]] std::optional<Jit> jit_named(std::string_view name);

/// What the guest's init sets for it.
[[nodiscard]] std::vector<Plan::Setting> settings_of(Jit jit);

}  // namespace devmap::vm
