#pragma once

#include <bench/frames/route.hpp>
#include <bench/frames/sender.hpp>
#include <bench/measure/workload.hpp>

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace devmap::bench {

/// Frames through a program and what it redirects them by to the devices where they end, on one processor.
class Forwarding : public Workload {
 public:
  struct Spec {
    RouteSpec route = {};
    Source source = Source::live;
    /// Bytes of a frame.
    std::uint32_t length = 64;
    std::uint32_t batch = 64;
    /// Of the program, and of those at the sinks.
    Mode mode = Mode::native;
    Mode sink_mode = Mode::native;

    /// Frames above a page are of several buffers.
    [[nodiscard]] bool frags() const { return length > 3000; }
    [[nodiscard]] std::uint32_t mtu() const { return length > 1514 ? length : 0; }
  };
  [[nodiscard]] static Expected<std::unique_ptr<Workload>> create(const Spec& spec);

  /// The right devices get the right number of frames with the right bytes, and the others none.
  [[nodiscard]] Expected<void> verify() override;
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  Forwarding(const Spec& spec, Sinks sinks, Route route)
      : spec_(spec), copies_(all_frames(spec.route.copies())), sinks_(std::move(sinks)), route_(std::move(route)) {}
  [[nodiscard]] Expected<void> verify_counts();
  [[nodiscard]] Expected<void> verify_bytes(std::uint32_t port);

  Spec spec_;
  /// Of one frame, at all sinks together.
  std::uint64_t copies_;
  Sinks sinks_;
  Route route_;
  std::unique_ptr<Sender> sender_;
};

/// Frames through one map while another processor moves the element they are redirected by from one device to another
/// and back, as fast as it can. Each frame arrives at one of the two, or where it finds no element, which happens with
/// a DEVMAP_HASH (kernel/bpf/devmap.c:__dev_map_hash_update_elem unlinks the old one first), is sent back and counted.
class Retargeting : public Workload {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<Workload>> create(DevMapType type);
  [[nodiscard]] Expected<void> verify() override;
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  Retargeting(Sinks sinks, Route route, std::vector<XdpLink> links)
      : sinks_(std::move(sinks)), route_(std::move(route)), links_(std::move(links)) {}
  [[nodiscard]] Expected<Sender::Sent> send(std::uint64_t frames, Clock clock) const;
  Sinks sinks_;
  Route route_;
  std::vector<XdpLink> links_;
};

/// Two processors that send at the same time by one map, each to a device of its own. What is told is CPU time of both
/// for the frames of both.
class TwoProcessors : public Workload {
 public:
  [[nodiscard]] static Expected<std::unique_ptr<Workload>> create(RouteSpec route_spec);
  [[nodiscard]] Expected<void> verify() override;
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  TwoProcessors(Sinks sinks, Route route, Program second)
      : sinks_(std::move(sinks)), route_(std::move(route)), second_(std::move(second)) {}
  /// The one that redirects to this port, and what it takes to send by it on the processor that runs it.
  [[nodiscard]] const Program& program(std::uint32_t port) const { return port == 0 ? route_.program() : second_; }
  [[nodiscard]] Expected<Sender::Sent> send(std::uint32_t port, std::uint64_t frames, Clock clock) const;
  Sinks sinks_;
  Route route_;
  Program second_;
  std::vector<XdpLink> links_;
};

}  // namespace devmap::bench
