#include <reports/kcidb.hpp>

#include <fmt/format.h>
#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

namespace devmap::reports {
namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostLog = 16384;  // what the schema allows

/// Small letters, digits and hyphens, whatever the text holds.
std::string slug(std::string_view text) {
  std::string slug;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
    const bool capital = c >= 'A' && c <= 'Z';
    if (plain || capital) {
      slug += capital ? static_cast<char>(c - 'A' + 'a') : c;
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  while (slug.ends_with('-')) slug.pop_back();
  return slug;
}

/// "devmap_conformance.update.slug.devmap_v4": a path has names with dots between them.
std::string path_of(const Result& result) {
  const std::string path = "devmap_conformance." + result.rule + "." + result.variant;
  std::string names;
  for (const char c : path) {
    const bool allowed = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (c == '.') {
      if (!names.ends_with('.')) names += '.';
    } else {
      names += allowed ? c : '_';
    }
  }
  while (names.ends_with('.')) names.pop_back();
  return names;
}

const char* status_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::conforms:
    case Verdict::backported:
    case Verdict::absent:
      return "PASS";
    case Verdict::unmet:
      return "SKIP";
    case Verdict::timeout:
    case Verdict::broken:
      return "ERROR";
    default:
      return "FAIL";
  }
}

/// The architecture as kbuild and KernelCI call it.
std::string architecture_of(const std::string& machine) {
  if (machine == "aarch64") return "arm64";
  if (machine.starts_with("armv")) return "arm";
  if (machine == "i686" || machine == "i586") return "i386";
  std::string name = machine;
  const auto is_allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  std::ranges::replace_if(name, std::not_fn(is_allowed), '_');
  return name;
}

std::string log_of(const Result& result) {
  std::string log = result.reason.empty() ? "" : result.reason + "\n";
  for (const auto& evidence : result.evidence) log += evidence.text() + "\n";
  if (log.size() > kMostLog) {
    constexpr std::string_view kCut = "[...]\n";
    log = std::string(kCut) + log.substr(log.size() - (kMostLog - kCut.size()));
    // No character is left in halves.
    while (log.size() > kCut.size() && (static_cast<unsigned char>(log[kCut.size()]) & 0xc0) == 0x80) {
      log.erase(kCut.size(), 1);
    }
  }
  return log;
}

ordered_json test_of(const Result& result, const RunContext& context, const std::string& origin, const std::string& run,
                     const std::string& build, const SpecifiedRule* rule) {
  const auto repeated = result.iteration == 1 ? "" : fmt::format("#{}", result.iteration);
  ordered_json test = {{"id", fmt::format("{}:{}/{}{}", origin, run, result.name(), repeated)},
                       {"origin", origin},
                       {"build_id", build},
                       {"path", path_of(result)},
                       {"status", status_of(result.verdict)},
                       {"start_time", context.started},
                       {"duration", result.duration_ms / 1000}};
  if (result.verdict == Verdict::known) test["waived"] = true;
  if (rule != nullptr) test["comment"] = rule->states;
  if (const auto log = log_of(result); !log.empty() && result.verdict != Verdict::conforms) test["log_excerpt"] = log;
  test["environment"] = {{"comment", fmt::format("{} processors, BPF JIT {}", context.cpus, context.jit)}};
  test["misc"] = {{"verdict", name_of(result.verdict)}};
  return test;
}

}  // namespace

std::string render_kcidb(const std::vector<Source>& sources, const Specification& specification,
                         const KcidbOptions& options) {
  ordered_json document = {{"version", {{"major", 5}, {"minor", 0}}}};
  if (options.build_id.empty()) document["checkouts"] = document["builds"] = ordered_json::array();
  document["tests"] = ordered_json::array();
  for (const auto& source : sources) {
    const auto& context = source.record.context;
    const auto run =
        slug(fmt::format("{}-{}-jit-{}-{}", context.kernel_label, context.machine, context.jit, context.started));
    auto build = options.build_id;
    if (build.empty()) {
      const auto name = slug(context.release + "-" + context.version + "-" + context.machine);
      const auto checkout = fmt::format("{}:{}", options.origin, slug(context.release + "-" + context.version));
      build = fmt::format("{}:{}", options.origin, name);
      document["checkouts"].push_back({{"id", checkout}, {"origin", options.origin}, {"comment", context.release}});
      document["builds"].push_back({{"id", build},
                                    {"origin", options.origin},
                                    {"checkout_id", checkout},
                                    {"comment", context.version},
                                    {"architecture", architecture_of(context.machine)},
                                    {"misc", {{"config", context.config}}}});
    }
    for (const auto& result : source.record.results) {
      document["tests"].push_back(
          test_of(result, context, options.origin, run, build, specification.find(result.rule)));
    }
  }
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace devmap::reports
