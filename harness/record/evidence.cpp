#include <harness/record/evidence.hpp>

#include <fmt/format.h>

namespace devmap {

std::string Evidence::text() const {
  if (!judged(role)) return did;
  const char* prefix = role == Role::control ? "control: " : "";
  if (as_expected) return fmt::format("{}{} -> {}", prefix, did, observed);
  return fmt::format("{}{} -> {}, expected {}", prefix, did, observed, expected);
}

}  // namespace devmap
