#include <harness/net/tun.hpp>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <harness/net/link.hpp>

namespace devmap {
namespace {

constexpr const char* kNode = "/dev/net/tun";
/// More than any frame of a device whose MTU nobody raised.
constexpr std::size_t kLongestFrame = 16384;

}  // namespace

Expected<Tun> Tun::create(const Spec& spec) {
  if (spec.up) {
    if (auto silenced = silence_ipv6(); !silenced) return std::unexpected(silenced.error());
  }
  UniqueFd fd(open(kNode, O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return last_error("open", kNode);
  auto number = spec.ifindex;
  if (number != 0 && ioctl(fd.get(), TUNSETIFINDEX, &number) != 0) return last_error("TUNSETIFINDEX", spec.name);
  ifreq request{};
  if (spec.name.size() >= sizeof request.ifr_name) return failure("TUNSETIFF", ENAMETOOLONG, spec.name);
  std::memcpy(request.ifr_name, spec.name.data(), spec.name.size());
  request.ifr_flags = static_cast<short>((spec.layer == Layer::tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI);
  if (ioctl(fd.get(), TUNSETIFF, &request) != 0) return last_error("TUNSETIFF", spec.name);
  if (spec.persistent && ioctl(fd.get(), TUNSETPERSIST, 1) != 0) return last_error("TUNSETPERSIST", spec.name);
  const auto ifindex = if_nametoindex(spec.name.c_str());
  if (ifindex == 0) return last_error("if_nametoindex", spec.name);
  if (spec.up) {
    if (auto opened = set_up(ifindex); !opened) return std::unexpected(opened.error());
  }
  return Tun(std::move(fd), ifindex);
}

Expected<std::optional<std::vector<std::byte>>> Tun::read(std::chrono::milliseconds limit) const {
  pollfd waiting{.fd = fd_.get(), .events = POLLIN, .revents = 0};
  const int ready = poll(&waiting, 1, static_cast<int>(limit.count()));
  if (ready < 0) return last_error("poll", kNode);
  if (ready == 0) return std::nullopt;
  std::vector<std::byte> frame(kLongestFrame);
  const ssize_t size = ::read(fd_.get(), frame.data(), frame.size());
  if (size < 0) return last_error("read", kNode);
  frame.resize(static_cast<std::size_t>(size));
  return frame;
}

Expected<void> Tun::write(std::span<const std::byte> frame) const {
  if (::write(fd_.get(), frame.data(), frame.size()) < 0) return last_error("write", kNode);
  return {};
}

}  // namespace devmap
