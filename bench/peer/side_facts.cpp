#include <bench/peer/side_facts.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <filesystem>
#include <harness/base/file.hpp>
#include <harness/bpf/devmap.hpp>
#include <harness/bpf/fdinfo.hpp>
#include <system_error>

namespace devmap::bench {
namespace {

/// The name of an entry of /proc as a number; nothing for "self" and the like.
std::optional<int> number_of(const std::filesystem::directory_entry& entry) {
  const auto name = entry.path().filename().string();
  int number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec != std::errc{} || parsed.ptr != name.data() + name.size()) return std::nullopt;
  return number;
}

std::optional<int> find_thread(const std::string& name) {
  std::error_code ended;
  for (std::filesystem::directory_iterator entry("/proc", ended), end; !ended && entry != end; entry.increment(ended)) {
    const auto pid = number_of(*entry);
    if (!pid) continue;
    // One that has ended meanwhile is not the one looked for.
    if (const auto comm = read_file(entry->path() / "comm"); comm && *comm == name + "\n") return pid;
  }
  return std::nullopt;
}

}  // namespace

SideFacts& SideFacts::operator+=(const SideFacts& more) {
  maps.insert(more.maps.begin(), more.maps.end());
  cpu_seconds += more.cpu_seconds;
  ksoftirqd_seconds += more.ksoftirqd_seconds;
  return *this;
}

std::optional<double> SideFacts::ksoftirqd_share() const {
  if (cpu_seconds <= 0) return std::nullopt;
  return ksoftirqd_seconds / cpu_seconds;
}

std::optional<std::string> device_map_in_words(std::string_view fdinfo) {
  const auto type = parse_fdinfo(fdinfo, "map_type");
  const auto entries = parse_fdinfo(fdinfo, "max_entries");
  const auto value_size = parse_fdinfo(fdinfo, "value_size");
  if (!type || !entries || !value_size) return std::nullopt;
  const auto is = [&](DevMapType wanted) { return *type == static_cast<std::uint32_t>(wanted); };
  if (!is(DevMapType::devmap) && !is(DevMapType::devmap_hash)) return std::nullopt;
  return fmt::format("{}, {} {}, {}-byte values", name_of(static_cast<DevMapType>(*type)), *entries,
                     *entries == 1 ? "entry" : "entries", *value_size);
}

Expected<std::set<std::string>> device_maps_of(int pid) {
  const auto directory = fmt::format("/proc/{}/fdinfo", pid);
  std::set<std::string> maps;
  std::error_code ended;
  std::filesystem::directory_iterator entry(directory, ended);
  for (const std::filesystem::directory_iterator end; !ended && entry != end; entry.increment(ended)) {
    const auto fdinfo = read_file(entry->path());
    // A descriptor may be closed between the listing and the look.
    if (!fdinfo) continue;
    if (auto words = device_map_in_words(*fdinfo)) maps.insert(std::move(*words));
  }
  if (ended) return failure(directory, ended.value());
  return maps;
}

std::optional<clockid_t> ksoftirqd_clock(unsigned processor) {
  const auto pid = find_thread(fmt::format("ksoftirqd/{}", processor));
  return pid ? clock_of(*pid) : std::nullopt;
}

std::optional<clockid_t> clock_of(int pid) {
  clockid_t clock = 0;
  if (clock_getcpuclockid(pid, &clock) != 0) return std::nullopt;
  return clock;
}

double seconds_of(std::optional<clockid_t> clock) {
  timespec spent{};
  if (!clock || clock_gettime(*clock, &spent) != 0) return 0;
  constexpr double kNanosecond = 1e-9;
  return static_cast<double>(spent.tv_sec) + static_cast<double>(spent.tv_nsec) * kNanosecond;
}

}  // namespace devmap::bench
