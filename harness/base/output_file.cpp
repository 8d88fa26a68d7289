#include <harness/base/output_file.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>

namespace devmap {
namespace {

bool replaceable(const std::string& file) {
  // /dev/stdout and /proc/self/fd/1 lead to a file that others hold open.
  if (file.starts_with("/dev/") || file.starts_with("/proc/")) return false;
  std::error_code ignored;
  const auto status = std::filesystem::status(file, ignored);
  return status.type() == std::filesystem::file_type::not_found || status.type() == std::filesystem::file_type::regular;
}

/// The file itself where the name is a symbolic link, so that the link stays one.
std::string behind_links(const std::string& file) {
  std::error_code failed;
  const auto target = std::filesystem::weakly_canonical(file, failed);
  return failed ? file : target.string();
}

Expected<void> write_into(const std::string& file, int flags, std::string_view text) {
  UniqueFd opened(open(file.c_str(), flags | O_WRONLY | O_CLOEXEC, 0666));
  if (!opened) return last_error("open", file);
  if (auto written = write_all(opened.get(), text); !written) {
    written.error().context = file;
    return written;
  }
  // Some file systems say only here that there is no room.
  if (close(opened.release()) != 0) return last_error("close", file);
  return {};
}

}  // namespace

Expected<void> check_writable(const std::string& file) {
  if (file == "-") return {};
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    if (std::filesystem::is_directory(file, ignored)) return failure("open", EISDIR, file);
    if (access(file.c_str(), W_OK) != 0) return last_error("open", file);
    if (!replaceable(file)) return {};
  }
  // A file is replaced in its directory, so that is what must be writable.
  const auto directory = std::filesystem::path(behind_links(file)).parent_path();
  if (access(directory.empty() ? "." : directory.c_str(), W_OK | X_OK) != 0) return last_error("open", file);
  return {};
}

Expected<void> write_file(const std::string& file, std::string_view text) {
  if (file == "-") {
    // Line by line output of this process may still wait in the buffer.
    std::fflush(stdout);
    auto written = write_all(STDOUT_FILENO, text);
    if (!written) written.error().context = "standard output";
    return written;
  }
  if (!replaceable(file)) return write_into(file, O_APPEND, text);
  const std::string target = behind_links(file);
  const std::string part = target + ".part";
  if (auto written = write_into(part, O_CREAT | O_TRUNC, text); !written) {
    unlink(part.c_str());
    written.error().context = file;
    return written;
  }
  if (rename(part.c_str(), target.c_str()) != 0) {
    auto error = last_error("rename", file);
    unlink(part.c_str());
    return error;
  }
  return {};
}

}  // namespace devmap
