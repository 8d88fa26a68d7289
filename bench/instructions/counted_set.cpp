#include <bench/instructions/counted_set.hpp>

#include <fmt/format.h>

namespace devmap::bench {

std::vector<std::string> counted_set() {
  constexpr const char* kMaps[] = {"devmap", "devmap_hash"};
  std::vector<std::string> names = {"syscall/getppid", "syscall/bpf_unknown_command"};
  for (const auto* const what :
       {"lookup", "lookup_missing", "update_replace", "update_new", "update_with_program", "delete", "next_key"}) {
    for (const auto* const map : kMaps) {
      for (const int entries : {1, 64, 4096}) names.push_back(fmt::format("{}/{}/{}", what, map, entries));
    }
  }
  // Behind what they are compared with.
  names.insert(names.end(), {"harness/lookup", "harness/update", "helper/redirect"});
  for (const auto* const what :
       {"redirect_map_hit", "redirect_map_miss", "redirect_map_broadcast", "map_lookup_elem"}) {
    for (const auto* const map : kMaps) names.push_back(fmt::format("helper/{}/{}", what, map));
  }
  names.insert(names.end(), {"live/drop", "live/redirect"});
  for (const auto* const what : {"live/redirect_map/{}", "live/egress_pass/{}", "live/broadcast/{}/devices:2/batch:64",
                                 "live/broadcast/{}/devices:4/batch:64"}) {
    for (const auto* const map : kMaps) names.push_back(fmt::format(fmt::runtime(what), map));
  }
  names.insert(names.end(), {"packet/drop", "packet/redirect"});
  for (const auto* const what : {"packet/redirect_map/{}", "packet/redirect_map/{}/generic"}) {
    for (const auto* const map : kMaps) names.push_back(fmt::format(fmt::runtime(what), map));
  }
  for (const auto* const what : {"create_and_free/{}/64", "remove_device/{}/1_in_1_maps", "live/two_processors/{}"}) {
    for (const auto* const map : kMaps) names.push_back(fmt::format(fmt::runtime(what), map));
  }
  return names;
}

bool is_of_harness(const Benchmark& benchmark) {
  return benchmark.name.starts_with("harness/");
}

std::string_view counted_per(const Benchmark& benchmark) {
  if (benchmark.facts.frame_length != 0) return "frame";
  const auto kind = std::string_view(benchmark.name).substr(0, benchmark.name.find('/'));
  return kind == "helper" || kind == "harness" || kind == "syscall" ? "call" : "operation";
}

}  // namespace devmap::bench
