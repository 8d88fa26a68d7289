#pragma once

#include <bench/measure/workload.hpp>
#include <harness/bpf/assembler.hpp>
#include <harness/bpf/program.hpp>
#include <harness/net/xdp_link.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace devmap::bench {

/// A call of a helper, measured by slope: one program calls it once, another 65 times, and what the second takes more
/// is divided by 64. A single call disappears in what the processor does at the same time.
class HelperCalls : public Workload {
 public:
  struct Spec {
    /// Adds one call; r6 to r9 are its own to use, and what it leaves in r0 is the program's result if it is the last.
    std::function<void(Assembler&)> call;
    /// What the programs return for it.
    std::uint32_t expected = 0;
    /// Maps and the like.
    std::shared_ptr<const void> owned = {};
  };
  [[nodiscard]] static Expected<std::unique_ptr<Workload>> create(const Spec& spec);

  [[nodiscard]] Expected<void> verify() override;
  /// `operations` are calls.
  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override;

 private:
  HelperCalls(Program one, Program many, std::vector<XdpLink> links, const Spec& spec)
      : one_(std::move(one)), many_(std::move(many)), links_(std::move(links)), spec_(spec) {}
  Program one_;
  Program many_;
  // An attached program's runs do not wait for RCU (net/bpf/test_run.c:bpf_prog_test_run_xdp).
  std::vector<XdpLink> links_;
  Spec spec_;
};

}  // namespace devmap::bench
