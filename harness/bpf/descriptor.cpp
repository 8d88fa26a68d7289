#include <harness/bpf/descriptor.hpp>

#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <fmt/format.h>
#include <cerrno>

namespace devmap {
namespace {

std::string named_events(short events) {
  constexpr std::pair<short, const char*> kNames[] = {
      {POLLIN, "POLLIN"}, {POLLOUT, "POLLOUT"}, {POLLERR, "POLLERR"}, {POLLHUP, "POLLHUP"}, {POLLNVAL, "POLLNVAL"}};
  std::string text;
  int rest = events;
  for (const auto& [bit, name] : kNames) {
    if ((rest & bit) == 0) continue;
    text += text.empty() ? name : std::string("|") + name;
    rest &= ~bit;
  }
  if (rest != 0) text += fmt::format("{}{:#x}", text.empty() ? "" : "|", rest);
  return text.empty() ? "none" : text;
}

Reply<std::size_t> sized(const Asked& asked, ssize_t result) {
  if (result < 0) return Reply<std::size_t>::refused(asked, errno);
  return Reply<std::size_t>::granted(asked, static_cast<std::size_t>(result));
}

}  // namespace

Reply<std::size_t> read_descriptor(int fd, std::span<std::byte> into) {
  const ssize_t result = ::read(fd, into.data(), into.size());
  return sized({"read(2)", {{"bytes", into.size()}}}, result);
}

Reply<std::size_t> write_descriptor(int fd, std::span<const std::byte> from) {
  const ssize_t result = ::write(fd, from.data(), from.size());
  return sized({"write(2)", {{"bytes", from.size()}}}, result);
}

Reply<> map_descriptor(int fd) {
  const auto size = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const Asked asked("mmap(2)", {{"bytes", size}});
  void* address = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (address == MAP_FAILED) return Reply<>::refused(asked, errno);
  ::munmap(address, size);
  return Reply<>::granted(asked);
}

Reply<std::string> poll_descriptor(int fd) {
  pollfd asked_of{.fd = fd, .events = POLLIN | POLLOUT, .revents = 0};
  const Asked asked("poll(2)", {});
  if (::poll(&asked_of, 1, 0) < 0) return Reply<std::string>::refused(asked, errno);
  return Reply<std::string>::granted(asked, named_events(asked_of.revents));
}

}  // namespace devmap
