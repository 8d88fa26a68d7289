#include <bench/control/walks.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <cerrno>
#include <vector>

namespace devmap::bench {

bool NextKeys::step() noexcept {
  std::uint32_t next = 0;
  const long result = element_call(BPF_MAP_GET_NEXT_KEY, maps_.first_map(), at_start_ ? nullptr : &key_, &next);
  at_start_ = result == -ENOENT;
  key_ = next;
  return result == 0 || at_start_;
}

Expected<void> NextKeys::verify() {
  std::vector<std::uint32_t> found;
  at_start_ = true;
  do {
    if (!step()) return failure("next key", 0, "the walk broke off");
    if (!at_start_) found.push_back(key_);
  } while (!at_start_ && found.size() <= maps_.keys());
  std::ranges::sort(found);
  const auto distinct = static_cast<std::uint64_t>(std::ranges::unique(found).begin() - found.begin());
  if (found.size() != maps_.keys() || distinct != maps_.keys()) {
    return failure("next key", 0,
                   fmt::format("{} keys, {} different ones, of {}", found.size(), distinct, maps_.keys()));
  }
  return {};
}

Expected<Sample> NextKeys::run(std::uint64_t operations, Clock clock) {
  std::uint64_t failed = 0;
  const Stopwatch stopwatch(clock);
  for (std::uint64_t call = 0; call < operations; ++call) failed += step() ? 0U : 1U;
  const double spent = stopwatch.spent();
  if (failed > 0) return failure("next key", 0, "some calls failed");
  return Sample{.operations = operations, .spent = spent};
}

std::uint64_t Iterations::walk() const noexcept {
  std::uint64_t count = 0;
  std::uint32_t key = 0;
  std::uint32_t next = 0;
  const void* from = nullptr;
  while (count <= maps_.keys() && element_call(BPF_MAP_GET_NEXT_KEY, maps_.first_map(), from, &next) == 0) {
    key = next;
    from = &key;
    ++count;
  }
  return count;
}

Expected<void> Iterations::verify() {
  if (const auto found = walk(); found != maps_.keys()) {
    return failure("walk through a map", 0, fmt::format("{} keys of {}", found, maps_.keys()));
  }
  return {};
}

Expected<Sample> Iterations::run(std::uint64_t operations, Clock clock) {
  std::uint64_t found = 0;
  const Stopwatch stopwatch(clock);
  for (std::uint64_t walks = 0; walks < operations; ++walks) found += walk();
  const double spent = stopwatch.spent();
  if (found != operations * maps_.keys()) return failure("walk through a map", 0, "some walks broke off");
  return Sample{.operations = operations, .spent = spent};
}

}  // namespace devmap::bench
