#include <bench/control/map_under_test.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <harness/base/resources.hpp>
#include <harness/bpf/syscall.hpp>
#include <harness/net/link.hpp>
#include <iterator>
#include <random>
#include <ranges>
#include <utility>

namespace devmap::bench {

long element_call(bpf_cmd command, const Map& map, const void* key, const void* value) noexcept {
  bpf_attr attr{};
  attr.map_fd = static_cast<std::uint32_t>(map.fd());
  attr.key = pointer_word(key);
  attr.value = pointer_word(value);
  return sys_bpf(command, attr);
}

MapUnderTest::MapUnderTest(std::vector<Map> maps, std::vector<std::uint32_t> keys, Target value)
    : maps_(std::move(maps)), keys_(std::move(keys)), value_(value) {
  places_.reserve(maps_.size() * keys_.size());
  for (const auto& key : keys_) {
    for (const auto& map : maps_) places_.push_back({.map = &map, .key = &key});
  }
}

Expected<MapUnderTest> MapUnderTest::create(const Spec& spec) {
  auto keys = spec.keys;
  if (keys.empty()) {
    keys.resize(spec.entries);
    std::ranges::copy(std::views::iota(0U, spec.entries), keys.begin());
  }
  std::ranges::shuffle(keys, std::mt19937(1));
  std::vector<Map> maps;
  for (std::size_t elements = 0; elements < std::max<std::size_t>(spec.elements, 1); elements += keys.size()) {
    auto map = Map::create({.type = spec.kind.type, .value_size = spec.kind.value_size, .max_entries = spec.entries})
                   .expected();
    if (!map) return std::unexpected(map.error());
    maps.push_back(std::move(*map));
  }
  MapUnderTest made(std::move(maps), std::move(keys), {.ifindex = kLoopback, .program_fd = spec.program_fd});
  for (std::uint64_t element = 0; element < made.elements(); ++element) {
    if (const long result = made.update(element); result < 0) {
      return failure("fill a map", static_cast<int>(-result),
                     fmt::format("element {} of {}", element, made.elements()));
    }
  }
  const auto places = made.places_;
  while (made.elements() < spec.numbers) std::ranges::copy(places, std::back_inserter(made.places_));
  return made;
}

long MapUnderTest::update(std::uint64_t element) const noexcept {
  return element_call(BPF_MAP_UPDATE_ELEM, *places_[element].map, places_[element].key, &value_);
}

long MapUnderTest::lookup(std::uint64_t element, Element& into) const noexcept {
  return element_call(BPF_MAP_LOOKUP_ELEM, *places_[element].map, places_[element].key, &into);
}

long MapUnderTest::erase(std::uint64_t element) const noexcept {
  return element_call(BPF_MAP_DELETE_ELEM, *places_[element].map, places_[element].key, nullptr);
}

}  // namespace devmap::bench
