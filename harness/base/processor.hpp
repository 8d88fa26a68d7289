#pragma once

#include <harness/base/error.hpp>
#include <harness/base/unique_fd.hpp>

#include <vector>

namespace devmap {

/// The numbers of the processors the calling thread may run on.
[[nodiscard]] Expected<std::vector<unsigned>> allowed_processors();

/// Keeps the calling thread on this processor.
[[nodiscard]] Expected<void> stay_on_processor(unsigned processor);

/// Keeps the calling thread on this processor, ahead of every normal thread there (SCHED_FIFO): a busy machine no
/// longer decides when it runs. The processor does nothing else meanwhile, so not for long. Needs CAP_SYS_NICE.
[[nodiscard]] Expected<void> claim_processor(unsigned processor);

/// While it lives, no other process of this program holds one: for what must not run twice at a time on a machine.
class MachineTurn {
 public:
  /// Waits for its turn.
  [[nodiscard]] static Expected<MachineTurn> take();

 private:
  explicit MachineTurn(UniqueFd locked) : locked_(std::move(locked)) {}
  UniqueFd locked_;
};

}  // namespace devmap
