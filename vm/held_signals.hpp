#pragma once

#include <harness/base/unique_fd.hpp>

#include <signal.h>

namespace devmap::vm {

/// While it lives, SIGINT and SIGTERM do not strike, but make a descriptor readable. Threads that are started meanwhile
/// are spared as well.
class HeldSignals {
 public:
  HeldSignals();
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;
  HeldSignals(HeldSignals&&) = delete;
  HeldSignals& operator=(HeldSignals&&) = delete;
  ~HeldSignals();

  /// Readable while a signal waits.
  [[nodiscard]] int descriptor() const { return descriptor_.get(); }

  /// Takes the signal that waits, so that it does not strike when this object goes; 0 where none does.
  [[nodiscard]] int take() const;

 private:
  sigset_t held_{};
  sigset_t before_{};
  UniqueFd descriptor_;
};

/// Whether a descriptor can be read from at once: that of held signals while one waits.
[[nodiscard]] bool is_readable(int descriptor);

}  // namespace devmap::vm
