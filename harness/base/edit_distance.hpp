#pragma once

#include <cstddef>
#include <string_view>

namespace devmap {

/// How many letters are to be inserted, deleted or replaced to make the one text the other.
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

}  // namespace devmap
