#pragma once

#include <harness/spec/registry.hpp>

#include <chrono>

// The other files of the chapter on concurrency; the chapter's own function adds their rules.
namespace devmap::cases {

/// Entries that change under frames from every processor.
void add_conc_traffic(Registry& rules);
/// Devices and maps that go under frames from every processor.
void add_conc_devices(Registry& rules);

/// How long frames are sent while something changes.
inline constexpr std::chrono::milliseconds kFrameRace{20};

}  // namespace devmap::cases
