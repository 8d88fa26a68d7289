#include <bench/measure/processors.hpp>

#include <fmt/format.h>
#include <harness/base/processor.hpp>

namespace devmap::bench {

const Expected<std::vector<unsigned>>& own_processors() {
  static const auto processors = allowed_processors();
  return processors;
}

Expected<void> stay_on_first_processor() {
  const auto& all = own_processors();
  if (!all) return std::unexpected(all.error());
  return stay_on_processor(all->front());
}

Feature two_own_processors() {
  return {.name = "two processors", .remedy = "run it on a machine with two", .probe = [] {
            const auto& all = own_processors();
            if (!all) return Fact{Presence::could_not_tell, all.error().text()};
            return Fact{all->size() < 2 ? Presence::absent : Presence::present,
                        fmt::format("this process may run on {}", all->size())};
          }};
}

}  // namespace devmap::bench
