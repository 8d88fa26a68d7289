#include <harness/bpf/fdinfo.hpp>

#include <charconv>
#include <harness/base/file.hpp>
#include <string>

namespace devmap {

std::optional<std::uint64_t> parse_fdinfo(std::string_view text, std::string_view field) {
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(field) || line.substr(field.size(), 1) != ":") continue;
    line.remove_prefix(field.size() + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const int base = line.starts_with("0x") ? 16 : 10;
    if (base == 16) line.remove_prefix(2);
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(line.data(), line.data() + line.size(), number, base);
    if (parsed.ec == std::errc{}) return number;
  }
  return std::nullopt;
}

Expected<std::optional<std::uint64_t>> read_fdinfo(int fd, std::string_view field) {
  // thread-self, because a case may look from a thread that shares no descriptors with the main one.
  const auto text = read_file("/proc/thread-self/fdinfo/" + std::to_string(fd));
  if (!text) return std::unexpected(text.error());
  return parse_fdinfo(*text, field);
}

}  // namespace devmap
