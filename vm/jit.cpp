#include <vm/jit.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace devmap::vm {
namespace {

constexpr std::array kJits = {std::pair{std::string_view("on"), Jit::on}, std::pair{std::string_view("off"), Jit::off},
                              std::pair{std::string_view("harden"), Jit::harden}};

}  // namespace

std::optional<Jit> jit_named(std::string_view name) {
  const auto* const found = std::ranges::find(kJits, name, &std::pair<std::string_view, Jit>::first);
  if (found == kJits.end()) return std::nullopt;
  return found->second;
}

std::vector<Plan::Setting> settings_of(Jit jit) {
  constexpr const char* kEnable = "/proc/sys/net/core/bpf_jit_enable";
  constexpr const char* kHarden = "/proc/sys/net/core/bpf_jit_harden";
  switch (jit) {
    case Jit::as_is:
      break;
    case Jit::on:
      return {{.file = kEnable, .value = "1"}, {.file = kHarden, .value = "0"}};
    case Jit::off:
      return {{.file = kEnable, .value = "0"}};
    case Jit::harden:
      return {{.file = kEnable, .value = "1"}, {.file = kHarden, .value = "2"}};
  }
  return {};
}

}  // namespace devmap::vm
