#pragma once

#include <harness/base/error.hpp>

#include <filesystem>
#include <string_view>
#include <utility>

namespace devmap::vm {

/// Writes a file anew.
[[nodiscard]] Expected<void> write_to(const std::filesystem::path& file, std::string_view content);

[[nodiscard]] Expected<void> make_directories(const std::filesystem::path& directory);

/// Writes a file that was not there, or puts it in place of the one that was, in one step.
[[nodiscard]] Expected<void> replace_by(const std::filesystem::path& file, std::string_view content);

/// A directory with a name of nobody else, which goes with this object.
class TemporaryDirectory {
 public:
  /// In `parent`, which must be there.
  [[nodiscard]] static Expected<TemporaryDirectory> create(const std::filesystem::path& parent);
  TemporaryDirectory(TemporaryDirectory&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  /// Removes those in `parent` that processes which were killed have left. Nobody else may use `parent` now.
  static void remove_left_behind(const std::filesystem::path& parent);

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit TemporaryDirectory(std::filesystem::path path) : path_(std::move(path)) {}

  std::filesystem::path path_;
};

}  // namespace devmap::vm
