#include <harness/spec/variant.hpp>

#include <linux/if_link.h>

#include <algorithm>
#include <utility>

namespace devmap {
namespace {

// A function, so that rules may be made before main begins.
std::vector<DevMapType> both_types() {
  return {DevMapType::devmap, DevMapType::devmap_hash};
}

/// The values, or one absent value where there are none.
template <class T>
std::vector<std::optional<T>> or_absent(const std::vector<T>& values) {
  if (values.empty()) return {std::nullopt};
  return {values.begin(), values.end()};
}

}  // namespace

std::string_view name_of(Mode mode) {
  return mode == Mode::native ? "native" : "generic";
}

std::uint32_t xdp_flags(Mode mode) {
  return mode == Mode::native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
}

std::string Variant::name() const {
  std::string name;
  const auto add = [&name](std::string_view part) { (name += name.empty() ? "" : "/") += part; };
  if (type) add(name_of(*type));
  if (value_size) add("v" + std::to_string(*value_size));
  if (mode) add(name_of(*mode));
  return name.empty() ? "once" : name;
}

std::vector<Variant> Variants::all() const {
  std::vector<Variant> variants;
  for (const auto& type : or_absent(types)) {
    for (const auto& value_size : or_absent(value_sizes)) {
      for (const auto& mode : or_absent(modes)) variants.push_back({type, value_size, mode});
    }
  }
  return variants;
}

Variants Variants::in(std::vector<Mode> with_modes) const {
  Variants copy = *this;
  copy.modes = std::move(with_modes);
  return copy;
}

Variants any_map() {
  return {.types = both_types(), .value_sizes = {4, 8}};
}
Variants any_map(std::uint32_t value_size) {
  return {.types = both_types(), .value_sizes = {value_size}};
}
Variants devmap_only(std::vector<std::uint32_t> value_sizes) {
  return {.types = {DevMapType::devmap}, .value_sizes = std::move(value_sizes)};
}
Variants devmap_hash_only(std::vector<std::uint32_t> value_sizes) {
  return {.types = {DevMapType::devmap_hash}, .value_sizes = std::move(value_sizes)};
}
Variants once() {
  return {};
}

}  // namespace devmap
