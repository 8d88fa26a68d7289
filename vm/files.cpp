#include <vm/files.hpp>

#include <fcntl.h>
#include <stdlib.h>

#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <string>
#include <system_error>

namespace devmap::vm {

Expected<void> write_to(const std::filesystem::path& file, std::string_view content) {
  const UniqueFd opened(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!opened) return last_error("open", file.string());
  auto written = write_all(opened.get(), content);
  if (!written) written.error().context = file.string();
  return written;
}

Expected<void> make_directories(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return failure("making a directory", failed.value(), directory.string());
  return {};
}

Expected<TemporaryDirectory> TemporaryDirectory::create(const std::filesystem::path& parent) {
  std::string name = (parent / "devmap-vm-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) return last_error("making a temporary directory", parent.string());
  return TemporaryDirectory(name);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace devmap::vm
