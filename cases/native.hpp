#pragma once

#include <harness/spec/registry.hpp>

// The files of the chapters native and generic; the chapters' own functions add their rules.
namespace devmap::cases {

/// veth devices as targets of native redirects.
void add_native_veth(Registry& rules);
/// The same of redirects in SKB mode.
void add_generic_veth(Registry& rules);
/// How frames are queued for drivers.
void add_native_bulk(Registry& rules);
/// Redirects by programs in a CPUMAP.
void add_native_cpumap(Registry& rules);
/// The same of frames from SKB-mode programs.
void add_generic_cpumap(Registry& rules);
/// What devices must be able to do, and redirects by ifindex.
void add_native_features(Registry& rules);
/// Frames in several buffers in SKB mode.
void add_generic_fragments(Registry& rules);
/// Devices of all kinds as targets of redirects in SKB mode.
void add_generic_devices(Registry& rules);

}  // namespace devmap::cases
