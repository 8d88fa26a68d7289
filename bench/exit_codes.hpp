#pragma once

// What the program ends with; the same everywhere in the project.
namespace devmap::bench {

inline constexpr int kFailed = 1;
inline constexpr int kNothingCouldRun = 4;
inline constexpr int kUsage = 64;
inline constexpr int kBroken = 70;
/// Plus the signal.
inline constexpr int kSignalled = 128;

}  // namespace devmap::bench
