#include <bench/peer/tools.hpp>

#include <fmt/format.h>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

namespace devmap::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTrafficgen = "xdp-trafficgen";
constexpr const char* kBench = "xdp-bench";
constexpr const char* kRemedy = "scripts/fetch-xdp-tools gets a version that works, for --xdp-tools";

// Versions before 1.5.6 attach to the tracepoint xdp_redirect_map_err, which Linux 6.17 no longer has.
constexpr ToolsVersion kWithoutOldTracepoint{.major = 1, .minor = 5, .patch = 6};
constexpr KernelVersion kOldTracepointGone{.major = 6, .minor = 17};

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// The directories below `tree` that hold libraries: lib, lib64 and those of architectures in them.
std::vector<fs::path> library_directories(const fs::path& tree) {
  std::vector<fs::path> found;
  for (const auto* const above : {"usr/lib", "lib", "usr/lib64", "lib64"}) {
    const auto directory = tree / above;
    if (!is_there(directory)) continue;
    found.push_back(directory);
    std::error_code failed;
    for (fs::directory_iterator entries(directory, failed); !failed && entries != fs::directory_iterator();
         entries.increment(failed)) {
      if (entries->is_directory(failed)) found.push_back(entries->path());
    }
  }
  return found;
}

/// ld-linux-x86-64.so.2, ld64.so.1 and the like, where it lies beside a C library.
std::string loader_in(const fs::path& directory) {
  if (!is_there(directory / "libc.so.6")) return {};
  std::error_code failed;
  for (fs::directory_iterator entries(directory, failed); !failed && entries != fs::directory_iterator();
       entries.increment(failed)) {
    const auto name = entries->path().filename().string();
    if (name.starts_with("ld") && name.contains(".so.")) return entries->path();
  }
  return {};
}

Expected<std::string> program_below(const fs::path& directory, const std::string& name) {
  for (const auto& candidate : {directory / "usr/sbin" / name, directory / "sbin" / name, directory / "usr/bin" / name,
                                directory / name, directory / name / name}) {
    std::error_code ignored;
    if (fs::is_regular_file(candidate, ignored)) return fs::absolute(candidate).string();
  }
  return failure("look for xdp-tools", 0, fmt::format("there is no {} in {}", name, directory.string()));
}

Expected<std::string> installed_program(const std::string& name) {
  for (const auto& candidate : {name, "/usr/sbin/" + name}) {
    if (const auto path = vm::find_program(candidate)) return *path;
  }
  return failure("look for xdp-tools", 0, name + " is not installed");
}

std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

Expected<XdpTools> usable(Expected<XdpTools> tools, const KernelVersion& kernel) {
  if (!tools) return tools;
  if (auto why = why_unusable(tools->version(), kernel); !why.empty())
    return failure("look for xdp-tools", 0, std::move(why));
  return tools;
}

std::string reason_of(const Error& error) {
  return error.context.empty() ? error.text() : error.context;
}

}  // namespace

std::optional<ToolsVersion> tools_version_in(std::string_view text) {
  constexpr std::string_view kWord = " version ";
  const auto at = text.find(kWord);
  if (!text.starts_with("xdp-") || at == std::string_view::npos) return std::nullopt;
  return ToolsVersion::parse(text.substr(at + kWord.size()));
}

std::string why_unusable(const ToolsVersion& tools, const KernelVersion& kernel) {
  if (tools >= kWithoutOldTracepoint || kernel < kOldTracepointGone) return {};
  return fmt::format(
      "xdp-tools {} cannot run on Linux {}: before {} they need the tracepoint xdp_redirect_map_err, which is gone "
      "since "
      "{}",
      tools.text(), kernel.text(), kWithoutOldTracepoint.text(), kOldTracepointGone.text());
}

vm::Invocation XdpTools::invocation(const std::string& program, std::vector<std::string> arguments) const {
  vm::Invocation invocation{.program = program, .arguments = std::move(arguments)};
  if (!loader_.empty()) {
    invocation.program = loader_;
    invocation.arguments.insert(invocation.arguments.begin(), {"--library-path", libraries_, program});
  }
  if (!objects_.empty()) invocation.environment.emplace_back("LIBXDP_OBJECT_PATH", objects_);
  // Its dispatcher of several programs on one device costs theirs a call a frame, and leaves pinned objects behind.
  invocation.environment.emplace_back("LIBXDP_SKIP_DISPATCHER", "1");
  return invocation;
}

vm::Invocation XdpTools::trafficgen(std::vector<std::string> arguments) const {
  return invocation(trafficgen_, std::move(arguments));
}

vm::Invocation XdpTools::bench(std::vector<std::string> arguments) const {
  return invocation(bench_, std::move(arguments));
}

Expected<void> XdpTools::ask_version() {
  const auto told = vm::run(trafficgen({"udp", "--version"}));
  if (!told) return std::unexpected(told.error());
  const auto version = tools_version_in(told->out);
  if (!version) {
    const auto& said = told->out.empty() ? told->err : told->out;
    return failure("ask for the version of xdp-tools", 0,
                   fmt::format("{} does not tell its version: {}", trafficgen_, first_line(said)));
  }
  version_ = *version;
  return {};
}

Expected<XdpTools> XdpTools::below(const std::string& directory) {
  XdpTools tools;
  auto trafficgen = program_below(directory, kTrafficgen);
  if (!trafficgen) return std::unexpected(trafficgen.error());
  auto bench = program_below(directory, kBench);
  if (!bench) return std::unexpected(bench.error());
  tools.trafficgen_ = std::move(*trafficgen);
  tools.bench_ = std::move(*bench);
  for (const auto& libraries : library_directories(fs::absolute(directory))) {
    if (tools.objects_.empty() && is_there(libraries / "bpf")) tools.objects_ = libraries / "bpf";
    if (!tools.loader_.empty()) continue;
    tools.loader_ = loader_in(libraries);
    if (!tools.loader_.empty()) tools.libraries_ = libraries;
  }
  if (auto asked = tools.ask_version(); !asked) return std::unexpected(asked.error());
  return tools;
}

Expected<XdpTools> XdpTools::installed() {
  XdpTools tools;
  auto trafficgen = installed_program(kTrafficgen);
  if (!trafficgen) return std::unexpected(trafficgen.error());
  auto bench = installed_program(kBench);
  if (!bench) return std::unexpected(bench.error());
  tools.trafficgen_ = std::move(*trafficgen);
  tools.bench_ = std::move(*bench);
  if (auto asked = tools.ask_version(); !asked) return std::unexpected(asked.error());
  return tools;
}

std::string fetched_tools_directory() {
  const auto* const cache = std::getenv("XDG_CACHE_HOME");
  const auto* const home = std::getenv("HOME");
  fs::path directory;
  if (cache != nullptr && *cache != '\0') {
    directory = cache;
  } else if (home != nullptr && *home != '\0') {
    directory = fs::path(home) / ".cache";
  } else {
    return {};
  }
  directory /= "devmap-conformance/xdp-tools";
  return is_there(directory) ? directory.string() : std::string();
}

Expected<XdpTools> find_xdp_tools(const std::string& directory, const KernelVersion& kernel) {
  auto tools = usable(directory.empty() ? XdpTools::installed() : XdpTools::below(directory), kernel);
  if (tools) return tools;
  const auto reason = reason_of(tools.error());
  if (!directory.empty()) return failure("look for xdp-tools", 0, fmt::format("{}; {}", reason, kRemedy));
  const auto fetched = fetched_tools_directory();
  if (fetched.empty()) return failure("look for xdp-tools", 0, fmt::format("{}; {}", reason, kRemedy));
  auto others = usable(XdpTools::below(fetched), kernel);
  if (!others) return failure("look for xdp-tools", 0, fmt::format("{}; and {}", reason, reason_of(others.error())));
  return others;
}

}  // namespace devmap::bench
