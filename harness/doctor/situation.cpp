#include <harness/doctor/situation.hpp>

#include <net/if.h>
#include <unistd.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <harness/base/edit_distance.hpp>
#include <memory>
#include <tuple>
#include <vector>

namespace devmap::doctor {
namespace {

/// Does something in a namespace: the caller's, or another.
template <class T>
Expected<T> in_namespace(const std::optional<KnownNamespace>& where, const std::function<Expected<T>()>& look) {
  if (!where) return look();
  const auto opened = NetNs::open(where->path);
  if (!opened) return std::unexpected(opened.error());
  Expected<T> found = failure("namespace", 0);
  if (const auto entered = opened->run([&] { found = look(); }); !entered) return std::unexpected(entered.error());
  return found;
}

std::vector<std::string> device_names() {
  std::vector<std::string> names;
  struct Free {
    void operator()(struct if_nameindex* list) const noexcept { if_freenameindex(list); }
  };
  const std::unique_ptr<struct if_nameindex, Free> list(if_nameindex());
  if (!list) return names;
  for (const auto* entry = list.get(); entry->if_index != 0; ++entry) names.emplace_back(entry->if_name);
  return names;
}

/// "; there are lo, eth0": the most similar first.
std::string near_names(const std::string& text) {
  constexpr std::size_t kMost = 4;
  auto names = device_names();
  std::ranges::sort(names, {}, [&text](const std::string& name) {
    return std::tuple(name.contains(text) ? 0 : edit_distance(text, name), name);
  });
  const bool all = names.size() <= kMost;
  if (!all) names.resize(kMost);
  return fmt::format("; {} {}", all ? "there are" : "similar are", fmt::join(names, ", "));
}

Expected<Device> look_at(std::uint32_t ifindex) {
  auto state = device_state(ifindex);
  if (!state) return std::unexpected(state.error());
  return Device{.ifindex = ifindex,
                .state = std::move(*state),
                .features = xdp_features(ifindex).expected(),
                .gro = gro(ifindex).expected(),
                .tcp_segmentation = tcp_segmentation(ifindex).expected(),
                .channels = channels(ifindex).expected()};
}

Expected<Device> look_at(const Named& named) {
  auto device = in_namespace<Device>(named.elsewhere, [&] { return look_at(named.ifindex); });
  if (device) device->elsewhere = named.elsewhere;
  return device;
}

/// The device that another was made with or on, seen from that one's namespace; `callers` is whose question it is.
Expected<Device> look_at_other(const DeviceState& state, const KnownNamespace& callers) {
  if (!state.lower_namespace) return look_at(state.lower);
  const auto where = namespace_with_id(*state.lower_namespace, callers);
  if (!where) {
    return failure("look at ifindex " + std::to_string(state.lower), 0,
                   "it is in a namespace without a name or a process that can be seen from here");
  }
  auto device = look_at(Named{.ifindex = state.lower, .elsewhere = where});
  if (!device) device.error().context = fmt::format("it is in {}; run it as root", where->title);
  return device;
}

Expected<Interface> look_around(const Named& named) {
  auto device = look_at(named);
  if (!device) return std::unexpected(device.error());
  Interface interface{.device = std::move(*device)};
  const DeviceState& state = interface.device.state;
  if (state.lower == 0) return interface;
  interface.other = in_namespace<Device>(
      named.elsewhere, [&state, callers = current_namespace()] { return look_at_other(state, callers); });
  if (!*interface.other) return interface;
  // It was looked for from the device's namespace, which need not be the caller's.
  auto& elsewhere = (*interface.other)->elsewhere;
  if (!state.lower_namespace) elsewhere = named.elsewhere;
  if (elsewhere && is_current(*elsewhere)) elsewhere.reset();
  return interface;
}

}  // namespace

Expected<Named> device_named(const std::string& text) {
  if (const auto ifindex = if_nametoindex(text.c_str()); ifindex != 0) return Named{.ifindex = ifindex};
  std::uint32_t number = 0;
  const char* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (read.ec == std::errc{} && read.ptr == end && device_state(number)) return Named{.ifindex = number};
  return failure("interface '" + text + "'", ENODEV, "no such interface here" + near_names(text));
}

Expected<Named> device_named_in(const KnownNamespace& where, const std::string& text) {
  auto named = in_namespace<Named>(where, [&text] { return device_named(text); });
  if (named) named->elsewhere = where;
  return named;
}

std::optional<Named> device_named_elsewhere(const std::string& name) {
  for (const auto& known : other_namespaces()) {
    const auto ifindex = in_namespace<std::uint32_t>(
        known, [&name]() -> Expected<std::uint32_t> { return if_nametoindex(name.c_str()); });
    if (ifindex && *ifindex != 0) return Named{.ifindex = *ifindex, .elsewhere = known};
  }
  return std::nullopt;
}

Expected<Situation> examine(const Named& in, const Named& out) {
  auto receiver = look_around(in);
  if (!receiver) return std::unexpected(receiver.error());
  auto target = look_around(out);
  if (!target) return std::unexpected(target.error());
  return Situation{.kernel = KernelVersion::running(),
                   .page_size = static_cast<std::uint32_t>(sysconf(_SC_PAGESIZE)),
                   .in = std::move(*receiver),
                   .out = std::move(*target)};
}

}  // namespace devmap::doctor
