#include <harness/record/record_json.hpp>

namespace devmap {
namespace {

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

}  // namespace

ordered_json suite_json(const SuiteIdentity& suite) {
  return {{"version", suite.version}, {"commit", suite.commit}};
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
  if (context.boots) object["boots"] = *context.boots;
  if (context.soak) object["soak_ms"] = context.soak->count();
  if (context.shuffle_seed) object["shuffle_seed"] = *context.shuffle_seed;
  return object;
}

}  // namespace devmap
