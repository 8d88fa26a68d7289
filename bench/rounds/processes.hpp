#pragma once

#include <bench/rounds/taken.hpp>
#include <bench/rounds/worker.hpp>
#include <harness/base/error.hpp>

#include <functional>

namespace devmap::bench {

/// Has another process of this program take the samples of some rounds: where its memory lies differs from process to
/// process, and with it what is measured. Each sample goes to `took` as soon as it is there. Ends early where a signal
/// comes (rounds/interruption.hpp).
[[nodiscard]] Expected<void> take_rounds_elsewhere(const WorkerSpec& spec,
                                                   const std::function<void(TakenSample)>& took);

}  // namespace devmap::bench
