#include <bench/rounds/gathered.hpp>

#include <bench/preflight/surroundings.hpp>

#include <utility>

namespace devmap::bench {

void Gathered::look_around() {
  auto now = bench::obstacles(Surroundings::of_this_machine());
  const bool hindered = !despite_ && (refuses(last_seen_) || refuses(now));
  for (; looked_at_ < samples_.size(); ++looked_at_) samples_[looked_at_].hindered |= hindered;
  add_new(obstacles_, now);
  last_seen_ = std::move(now);
}

}  // namespace devmap::bench
