#pragma once

#include <harness/base/error.hpp>

#include <functional>
#include <initializer_list>

namespace devmap {

/// Runs the function on a thread of its own that holds exactly these capabilities (CAP_* of linux/capability.h), and
/// returns when it has ended. Capabilities belong to a thread, so nobody else loses any. The identity stays the same:
/// the kernel's BPF checks look at capabilities alone.
[[nodiscard]] Expected<void> with_capabilities(std::initializer_list<int> kept, const std::function<void()>& function);

}  // namespace devmap
