#pragma once

#include <harness/spec/case.hpp>

#include <optional>

// What several chapters need.
namespace devmap::cases {

/// The element under a key, or nothing where the map has none (ENOENT); to be compared, not itself under test.
[[nodiscard]] std::optional<Element> element(Case& c, const DevMap& map, std::uint32_t key);

/// The element under a key must be this one; std::nullopt: there must be none.
void has(Case& c, const DevMap& map, std::uint32_t key, std::optional<Element> stated);

/// The id of a program.
[[nodiscard]] std::uint32_t id_of(Case& c, const Program& program);

}  // namespace devmap::cases
