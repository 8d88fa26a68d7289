#include <harness/base/file.hpp>

#include <fcntl.h>

#include <array>
#include <cerrno>
#include <harness/base/unique_fd.hpp>

namespace devmap {

Expected<std::string> read_file(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return last_error("open", path);
  std::string content;
  std::array<char, 16384> block;
  for (;;) {
    const ssize_t got = read(file.get(), block.data(), block.size());
    if (got == 0) return content;
    if (got > 0) {
      content.append(block.data(), static_cast<std::size_t>(got));
    } else if (errno != EINTR) {
      return last_error("read", path);
    }
  }
}

Expected<void> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t wrote = write(fd, text.data(), text.size());
    if (wrote >= 0) {
      text.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      return last_error("write");
    }
  }
  return {};
}

}  // namespace devmap
