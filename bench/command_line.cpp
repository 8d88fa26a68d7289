#include <bench/command_line.hpp>

#include <bench/exit_codes.hpp>

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <harness/spec/preflight.hpp>

namespace devmap::bench {

std::optional<int> parse(CLI::App& app, const std::vector<std::string>& arguments) {
  // CLI11 takes them from the end.
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
  try {
    app.parse(std::move(reversed));
  } catch (const CLI::ParseError& fault) {
    if (fault.get_exit_code() == 0) return app.exit(fault);  // --help
    fmt::print(stderr, "{}: {}\n", app.get_name(), fault.what());
    return kUsage;
  }
  return std::nullopt;
}

bool may_measure(const std::vector<Obstacle>& found, bool despite_obstacles) {
  for (const auto& obstacle : found) {
    const bool hinders = obstacle.weight == Obstacle::Weight::refuses && !despite_obstacles;
    fmt::print(stderr, "devmap-bench: {}{}; {}\n", hinders ? "refused: " : "note: ", obstacle.what, obstacle.remedy);
  }
  if (!refuses(found) || despite_obstacles) return true;
  fmt::print(stderr, "devmap-bench: nothing was measured; --despite-obstacles measures all the same\n");
  return false;
}

bool has_privileges() {
  const auto possible = preflight();
  if (possible.presence == Presence::present) return true;
  fmt::print(stderr, "devmap-bench: nothing can be measured: {}; run it as root\n", possible.text);
  return false;
}

}  // namespace devmap::bench
