#pragma once

#include <bench/control/map_under_test.hpp>
#include <bench/measure/workload.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace devmap::bench {

/// Makes a map and gives it up. What the kernel frees later, by a thread of its own, is not counted.
class CreateAndFree : public Workload {
 public:
  CreateAndFree(const MapKind& kind, std::uint32_t entries) : kind_(kind), entries_(entries) {}
  [[nodiscard]] Expected<void> verify() override;
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  MapKind kind_;
  std::uint32_t entries_;
};

/// Deletes a device that is in `entries` elements of each of some maps
/// (kernel/bpf/devmap.c:dev_map_notification). The device is one of a veth pair, which goes as a whole.
class RemoveDevice : public Workload {
 public:
  struct Spec {
    MapKind kind;
    std::uint32_t entries = 0;
    std::uint32_t maps = 0;
  };
  [[nodiscard]] static Expected<std::unique_ptr<Workload>> create(const Spec& spec);
  [[nodiscard]] Expected<void> verify() override;
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  RemoveDevice(const Spec& spec, std::vector<Map> maps) : spec_(spec), maps_(std::move(maps)) {}
  /// A new device, in all elements.
  [[nodiscard]] Expected<std::uint32_t> put_device() const;
  Spec spec_;
  std::vector<Map> maps_;
};

}  // namespace devmap::bench
