#pragma once

#include <harness/spec/registry.hpp>

// The files of the chapters native and generic; the chapters' own functions add their rules.
namespace devmap::cases {

/// veth devices as targets of native redirects.
void add_native_veth(Registry& rules);
/// The same of redirects in SKB mode.
void add_generic_veth(Registry& rules);

}  // namespace devmap::cases
