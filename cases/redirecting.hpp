#pragma once

#include <harness/spec/case.hpp>

#include <cstdint>

// Redirects, seen without a frame going anywhere.
namespace devmap::cases {

/// A program that returns what bpf_redirect_map returns.
[[nodiscard]] Program redirecting_program(Case& c, const Map& map, std::uint64_t key, std::uint64_t flags);

/// What a program returns for one frame of a plain test run.
[[nodiscard]] std::uint32_t returned_by(Case& c, const Program& program);

}  // namespace devmap::cases
