#pragma once

#include <harness/bpf/devmap.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace devmap {

/// Where the main program is attached: in the driver (native) or on the socket buffer path (generic).
enum class Mode : std::uint8_t { native, generic };

/// "native" or "generic".
[[nodiscard]] std::string_view name_of(Mode mode);

/// The XDP_FLAGS_* that ask for this mode.
[[nodiscard]] std::uint32_t xdp_flags(Mode mode);

/// One combination a rule is checked in. What a rule does not depend on is absent.
struct Variant {
  std::optional<DevMapType> type = {};
  std::optional<std::uint32_t> value_size = {};
  std::optional<Mode> mode = {};

  /// "devmap/v8/native"; "once" for a rule with a single combination that has no parts.
  [[nodiscard]] std::string name() const;
};

/// The combinations a rule applies to: the cross product of its parts.
struct Variants {
  std::vector<DevMapType> types = {};
  std::vector<std::uint32_t> value_sizes = {};
  std::vector<Mode> modes = {};

  [[nodiscard]] std::vector<Variant> all() const;

  /// The same combinations, each in these modes.
  [[nodiscard]] Variants in(std::vector<Mode> with_modes) const;
};

/// Both map types, with values of 4 and of 8 bytes.
[[nodiscard]] Variants any_map();
/// Both map types, with values of this size only (8: rules about programs in entries).
[[nodiscard]] Variants any_map(std::uint32_t value_size);
/// BPF_MAP_TYPE_DEVMAP only, by default with both value sizes.
[[nodiscard]] Variants devmap_only(std::vector<std::uint32_t> value_sizes = {4, 8});
/// BPF_MAP_TYPE_DEVMAP_HASH only, by default with both value sizes.
[[nodiscard]] Variants devmap_hash_only(std::vector<std::uint32_t> value_sizes = {4, 8});
/// A rule that depends on no map: a single check.
[[nodiscard]] Variants once();

}  // namespace devmap
