#include <harness/record/format.hpp>

#include <nlohmann/json.hpp>

namespace devmap {
namespace {

// Keeps the fields in the order in which a person reads them.
using nlohmann::ordered_json;

ordered_json evidence_json(const Evidence& evidence) {
  if (!judged(evidence.role)) {
    return {{"role", evidence.role == Role::note ? "note" : "rate"}, {"did", evidence.did}};
  }
  return {{"role", evidence.role == Role::control ? "control" : "act"},
          {"did", evidence.did},
          {"expected", evidence.expected},
          {"observed", evidence.observed},
          {"as_expected", evidence.as_expected}};
}

ordered_json result_json(const Result& result) {
  ordered_json object = {{"rule", result.rule},
                         {"variant", result.variant},
                         {"verdict", name_of(result.verdict)},
                         {"duration_ms", result.duration_ms},
                         {"expected", result.expected},
                         {"observed", result.observed}};
  object["evidence"] = ordered_json::array();
  for (const auto& evidence : result.evidence) object["evidence"].push_back(evidence_json(evidence));
  object["reason"] = result.reason;
  object["advice"] = result.advice;
  if (result.iteration != 1) object["iteration"] = result.iteration;
  return object;
}

ordered_json context_json(const RunContext& context) {
  ordered_json object = {{"release", context.release},
                         {"version", context.version},
                         {"machine", context.machine},
                         {"kernel_label", context.kernel_label},
                         {"jit", context.jit},
                         {"cpus", context.cpus},
                         {"page_size", context.page_size},
                         {"config", context.config},
                         {"mitigations", context.mitigations},
                         {"kernel_log", context.kernel_log},
                         {"attachment", context.attachment},
                         {"foreign_warnings", context.foreign_warnings},
                         {"started", context.started},
                         {"duration_ms", context.duration_ms},
                         {"partial", context.partial}};
  if (context.soak) object["soak_ms"] = context.soak->count();
  if (context.shuffle_seed) object["shuffle_seed"] = *context.shuffle_seed;
  return object;
}

}  // namespace

std::string render_json(const RunRecord& record) {
  ordered_json object = {{"schema_version", RunRecord::kSchemaVersion},
                         {"suite", {{"version", record.suite.version}, {"commit", record.suite.commit}}},
                         {"context", context_json(record.context)}};
  const auto counts = record.summary();
  for (const Verdict verdict : kVerdicts) {
    const auto count = counts.find(verdict);
    object["summary"][std::string(name_of(verdict))] = count == counts.end() ? 0 : count->second;
  }
  object["results"] = ordered_json::array();
  for (const auto& result : record.results) object["results"].push_back(result_json(result));
  return object.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace devmap
