#include <vm/files.hpp>

#include <fcntl.h>
#include <stdlib.h>

#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <string>
#include <system_error>
#include <vector>

namespace devmap::vm {
namespace {

constexpr const char* kTemporary = "devmap-vm-";

}  // namespace

Expected<void> write_to(const std::filesystem::path& file, std::string_view content) {
  const UniqueFd opened(open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!opened) return last_error("open", file.string());
  auto written = write_all(opened.get(), content);
  if (!written) written.error().context = file.string();
  return written;
}

Expected<void> replace_by(const std::filesystem::path& file, std::string_view content) {
  auto fresh = file;
  fresh += ".new";
  auto written = write_to(fresh, content);
  std::error_code failed;
  if (written) std::filesystem::rename(fresh, file, failed);
  if (failed) written = failure("rename", failed.value(), file.string());
  std::error_code ignored;
  if (!written) std::filesystem::remove(fresh, ignored);
  return written;
}

Expected<void> make_directories(const std::filesystem::path& directory) {
  std::error_code failed;
  std::filesystem::create_directories(directory, failed);
  if (failed) return failure("making a directory", failed.value(), directory.string());
  return {};
}

Expected<TemporaryDirectory> TemporaryDirectory::create(const std::filesystem::path& parent) {
  std::string name = (parent / (kTemporary + std::string("XXXXXX"))).string();
  if (mkdtemp(name.data()) == nullptr) return last_error("making a temporary directory", parent.string());
  return TemporaryDirectory(name);
}

void TemporaryDirectory::remove_left_behind(const std::filesystem::path& parent) {
  std::error_code failed;
  std::vector<std::filesystem::path> left;
  for (std::filesystem::directory_iterator entries(parent, failed);
       !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed)) {
    if (entries->path().filename().string().starts_with(kTemporary)) left.push_back(entries->path());
  }
  std::error_code ignored;
  for (const auto& directory : left) std::filesystem::remove_all(directory, ignored);
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace devmap::vm
