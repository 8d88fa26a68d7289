#include <harness/base/kernel_version.hpp>

#include <harness/base/version_code.hpp>

#include <sys/utsname.h>

#include <fmt/format.h>
#include <array>
#include <charconv>

namespace devmap {

std::optional<KernelVersion> KernelVersion::parse(std::string_view release) {
  std::array<int, 3> numbers{};
  std::size_t count = 0;
  const char* cursor = release.data();
  const char* const end = release.data() + release.size();
  while (count < numbers.size()) {
    if (cursor == end || *cursor == '-') break;  // a number has no sign; "-rc7" follows one
    const auto [next, failed] = std::from_chars(cursor, end, numbers[count]);
    if (failed != std::errc{}) break;
    ++count;
    cursor = next;
    if (cursor == end || *cursor != '.') break;
    ++cursor;
  }
  if (count < 2) return std::nullopt;
  return KernelVersion{numbers[0], numbers[1], numbers[2]};
}

KernelVersion KernelVersion::running() {
  utsname names{};
  if (uname(&names) != 0) return {};
  return with_patch_level(parse(names.release).value_or(KernelVersion{}), running_version_code());
}

std::string KernelVersion::text() const {
  return patch == 0 ? fmt::format("{}.{}", major, minor) : fmt::format("{}.{}.{}", major, minor, patch);
}

}  // namespace devmap
