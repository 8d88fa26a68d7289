#pragma once

#include <harness/base/error.hpp>
#include <vm/architecture.hpp>
#include <vm/debian.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace devmap::vm {

/// What a downloaded package is called: "linux-image-6.1.0-56-cloud-amd64_6.1.192-2.deb".
[[nodiscard]] std::string file_name_of(const Package& package);

/// The machine's apt, with lists, cache and sources of its own: nothing of the system's changes, and no root is needed.
/// Signatures are checked by apt against the machine's keys.
class Apt {
 public:
  /// For the packages of an architecture. `directory` is made, and kept for the next time. Fails where there is no apt,
  /// or it knows no Debian mirror.
  [[nodiscard]] static Expected<Apt> set_up(const std::filesystem::path& directory, const Architecture& architecture,
                                            const std::vector<std::string>& suites);

  /// Fetches the lists of the suites.
  [[nodiscard]] Expected<void> update() const;

  /// All versions of the packages whose names match the regular expression, and the suites of each.
  [[nodiscard]] Expected<std::vector<Package>> packages(const std::string& expression) const;

  /// Downloads the packages of a kernel into a directory and gives the files in the order of the packages. A file is
  /// there only when apt has found its checksum right; what an earlier time has left whole is not downloaded again.
  [[nodiscard]] Expected<std::vector<std::filesystem::path>> download(const Offer& offer,
                                                                      const std::filesystem::path& into) const;

 private:
  explicit Apt(std::filesystem::path configuration) : configuration_(std::move(configuration)) {}
  [[nodiscard]] Expected<void> download(const Package& package, const std::filesystem::path& file) const;
  [[nodiscard]] Expected<std::string> ask(const std::string& program, std::vector<std::string> arguments,
                                          const std::filesystem::path& directory) const;

  std::filesystem::path configuration_;
};

}  // namespace devmap::vm
