#include <harness/spec/preflight.hpp>

#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <harness/base/file.hpp>
#include <harness/base/unique_fd.hpp>
#include <harness/bpf/devmap.hpp>

namespace devmap {
namespace {

/// The first thing that is missing, in words; empty where nothing is.
std::string first_missing() {
  if (unshare(CLONE_NEWNET) != 0) {
    return "no network namespace can be made: " + last_error("unshare(CLONE_NEWNET)").error().text();
  }
  auto map = DevMap::create({});
  if (!map) return "no device map can be made: " + std::move(map).expected().error().text();
  return {};
}

}  // namespace

Fact preflight() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return {Presence::could_not_tell, last_error("pipe2").error().text()};
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  const pid_t child = fork();
  if (child < 0) return {Presence::could_not_tell, last_error("fork").error().text()};
  if (child == 0) {
    (void)write_all(writing.get(), first_missing());
    _exit(0);
  }
  writing.reset();
  std::string missing;
  std::array<char, 512> block;
  for (ssize_t got = 0; (got = read(reading.get(), block.data(), block.size())) > 0;) {
    missing.append(block.data(), static_cast<std::size_t>(got));
  }
  waitpid(child, nullptr, 0);
  if (missing.empty()) return {Presence::present, "a network namespace and a device map can be made"};
  return {Presence::absent, missing};
}

}  // namespace devmap
