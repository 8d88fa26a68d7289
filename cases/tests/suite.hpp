#pragma once

#include <cases/tests/spawn.hpp>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace devmap::test {

using Arguments = std::vector<std::string>;

/// The suite as a user starts it, without colour.
[[nodiscard]] Command suite(Arguments arguments);
/// Rules of the calibration group by their slugs, with these further arguments.
[[nodiscard]] Command calibration(const std::vector<std::string>& slugs, Arguments arguments = {});

/// Why checks cannot be run here; empty where they can.
[[nodiscard]] std::string why_no_checks_run_here();
#define NEED_PRIVILEGE() \
  if (const auto missing = ::devmap::test::why_no_checks_run_here(); !missing.empty()) GTEST_SKIP() << missing

/// A directory that everybody may read and that goes with this object.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] std::set<std::string> names() const;

 private:
  std::string path_;
};

[[nodiscard]] std::string content_of(const std::string& file);
void write_to(const std::string& file, const std::string& text);
[[nodiscard]] std::vector<std::string> lines_of(const std::string& text);

/// Gives this process a mount table of its own, in which it can mount what it likes; false where it may not.
[[nodiscard]] bool make_own_mount_table();

/// The children of a process, by name; those of the suite are its checks, named dm<its pid>-<number of the check>.
[[nodiscard]] std::map<std::string, int> children_of(int pid);
/// Waits until check `number` (from 0) of a running suite has its process, and gives that; 0 if it never comes.
[[nodiscard]] int await_check(const Spawned& suite, std::size_t number);

}  // namespace devmap::test
