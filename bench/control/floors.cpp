#include <bench/control/floors.hpp>

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/syscall.hpp>
#include <harness/net/link.hpp>
#include <utility>

namespace devmap::bench {
namespace {

constexpr std::uint32_t kEntries = 64;
/// Above all there are, and within what the type can hold.
constexpr auto kNoCommand = static_cast<bpf_cmd>(63);

/// `call(nth)` says whether the nth call did what it should.
template <class Call>
class Repeated : public Workload {
 public:
  explicit Repeated(Call call) : call_(std::move(call)) {}

  [[nodiscard]] Expected<void> verify() override {
    if (!call_(0)) return failure("the call to be measured", 0, "it did not do what it should");
    return {};
  }

  [[nodiscard]] Expected<Sample> run(std::uint64_t operations, Clock clock) override {
    std::uint64_t failed = 0;
    const Stopwatch stopwatch(clock);
    for (std::uint64_t nth = 0; nth < operations; ++nth) failed += call_(nth) ? 0U : 1U;
    const double spent = stopwatch.spent();
    if (failed > 0) return failure("the calls that are measured", 0, "some did not do what they should");
    return Sample{.operations = operations, .spent = spent};
  }

 private:
  Call call_;
};

template <class Call>
Expected<std::unique_ptr<Workload>> repeated(Call call) {
  return std::unique_ptr<Workload>(std::make_unique<Repeated<Call>>(std::move(call)));
}

Expected<DevMap> full_map() {
  auto map = DevMap::create({.max_entries = kEntries}).expected();
  if (!map) return map;
  for (std::uint32_t key = 0; key < kEntries; ++key) {
    if (auto put = map->update(key, {.ifindex = kLoopback}).expected(); !put) return std::unexpected(put.error());
  }
  return map;
}

}  // namespace

Expected<std::unique_ptr<Workload>> shortest_call() {
  return repeated([](std::uint64_t) { return syscall(SYS_getppid) >= 0; });
}

Expected<std::unique_ptr<Workload>> unknown_command() {
  return repeated([](std::uint64_t) {
    bpf_attr attr{};
    return sys_bpf(kNoCommand, attr) == -EINVAL;
  });
}

Expected<std::unique_ptr<Workload>> harness_lookup() {
  auto map = full_map();
  if (!map) return std::unexpected(map.error());
  return repeated([map = std::move(*map)](std::uint64_t nth) {
    const auto found = map.lookup(static_cast<std::uint32_t>(nth) % kEntries);
    return found && found.value().ifindex == kLoopback;
  });
}

Expected<std::unique_ptr<Workload>> harness_update() {
  auto map = full_map();
  if (!map) return std::unexpected(map.error());
  return repeated([map = std::move(*map)](std::uint64_t nth) {
    return static_cast<bool>(map.update(static_cast<std::uint32_t>(nth) % kEntries, {.ifindex = kLoopback}));
  });
}

}  // namespace devmap::bench
