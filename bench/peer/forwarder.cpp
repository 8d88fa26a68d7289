#include <bench/peer/forwarder.hpp>
#include <bench/peer/side_facts.hpp>

#include <linux/if_link.h>
#include <poll.h>

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <csignal>
#include <harness/base/file.hpp>
#include <harness/base/processor.hpp>
#include <harness/base/wait.hpp>
#include <harness/net/device_state.hpp>
#include <utility>
#include <vector>

namespace devmap::bench {
namespace {

using std::chrono_literals::operator""s;
constexpr auto kPatience = 20s;

bool has_ended(const vm::Process& process) {
  pollfd ended{.fd = process.ended_descriptor(), .events = POLLIN, .revents = 0};
  return poll(&ended, 1, 0) == 1;
}

Expected<std::string> name_of(std::uint32_t ifindex) {
  auto state = device_state(ifindex);
  if (!state) return std::unexpected(state.error());
  return std::move(state->name);
}

bool has_native_program(std::uint32_t ifindex) {
  const auto state = device_state(ifindex);
  return state && state->native_program != 0;
}

}  // namespace

Expected<Forwarder> Forwarder::start(const PeerPath& path, Side side, const Sinks& sinks, const XdpTools& tools,
                                     unsigned processor) {
  Forwarder forwarder;
  if (!path.forwards()) return forwarder;
  auto started =
      side == Side::ours ? forwarder.attach(path, sinks) : forwarder.run_bench(path, sinks, tools, processor);
  if (!started) return std::unexpected(started.error());
  return forwarder;
}

Expected<void> Forwarder::attach(const PeerPath& path, const Sinks& sinks) {
  auto route = Route::create(path.route, sinks);
  if (!route) return std::unexpected(route.error());
  auto link = XdpLink::create(route->program(), {.ifindex = sinks.in1(), .flags = XDP_FLAGS_DRV_MODE}).expected();
  if (!link) return std::unexpected(link.error());
  route_ = std::move(*route);
  link_ = std::move(*link);
  return {};
}

Expected<void> Forwarder::run_bench(const PeerPath& path, const Sinks& sinks, const XdpTools& tools,
                                    unsigned processor) {
  std::vector<std::uint32_t> devices = {sinks.in1()};
  for (std::uint32_t port = 0; port < sinks.ports(); ++port) devices.push_back(sinks.target(port));
  std::vector<std::string> arguments = {path.command};
  for (const auto device : devices) {
    auto name = name_of(device);
    if (!name) return std::unexpected(name.error());
    arguments.push_back(std::move(*name));
  }
  auto invocation = tools.bench(std::move(arguments));
  // Its statistics are not printed where frames are processed.
  invocation.prepare = [processor] { return stay_on_processor(processor).has_value(); };
  auto process = vm::Process::start(invocation);
  if (!process) return std::unexpected(process.error());
  // redirect-multi redirects from each of its devices; redirect-map from the first.
  const auto sources = path.route.way == RouteSpec::Way::broadcast ? devices.size() : 1;
  const auto attached = [&] {
    return std::ranges::all_of(devices.begin(), devices.begin() + static_cast<std::ptrdiff_t>(sources),
                               has_native_program);
  };
  (void)wait_until([&] { return attached() || has_ended(*process); }, kPatience);
  if (!attached() || has_ended(*process)) {
    process->send(SIGKILL);
    const auto finished = process->wait();
    return failure("xdp-bench " + path.command, 0,
                   fmt::format("it did not attach its programs: {}{}", finished.err, finished.out));
  }
  process_.emplace(std::move(*process));
  return {};
}

Expected<std::set<std::string>> Forwarder::device_maps() const {
  if (process_) return device_maps_of(process_->pid());
  if (!route_) return std::set<std::string>{};
  auto fdinfo = read_file(fmt::format("/proc/self/fdinfo/{}", route_->map().fd()));
  if (!fdinfo) return std::unexpected(fdinfo.error());
  const auto words = device_map_in_words(*fdinfo);
  return words ? std::set{*words} : std::set<std::string>{};
}

Expected<void> Forwarder::stop() {
  link_.reset();
  route_.reset();
  if (!process_) return {};
  const bool early = has_ended(*process_);
  process_->send(SIGINT);
  (void)wait_until([&] { return has_ended(*process_); }, kPatience);
  process_->send(SIGKILL);
  const auto finished = process_->wait();
  process_.reset();
  if (early) {
    return failure("xdp-bench", 0, fmt::format("it ended by itself with {}: {}", finished.exit_code, finished.err));
  }
  return {};
}

}  // namespace devmap::bench
