#pragma once

#include <harness/spec/registry.hpp>

// The chapter "event" by concepts, one file each.
namespace devmap::cases {

/// What the deletion of a device does to the entries for it.
void add_event_deletion_rules(Registry& rules);
/// What other changes of a device do: down, rename, MTU, MAC address.
void add_event_change_rules(Registry& rules);
/// Devices that change namespaces, namespaces that go, entries for devices elsewhere.
void add_event_namespace_rules(Registry& rules);
/// Frames that are on their way: deletion under load, ports of a bond.
void add_event_traffic_rules(Registry& rules);

}  // namespace devmap::cases
