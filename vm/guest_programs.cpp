#include <vm/guest_programs.hpp>

#include <vm/embedded.hpp>
#include <vm/guest.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <harness/base/file.hpp>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

/// This program brings the init of its own architecture along.
bool is_of_this_build(const Architecture& architecture) {
  const auto* const own = architecture_of(embedded_init());
  return own != nullptr && own->name == architecture.name;
}

fs::path directory_of_this_program() {
  std::error_code failed;
  return fs::read_symlink("/proc/self/exe", failed).parent_path();
}

std::string how_to_get(const Architecture& architecture) {
  return is_of_this_build(architecture) ? std::string("name it by --suite")
                                        : fmt::format("run: scripts/cross {}", architecture.name);
}

Expected<fs::path> first_that_is_there(const std::vector<fs::path>& places, const std::string& what,
                                       const Architecture& architecture) {
  const auto found = std::ranges::find_if(places, [](const fs::path& place) {
    std::error_code failed;
    return fs::exists(place, failed);
  });
  if (found != places.end()) return *found;
  return failure(what, 0,
                 fmt::format("none for {} beside this program; {}", architecture.name, how_to_get(architecture)));
}

Expected<std::string> read_init(const Architecture& architecture) {
  if (is_of_this_build(architecture)) return std::string(embedded_init());
  const auto place = first_that_is_there(program_places(directory_of_this_program(), architecture).init,
                                         "the guest's init", architecture);
  if (!place) return std::unexpected(place.error());
  return read_file(place->string());
}

}  // namespace

ProgramPlaces program_places(const fs::path& here, const Architecture& architecture) {
  ProgramPlaces places;
  if (is_of_this_build(architecture)) {
    places.suite = {here / "devmap-conformance", here.parent_path() / "cases" / "devmap-conformance"};
    return places;
  }
  const std::string name(architecture.name);
  const auto built = here.parent_path().parent_path() / ("cross-" + name);
  const auto installed = here.parent_path() / "libexec" / "devmap-conformance" / name;
  places.suite = {built / "cases" / "devmap-conformance", installed / "devmap-conformance"};
  places.init = {built / "vm" / "devmap-vm-init", installed / "devmap-vm-init"};
  return places;
}

Expected<GuestPrograms> read_guest_programs(const Architecture& kernel, const Architecture& suite,
                                            const std::string& asked) {
  fs::path file = asked;
  if (asked.empty()) {
    auto place = first_that_is_there(program_places(directory_of_this_program(), suite).suite, "the suite", suite);
    if (!place) return std::unexpected(place.error());
    file = std::move(*place);
  }
  auto content = read_file(file.string());
  if (!content) return std::unexpected(content.error());
  auto loaded = loaded_part(std::move(*content), file.string());
  if (!loaded) return std::unexpected(loaded.error());
  const auto* const built_for = architecture_of(*loaded);
  if (built_for == nullptr || !kernel.runs(*built_for)) {
    return failure(
        "the suite", 0,
        fmt::format("{} is built for {}, and the kernel is one for {}", file.string(),
                    built_for == nullptr ? "an architecture that is not known" : built_for->name, kernel.name));
  }
  auto init = read_init(*built_for);
  if (!init) return std::unexpected(init.error());
  return GuestPrograms{.init = std::move(*init), .suite = std::move(*loaded)};
}

Expected<std::string> find_benchmarks() {
  const auto here = directory_of_this_program();
  std::error_code failed;
  for (const auto& place : {here / "devmap-bench", here.parent_path() / "bench" / "devmap-bench"}) {
    if (fs::exists(place, failed)) return place.string();
  }
  return failure("the benchmarks", 0, "no devmap-bench beside this program; run: scripts/build release");
}

}  // namespace devmap::vm
