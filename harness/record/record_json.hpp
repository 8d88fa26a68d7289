#pragma once

#include <harness/record/record.hpp>

#include <nlohmann/json.hpp>

namespace devmap {

// The parts of a record as JSON (harness/record/result-record.schema.json), with the fields in the order in which a
// person reads them.
[[nodiscard]] nlohmann::ordered_json suite_json(const SuiteIdentity& suite);
[[nodiscard]] nlohmann::ordered_json context_json(const RunContext& context);
[[nodiscard]] nlohmann::ordered_json result_json(const Result& result);

}  // namespace devmap
