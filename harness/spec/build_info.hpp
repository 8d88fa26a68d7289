#pragma once

namespace devmap::build {

// Filled in by harness/build_info.cmake at every build.
extern const char* const kVersion;
extern const char* const kCommit;

}  // namespace devmap::build
