#include <vm/suite.hpp>

#include <vm/guest.hpp>

#include <filesystem>
#include <harness/base/file.hpp>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

/// As it was built, or as it was installed.
std::string suite_beside_this_program() {
  std::error_code failed;
  const auto here = fs::read_symlink("/proc/self/exe", failed).parent_path();
  for (const auto& candidate : {here / "devmap-conformance", here.parent_path() / "cases" / "devmap-conformance"}) {
    if (fs::exists(candidate, failed)) return candidate.string();
  }
  return {};
}

}  // namespace

Expected<std::string> read_suite(const std::string& asked) {
  const auto file = asked.empty() ? suite_beside_this_program() : asked;
  if (file.empty()) return failure("the suite", 0, "no devmap-conformance beside this program: name it by --suite");
  auto content = read_file(file);
  if (!content) return std::unexpected(content.error());
  return loaded_part(std::move(*content), file);
}

}  // namespace devmap::vm
