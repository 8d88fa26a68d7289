#include <vm/apt.hpp>

#include <vm/files.hpp>
#include <vm/process.hpp>

#include <unistd.h>

#include <fmt/format.h>
#include <algorithm>
#include <harness/base/file.hpp>
#include <optional>
#include <sstream>
#include <system_error>

namespace devmap::vm {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSystemConfiguration = "/etc/apt/apt.conf";

std::vector<std::string> texts_below(const fs::path& directory, std::string_view extension) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator entries(directory, failed); !failed && entries != fs::directory_iterator();
       entries.increment(failed)) {
    if (entries->path().extension() == extension) files.push_back(entries->path());
  }
  std::ranges::sort(files);
  std::vector<std::string> texts;
  for (const auto& file : files) {
    if (auto text = read_file(file.string())) texts.push_back(std::move(*text));
  }
  return texts;
}

Mirrors mirrors_of_this_machine() {
  auto lines = texts_below("/etc/apt/sources.list.d", ".list");
  if (auto text = read_file("/etc/apt/sources.list")) lines.push_back(std::move(*text));
  return find_mirrors(lines, texts_below("/etc/apt/sources.list.d", ".sources"));
}

/// Read by apt after all that the system says of proxies and keys.
std::string configuration_text(const fs::path& directory, const Architecture& architecture) {
  std::string text;
  if (access(kSystemConfiguration, R_OK) == 0) text += fmt::format("#include \"{}\";\n", kSystemConfiguration);
  // What a system hooks to apt is about the system.
  for (const auto* const hook : {"APT::Update::Pre-Invoke", "APT::Update::Post-Invoke",
                                 "APT::Update::Post-Invoke-Success", "DPkg::Post-Invoke"}) {
    text += fmt::format("#clear {};\n", hook);
  }
  const auto set = [&](std::string_view key, const std::string& value) {
    text += fmt::format("{} \"{}\";\n", key, value);
  };
  set("Dir::Etc::sourcelist", (directory / "sources.list").string());
  for (const auto* const part : {"sourceparts", "preferences", "preferencesparts"}) {
    set(std::string("Dir::Etc::") + part, "/dev/null");
  }
  set("Dir::State", (directory / "state").string());
  set("Dir::State::status", (directory / "status").string());
  set("Dir::Cache", (directory / "cache").string());
  set("APT::Architecture", std::string(architecture.name));
  // Not those that dpkg has been told of besides.
  text += fmt::format("#clear APT::Architectures;\nAPT::Architectures {{ \"{}\"; }};\n", architecture.name);
  set("Acquire::Languages", "none");
  // Suites that are not asked for this time may be the next.
  set("APT::Get::List-Cleanup", "false");
  // apt would hand root's downloads to a user who cannot enter a directory of root's.
  if (geteuid() == 0) set("APT::Sandbox::User", "root");
  return text;
}

/// What apt complained of, without what it only mentions.
std::string complaint(const Finished& finished) {
  std::istringstream lines(finished.err);
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("E:") && !line.starts_with("W:")) continue;
    if (!text.empty()) text += "; ";
    text += line;
  }
  return text.empty() ? fmt::format("it ended with {}", finished.exit_code) : text;
}

}  // namespace

std::string file_name_of(const Package& package) {
  return fmt::format("{}_{}.deb", package.name, package.version);
}

Expected<Apt> Apt::set_up(const fs::path& directory, const Architecture& architecture,
                          const std::vector<std::string>& suites) {
  for (const auto* const program : {"apt-get", "apt-cache"}) {
    if (!find_program(program)) {
      return failure("apt", 0,
                     fmt::format("{} is not on this machine: kernels can only be fetched on Debian", program));
    }
  }
  const auto sources = sources_for(mirrors_of_this_machine(), suites);
  if (sources.empty()) return failure("apt", 0, "the sources of this machine's apt name no mirror of Debian");
  for (const auto* const below : {"state/lists/partial", "cache/archives/partial"}) {
    if (auto made = make_directories(directory / below); !made) return std::unexpected(made.error());
  }
  const auto configuration = directory / "apt.conf";
  const auto entry = directory / "entry.conf";
  const std::pair<fs::path, std::string> files[] = {
      {directory / "status", {}},
      {directory / "sources.list", sources},
      {configuration, configuration_text(directory, architecture)},
      // apt reads this file before the system's parts, and the file that it names as the main one after them.
      {entry, fmt::format("Dir::Etc::main \"{}\";\n", configuration.string())},
  };
  for (const auto& [file, text] : files) {
    if (auto written = write_to(file, text); !written) return std::unexpected(written.error());
  }
  return Apt(entry);
}

Expected<std::string> Apt::ask(const std::string& program, std::vector<std::string> arguments,
                               const fs::path& directory) const {
  const auto found = find_program(program);
  if (!found) return failure(program, 0, "not on this machine");
  const auto finished = run({.program = *found,
                             .arguments = std::move(arguments),
                             .environment = {{"APT_CONFIG", configuration_.string()}, {"LC_ALL", "C"}},
                             .directory = directory.string()});
  if (!finished) return std::unexpected(finished.error());
  if (finished->exit_code != 0) return failure(program, 0, complaint(*finished));
  return finished->out;
}

Expected<void> Apt::update() const {
  // A list that cannot be had is an error and not a warning.
  auto updated = ask("apt-get", {"-q", "update", "--error-on=any"}, {});
  if (!updated) return std::unexpected(updated.error());
  return {};
}

Expected<std::vector<Package>> Apt::packages(const std::string& expression) const {
  const auto names = ask("apt-cache", {"search", "--names-only", expression}, {});
  if (!names) return std::unexpected(names.error());
  std::vector<std::string> arguments = {"show"};
  std::istringstream lines(*names);
  for (std::string line; std::getline(lines, line);) arguments.push_back(line.substr(0, line.find(' ')));
  if (arguments.size() == 1) return std::vector<Package>();
  const auto shown = ask("apt-cache", arguments, {});
  if (!shown) return std::unexpected(shown.error());
  arguments.front() = "madison";
  const auto suites = ask("apt-cache", std::move(arguments), {});
  if (!suites) return std::unexpected(suites.error());
  auto packages = parse_packages(*shown);
  add_suites(packages, *suites);
  return packages;
}

Expected<void> Apt::download(const Package& package, const fs::path& file) const {
  // apt takes a file for a whole one that has the right size: it gets an empty directory to write to.
  const auto scratch = TemporaryDirectory::create(file.parent_path());
  if (!scratch) return std::unexpected(scratch.error());
  const auto got = ask("apt-get", {"-q", "download", package.name + "=" + package.version}, scratch->path());
  if (!got) return std::unexpected(got.error());
  std::error_code failed;
  const fs::directory_iterator entries(scratch->path(), failed);
  if (failed || entries == fs::directory_iterator()) {
    return failure("apt-get", 0, "no file came of " + package.name + "=" + package.version);
  }
  fs::rename(entries->path(), file, failed);
  if (failed) return failure("keeping a download", failed.value(), file.string());
  return {};
}

Expected<std::vector<fs::path>> Apt::download(const Offer& offer, const fs::path& into) const {
  if (auto made = make_directories(into); !made) return std::unexpected(made.error());
  std::vector<fs::path> files;
  for (const auto& package : offer.packages) {
    files.push_back(into / file_name_of(package));
    std::error_code absent;
    if (fs::file_size(files.back(), absent) == package.bytes && !absent) continue;
    if (auto got = download(package, files.back()); !got) return std::unexpected(got.error());
  }
  return files;
}

}  // namespace devmap::vm
