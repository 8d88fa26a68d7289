#include <cases/tests/suite.hpp>

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <fmt/format.h>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <harness/base/file.hpp>
#include <harness/base/wait.hpp>
#include <harness/spec/preflight.hpp>
#include <sstream>
#include <stdexcept>

namespace devmap::test {

Command suite(Arguments arguments) {
  setenv("ASAN_OPTIONS", "handle_segv=0", 0);  // where it is built so, a crash is to remain a crash
  arguments.insert(arguments.begin(), "--color=never");
  return {.program = DEVMAP_CONFORMANCE_PROGRAM, .arguments = std::move(arguments)};
}

Command calibration(const std::vector<std::string>& slugs, Arguments arguments) {
  arguments.emplace_back("--calibration");
  for (const auto& slug : slugs) arguments.push_back("--filter=calibration." + slug);
  return suite(std::move(arguments));
}

std::string why_no_checks_run_here() {
  const Fact fact = preflight();
  return fact.presence == Presence::present ? "" : fact.text;
}

TemporaryDirectory::TemporaryDirectory() {
  path_ = std::filesystem::temp_directory_path() / "devmap-test-XXXXXX";
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("no temporary directory");
  std::filesystem::permissions(path_, std::filesystem::perms(0755));
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::set<std::string> TemporaryDirectory::names() const {
  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) names.insert(entry.path().filename());
  return names;
}

std::string content_of(const std::string& file) {
  return read_file(file).value_or("");
}

void write_to(const std::string& file, const std::string& text) {
  std::ofstream(file) << text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

bool make_own_mount_table() {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

std::map<std::string, int> children_of(int pid) {
  std::map<std::string, int> children;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored)) {
    const auto stat = content_of(entry.path() / "stat");  // "12 (name) S parent ..."; a name may hold ')'
    const auto open = stat.find('(');
    const auto close = stat.rfind(')');
    if (close == std::string::npos || std::atoi(stat.c_str() + close + 4) != pid) continue;
    children.emplace(stat.substr(open + 1, close - open - 1), std::atoi(stat.c_str()));
  }
  return children;
}

int await_check(const Spawned& suite, std::size_t number) {
  const auto name = fmt::format("dm{}-{}", suite.pid(), number);
  int found = 0;
  const bool came = wait_until(
      [&] {
        const auto children = children_of(suite.pid());
        const auto child = children.find(name);
        if (child != children.end()) found = child->second;
        return found != 0;
      },
      std::chrono::seconds(20));
  return came ? found : 0;
}

}  // namespace devmap::test
