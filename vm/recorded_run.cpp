#include <vm/recorded_run.hpp>

#include <exception>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

namespace devmap::vm {
namespace {

RecordedResult read_result(const nlohmann::json& fields) {
  const auto verdict = verdict_named(fields.at("verdict").get<std::string>());
  if (!verdict) throw std::invalid_argument("no verdict is called " + fields.at("verdict").dump());
  return {.rule = fields.at("rule").get<std::string>(),
          .variant = fields.at("variant").get<std::string>(),
          .verdict = *verdict,
          .expected = fields.value("expected", ""),
          .observed = fields.value("observed", ""),
          .reason = fields.value("reason", "")};
}

RecordedRun read_run(const nlohmann::json& document) {
  if (document.at("schema_version") != 1) throw std::invalid_argument("\"schema_version\" is not 1");
  const auto& context = document.at("context");
  RecordedRun run{.label = context.at("kernel_label").get<std::string>(),
                  .release = context.at("release").get<std::string>(),
                  .version = context.value("version", ""),
                  .duration_ms = context.at("duration_ms").get<double>(),
                  .partial = context.at("partial").get<bool>(),
                  .results = {}};
  for (const auto& result : document.at("results")) run.results.push_back(read_result(result));
  return run;
}

}  // namespace

Expected<RecordedRun> RecordedRun::parse(const std::string& text, const std::string& where) {
  try {
    return read_run(nlohmann::json::parse(text));
  } catch (const std::exception& fault) {
    return failure("result record", 0, where + ": " + fault.what());
  }
}

std::map<Verdict, std::size_t> RecordedRun::counts() const {
  std::map<Verdict, std::size_t> counts;
  for (const auto& result : results) ++counts[result.verdict];
  return counts;
}

KernelVersion RecordedRun::kernel_version() const {
  constexpr std::string_view kPackage = " Debian ";
  const auto package = version.find(kPackage);
  if (package != std::string::npos) {
    if (const auto named = KernelVersion::parse(version.substr(package + kPackage.size()))) return *named;
  }
  return KernelVersion::parse(release).value_or(KernelVersion{});
}

}  // namespace devmap::vm
