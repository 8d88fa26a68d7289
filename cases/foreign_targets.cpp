#include <cases/foreign_targets.hpp>

#include <fmt/format.h>
#include <algorithm>

namespace devmap::cases {

ForeignTargets::ForeignTargets(Case& c, std::uint32_t count, std::uint32_t first_ifindex)
    : where_(c.must(NetNs::create())) {
  c.must(where_.run([&] {
    for (std::uint32_t n = 0; n < count; ++n) {
      pairs_.push_back(c.must(create_veth({.first_name = fmt::format("t{}", n),
                                           .second_name = fmt::format("s{}", n),
                                           .first_index = first_ifindex + 2 * n,
                                           .second_index = first_ifindex + 2 * n + 1,
                                           .queues = 1})));
      c.must(pollers_.add(pairs_.back()));
    }
    capture_ = c.must(Capture::open());
  }));
}

void ForeignTargets::enter(Case& c, const DevMap& map, std::uint32_t key, std::size_t n) const {
  c.must(where_.run([&] { c.must(map.update(key, {.ifindex = device(n)})); }));
}

std::vector<std::uint64_t> ForeignTargets::arrivals(Case& c) {
  std::vector<Capture::Marker> awaited;
  awaited.reserve(pairs_.size());
  for (const auto& pair : pairs_) {
    const auto marker = make_frame({.tag = {.token = token_, .number = markers_++}});
    c.must(capture_->send(pair.first, marker));
    awaited.push_back({.at = pair.second, .frame = marker});
  }
  const auto heard = c.must(capture_->up_to(awaited, c.patience()));
  std::vector<std::uint64_t> at_each;
  at_each.reserve(pairs_.size());
  for (const auto& pair : pairs_) {
    at_each.push_back(static_cast<std::uint64_t>(std::ranges::count(heard, pair.second, &HeardFrame::ifindex)));
  }
  return at_each;
}

}  // namespace devmap::cases
