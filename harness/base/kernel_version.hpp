#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

namespace devmap {

/// A mainline or stable kernel version: 6.12 is 6.12.0.
struct KernelVersion {
  int major = 0;
  int minor = 0;
  int patch = 0;

  /// Reads the leading numbers of a release such as "6.12.117-cloud-amd64" or "7.3-rc7"; nothing where there are not at
  /// least two of them.
  [[nodiscard]] static std::optional<KernelVersion> parse(std::string_view release);

  /// The running kernel's (base/version_code.hpp says from where); 0.0.0 where its release cannot be read.
  [[nodiscard]] static KernelVersion running();

  /// "6.12" or "6.12.117".
  [[nodiscard]] std::string text() const;

  [[nodiscard]] bool same_series(const KernelVersion& other) const {
    return major == other.major && minor == other.minor;
  }

  friend auto operator<=>(const KernelVersion&, const KernelVersion&) = default;
};

}  // namespace devmap
