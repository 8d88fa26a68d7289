#include <harness/record/format.hpp>
#include <harness/record/record_json.hpp>

namespace devmap {

std::string render_json(const RunRecord& record) {
  using nlohmann::ordered_json;
  ordered_json object = {{"schema_version", RunRecord::kSchemaVersion},
                         {"suite", suite_json(record.suite)},
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
