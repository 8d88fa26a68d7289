#include <harness/spec/known_facts.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <atomic>

namespace devmap {

void KnownFacts::Unmap::operator()(unsigned char* board) const noexcept {
  munmap(board, size);
}

Expected<KnownFacts> KnownFacts::about(std::vector<std::string> names) {
  std::ranges::sort(names);
  const auto repeated = std::ranges::unique(names);
  names.erase(repeated.begin(), repeated.end());
  const std::size_t size = names.size() + 1;  // no mapping is empty
  void* const memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return last_error("mmap", "shared memory for probed facts");
  return KnownFacts(std::move(names), Board(static_cast<unsigned char*>(memory), Unmap{size}));
}

Fact KnownFacts::find(const Feature& feature) const {
  const auto place = std::ranges::lower_bound(names_, feature.name);
  if (place == names_.end() || *place != feature.name) return feature.probe();
  const std::atomic_ref known(board_[static_cast<std::size_t>(place - names_.begin())]);
  if (known.load() != 0) return {.presence = Presence::present, .text = "found before"};
  Fact fact = feature.probe();
  if (fact.presence == Presence::present) known.store(1);
  return fact;
}

}  // namespace devmap
