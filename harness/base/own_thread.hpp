#pragma once

#include <harness/base/error.hpp>

#include <functional>

namespace devmap {

/// Runs both functions on a thread of their own and returns when they have ended; the second only where the first,
/// which makes the thread what it should be, succeeded. For what the kernel keeps per thread: capabilities, namespaces.
/// Exceptions come out here.
[[nodiscard]] Expected<void> on_own_thread(const std::function<Expected<void>()>& prepare,
                                           const std::function<void()>& function);

}  // namespace devmap
