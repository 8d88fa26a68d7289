#include <cases/fragments.hpp>

#include <unistd.h>

#include <fmt/format.h>

namespace devmap::cases {

Feature small_pages() {
  return {.name = "frames in several buffers", .remedy = "run it on a kernel with pages of 4 KiB", .probe = [] {
            return small_pages_of(static_cast<std::size_t>(sysconf(_SC_PAGESIZE)));
          }};
}

Fact small_pages_of(std::size_t bytes) {
  return {bytes < kInFragments ? Presence::present : Presence::absent,
          fmt::format("a buffer is a page, which has {} bytes", bytes)};
}

}  // namespace devmap::cases
